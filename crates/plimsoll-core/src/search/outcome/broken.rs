//! What broke first.

use super::super::visits::Known;
use super::super::{Search, Stop};
use super::latest;
use crate::level::{LevelSummary, Reason, Silence};
use crate::verdict::BrokenBy;

/// The level that shows what broke.
pub(super) fn broken_level(
    search: &Search,
    stop: Stop,
    high: Option<u32>,
    known: Option<Known>,
) -> Option<&LevelSummary> {
    match stop {
        Stop::ClientLimit { at_streams }
        | Stop::Resources { at_streams }
        | Stop::ServerGone { at_streams }
        | Stop::Unmeasurable { at_streams } => latest(search, at_streams),
        Stop::Growth { from_streams } | Stop::FullBatch { from_streams } => search
            .ramp_levels()
            .into_iter()
            .find(|level| search.rung(level) > from_streams),
        Stop::NotMonotone => latest(search, search.inversion()?.0),
        _ => known
            .and_then(|known| search.lowest_broken_above(known.rung))
            .or_else(|| latest(search, high?)),
    }
}

/// The first level of those at the end at which the server was silent says since when.
fn gone_since(search: &Search) -> Option<Silence> {
    let silent = search.levels.iter().rev();
    let first = silent.take_while(|level| level.shows_no_server()).last()?;
    let last = search.levels.last()?.silence;
    first.silence.map(|silence| Silence {
        refuses: last.map_or(silence.refuses, |last| last.refuses),
        ..silence
    })
}

pub(super) fn broken_by(
    search: &Search,
    stop: Stop,
    broken: Option<&LevelSummary>,
) -> Option<BrokenBy> {
    match stop {
        Stop::Growth { .. } => Some(BrokenBy::ThroughputStalls {
            least_growth_ratio: search.config.rules.least_growth,
        }),
        Stop::FullBatch { .. } => Some(BrokenBy::FullBatch),
        Stop::Resources { .. } => Some(BrokenBy::KvCacheFull),
        Stop::ServerGone { .. } => Some(BrokenBy::ServerGone {
            silence: gone_since(search),
        }),
        _ => {
            let level = broken?;
            let looks = || {
                level
                    .objectives
                    .iter()
                    .find(|one| one.looks_broken() == Some(true))
            };
            let reason = level
                .reason
                .or_else(|| looks().map(|one| Reason::from(one.objective)));
            reason.map(BrokenBy::from)
        }
    }
}
