//! From the levels and the reason to stop, the verdict.

mod bounds;
mod broken;
mod edge_shape;
mod notes;
mod throughput;

use std::time::Duration;

use bounds::{Bounds, bounds};
use broken::{broken_by, broken_level};
use edge_shape::edge_shape;
use notes::notes;
use throughput::throughput_at;

use super::{Search, Stop};
use crate::cause::cause_of;
use crate::level::{Alarm, LevelSummary, LevelVerdict, Load, Purpose, Reason};
use crate::load::LoadUnit;
use crate::scaling::{Scaling, scaling};
use crate::verdict::{Confirmed, Recommended, RequestTimes, Verdict, VerdictKind, exceed_ratio};

/// Loads that differ by this factor show what grows with the load.
const APART: f64 = 1.5;

pub(super) fn verdict(search: &Search, stop: Stop, elapsed: Duration) -> Verdict {
    let (low, high) = search.bracket();
    let known = high.and_then(|_| search.known());
    let bounds = bounds(search, stop, low, known);
    let quiet = ends_quiet(search);
    let kind = match kind(stop, bounds.map_or(0, |bounds| bounds.rung), low, high) {
        // Nothing broke, but nothing is known to hold either.
        VerdictKind::AboveLast if bounds.is_none_or(|bounds| bounds.lower == 0) => {
            VerdictKind::Inconclusive
        }
        // Something broke, and what was seen does not say where.
        VerdictKind::Capacity if bounds.is_none_or(|bounds| bounds.upper.is_none()) => {
            VerdictKind::Inconclusive
        }
        // Nothing came any more at the end, and whether the server is gone is not known.
        VerdictKind::ServerGone => VerdictKind::ServerGone,
        _ if quiet.is_some() => VerdictKind::Inconclusive,
        kind => kind,
    };
    let bounds = bounds.filter(|bounds| answers(kind, *bounds));
    let cap = bounds.map(|bounds| bounds.lower).filter(|cap| *cap > 0);
    // A gateway counts requests in flight, and streams that think are not always in flight.
    let cap = cap.filter(|_| search.unit() != LoadUnit::Users);
    let at_capacity = bounds.map(|bounds| search.config.axis.amount(bounds.rung));
    let throughput = |of: fn(&LevelSummary) -> Option<f64>| throughput_at(search, at_capacity?, of);
    let broken = match kind {
        VerdictKind::ServerGone => None,
        _ => quiet,
    };
    let broken = broken.or_else(|| broken_level(search, stop, high, known));
    Verdict {
        kind,
        capacity: bounds.map(|bounds| bounds.capacity(search)),
        recommended: cap.map(|cap| recommended(search, search.config.axis.load(cap))),
        saturation_rate_per_s: search.saturation_rate_per_s(),
        edge: known
            .filter(|_| bounds.is_some())
            .and_then(|known| edge_shape(search, known)),
        confirmed: confirmed(search),
        broken_by: broken_by(search, stop, broken),
        broken_at: broken.map(|level| level.load),
        cause: broken
            .filter(|level| !level.says_nothing() || level.is_clients_fault())
            .and_then(|level| cause_of(before(search, level, low), level)),
        scaling: scaling_of(search),
        request_per_s: throughput(|level| level.request_per_s),
        output_tokens_per_s: throughput(|level| level.output_tokens_per_s),
        notes: notes(search, stop),
        load_time_s: elapsed.as_secs_f64(),
    }
}

/// The last level, if it ended while nothing came of what was sent.
fn ends_quiet(search: &Search) -> Option<&LevelSummary> {
    let is_quiet = |level: &&LevelSummary| matches!(level.reason, Some(Reason::Quiet { .. }));
    search.levels.last().filter(is_quiet)
}

/// Whether a verdict of this kind states a capacity. Without an answer there is none, and "at least
/// so many" of a load that was not held is none either.
fn answers(kind: VerdictKind, bounds: Bounds) -> bool {
    let is_at_least = matches!(kind, VerdictKind::ClientLimited | VerdictKind::AboveLast);
    kind.is_answer() && (bounds.lower > 0 || !is_at_least)
}

fn kind(stop: Stop, rung: u32, low: u32, high: Option<u32>) -> VerdictKind {
    match (stop, high) {
        // No load is left below what was decided against.
        (
            Stop::Growth { .. }
            | Stop::FullBatch { .. }
            | Stop::NotMonotone
            | Stop::Resources { .. },
            Some(_),
        ) if rung == 0 => VerdictKind::BelowFirst,
        (Stop::Growth { .. }, _) => VerdictKind::DiminishingReturns,
        (Stop::FullBatch { .. }, _) => VerdictKind::FullBatch,
        (Stop::NotMonotone, _) => VerdictKind::NotMonotone,
        (Stop::Resources { .. }, _) => VerdictKind::ResourcesExhausted,
        (Stop::ClientLimit { .. }, _) => VerdictKind::ClientLimited,
        (Stop::ServerGone { .. }, _) => VerdictKind::ServerGone,
        (Stop::Unmeasurable { .. }, _) => VerdictKind::Inconclusive,
        (Stop::LadderEnd, _) => VerdictKind::AboveLast,
        (_, Some(_)) if rung > 0 => VerdictKind::Capacity,
        (Stop::Closed | Stop::Budget, Some(_)) if low == 0 || rung == 0 => VerdictKind::BelowFirst,
        _ => VerdictKind::Inconclusive,
    }
}

fn recommended(search: &Search, cap: Load) -> Recommended {
    let times = RequestTimes::of(&search.levels, search.unit());
    let exceed = exceed_ratio(&search.config.slo);
    Recommended::within(cap, search.config.headroom, exceed, &times)
}

/// How throughput follows the load, as far as that is a number of streams or users. By rate it is
/// the rate itself, until the server saturates.
fn scaling_of(search: &Search) -> Scaling {
    let unit = search.unit();
    if unit == LoadUnit::RatePerS {
        return Scaling::default();
    }
    let levels = search.levels.iter().filter(|level| level.counts(unit));
    scaling(&levels.cloned().collect::<Vec<_>>())
}

/// A load that held, to compare one that broke with: not its neighbour, from which nothing grows,
/// but the highest that is lower by [`APART`]; where there is none, `low`.
fn before<'a>(search: &'a Search, broken: &LevelSummary, low: u32) -> Option<&'a LevelSummary> {
    let most = broken.load.amount() / APART;
    let apart = search.levels.iter().filter(|level| {
        let rung = search.rung(level);
        (1..=low).contains(&rung)
            && level.load.amount() <= most
            && !level.says_nothing()
            && !level.is_broken()
    });
    apart
        .max_by_key(|level| search.rung(level))
        .or_else(|| latest(search, low))
}

/// What the hold at the gateway cap showed.
fn confirmed(search: &Search) -> Option<Confirmed> {
    let level = search
        .levels
        .iter()
        .rev()
        .find(|level| level.purpose == Purpose::Confirm && !level.says_nothing())?;
    let window = level.window?;
    Some(Confirmed {
        load: level.load,
        held_s: window.to_s - window.from_s,
        requests: level.requests.completed_in_window + level.requests.failed_in_window,
        verdict: level.verdict,
        drifts: level
            .alarms
            .iter()
            .any(|alarm| matches!(alarm, Alarm::Drifting { .. })),
    })
}

/// The latest visit of a load that is not void; else its latest visit.
fn latest(search: &Search, load: u32) -> Option<&LevelSummary> {
    let visits = || {
        search
            .levels
            .iter()
            .rev()
            .filter(|level| search.rung(level) == load)
    };
    visits()
        .find(|level| level.verdict != LevelVerdict::Void)
        .or_else(|| visits().next())
}
