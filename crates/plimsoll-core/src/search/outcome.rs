//! From the levels and the reason to stop, the verdict.

use std::time::Duration;

use super::{Search, Standing, Stop, cause, growth, load_of};
use crate::level::{LevelSummary, LevelVerdict};
use crate::scaling::scaling;
use crate::verdict::{Capacity, Note, PlannedMean, Recommended, Verdict, VerdictKind};

pub(super) fn verdict(search: &Search, stop: Stop, elapsed: Duration) -> Verdict {
    let (low, high) = search.bracket();
    let capacity = capacity(search, stop, low, high);
    let kind = match kind(
        stop,
        capacity.map_or(low, |capacity| capacity.streams),
        high,
    ) {
        // Nothing broke, but nothing is known to hold either.
        VerdictKind::AboveLast if capacity.is_none_or(|capacity| capacity.lower == 0) => {
            VerdictKind::Inconclusive
        }
        kind => kind,
    };
    let is_open = matches!(kind, VerdictKind::Inconclusive | VerdictKind::ServerGone);
    // A gateway counts requests in flight, and streams that think are not always in flight.
    let gateway_cap = capacity
        .filter(|capacity| capacity.lower > 0 && !is_open && search.config.think.is_none())
        .map(|capacity| Recommended {
            streams: capacity.lower,
        });
    let at_capacity = capacity.and_then(|capacity| latest(search, capacity.streams));
    let broken = broken_level(search, stop, high);
    Verdict {
        kind,
        capacity,
        gateway_cap,
        planned_mean: gateway_cap
            .map(|cap| PlannedMean::within(cap.streams, search.config.headroom)),
        broken_by: broken_by(search, stop, broken),
        broken_at_streams: broken.map(load_of),
        cause: broken
            .filter(|level| !level.says_nothing() || level.is_clients_fault())
            .and_then(|level| cause::cause(latest(search, low), level)),
        scaling: scaling(&search.levels),
        request_per_s: at_capacity.and_then(|level| level.request_per_s),
        output_tokens_per_s: at_capacity.and_then(|level| level.output_tokens_per_s),
        notes: notes(search, stop, high),
        load_time_s: elapsed.as_secs_f64(),
        sentence: String::new(),
    }
}

fn kind(stop: Stop, low: u32, high: Option<u32>) -> VerdictKind {
    match (stop, low, high) {
        (Stop::Growth { .. }, ..) => VerdictKind::DiminishingReturns,
        (Stop::Resources { .. }, ..) => VerdictKind::ResourcesExhausted,
        (Stop::ClientLimit { .. }, ..) => VerdictKind::ClientLimited,
        (Stop::ServerGone { .. }, ..) => VerdictKind::ServerGone,
        (Stop::Unmeasurable { .. }, ..) => VerdictKind::Inconclusive,
        (Stop::LadderEnd, ..) => VerdictKind::AboveLast,
        (Stop::Closed | Stop::Budget, 0, Some(_)) => VerdictKind::BelowFirst,
        (_, 1.., Some(_)) => VerdictKind::Capacity,
        _ => VerdictKind::Inconclusive,
    }
}

fn capacity(search: &Search, stop: Stop, low: u32, high: Option<u32>) -> Option<Capacity> {
    if let Stop::Growth { from_streams } = stop {
        let streams = from_streams.min(low);
        let next = search
            .ramp_levels()
            .iter()
            .map(|level| load_of(level))
            .find(|load| *load > streams);
        return (streams > 0).then_some(Capacity {
            streams,
            lower: streams,
            upper: next,
        });
    }
    if let Stop::Resources { at_streams } = stop {
        let below = search
            .standings()
            .into_keys()
            .rev()
            .find(|load| *load < at_streams)?;
        return Some(Capacity {
            streams: below,
            lower: below,
            upper: Some(at_streams - 1),
        });
    }
    if high.is_none() {
        let lower = if search.was_held(low) { low } else { 0 };
        return (low > 0).then_some(Capacity {
            streams: low,
            lower,
            upper: None,
        });
    }
    let known = search.known()?;
    (known.streams > 0).then_some(Capacity {
        streams: known.streams,
        lower: known.lower,
        upper: Some(known.upper),
    })
}

/// The level that shows what broke.
fn broken_level(search: &Search, stop: Stop, high: Option<u32>) -> Option<&LevelSummary> {
    match stop {
        Stop::ClientLimit { at_streams }
        | Stop::Resources { at_streams }
        | Stop::ServerGone { at_streams }
        | Stop::Unmeasurable { at_streams } => latest(search, at_streams),
        Stop::Growth { from_streams } => search
            .ramp_levels()
            .into_iter()
            .find(|level| load_of(level) > from_streams),
        _ => latest(search, high?),
    }
}

fn broken_by(search: &Search, stop: Stop, broken: Option<&LevelSummary>) -> Option<String> {
    match stop {
        Stop::Growth { .. } => {
            let percent = search.config.rules.least_growth * 100.0;
            Some(format!("throughput growth < {percent} % per doubling"))
        }
        Stop::Resources { .. } => Some("KV cache full with preemptions".to_owned()),
        Stop::ServerGone { .. } => Some("connections are refused".to_owned()),
        _ => {
            let level = broken?;
            let looks = || {
                level
                    .objectives
                    .iter()
                    .find(|one| one.looks_broken() == Some(true))
            };
            level
                .reason
                .clone()
                .or_else(|| looks().map(|one| one.objective.to_string()))
        }
    }
}

/// The latest visit of a load that is not void; else its latest visit.
fn latest(search: &Search, load: u32) -> Option<&LevelSummary> {
    let visits = || {
        search
            .levels
            .iter()
            .rev()
            .filter(|level| load_of(level) == load)
    };
    visits()
        .find(|level| level.verdict != LevelVerdict::Void)
        .or_else(|| visits().next())
}

fn notes(search: &Search, stop: Stop, high: Option<u32>) -> Vec<Note> {
    let mut notes = Vec::new();
    let stalls = growth::stalls_from(&search.ramp_levels(), search.config.rules.least_growth);
    if let Some(from_streams) = stalls.filter(|_| !matches!(stop, Stop::Growth { .. })) {
        notes.push(Note::DiminishingReturns { from_streams });
    }
    if let Some(failed_streams) = high {
        let above = search
            .standings()
            .into_iter()
            .rev()
            .find(|(load, standing)| {
                *load > failed_streams
                    && *standing == Standing::Holds
                    && search
                        .levels
                        .iter()
                        .any(|level| load_of(level) == *load && level.verdict == LevelVerdict::Pass)
            });
        if let Some((passed_streams, _)) = above {
            notes.push(Note::NotMonotone {
                failed_streams,
                passed_streams,
            });
        }
    }
    match stop {
        Stop::Budget => notes.push(Note::BudgetSpent),
        Stop::Interrupted => notes.push(Note::Interrupted),
        _ => {}
    }
    notes
}
