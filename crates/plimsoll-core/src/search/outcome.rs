//! From the levels and the reason to stop, the verdict.

use std::time::Duration;

use super::visits::Known;
use super::{Axis, Search, Stop, cause, growth};
use crate::level::{Alarm, LevelSummary, LevelVerdict, Purpose};
use crate::scaling::scaling;
use crate::verdict::{
    Capacity, Confirmed, EdgeShape, Note, PlannedMean, RateCapacity, Recommended, Verdict,
    VerdictKind,
};

pub(super) fn verdict(search: &Search, stop: Stop, elapsed: Duration) -> Verdict {
    let (low, high) = search.bracket();
    let known = high.and_then(|_| search.known());
    let bounds = bounds(search, stop, low, known);
    let kind = match kind(stop, bounds.map_or(0, |bounds| bounds.rung), low, high) {
        // Nothing broke, but nothing is known to hold either.
        VerdictKind::AboveLast if bounds.is_none_or(|bounds| bounds.lower == 0) => {
            VerdictKind::Inconclusive
        }
        kind => kind,
    };
    let is_open = matches!(kind, VerdictKind::Inconclusive | VerdictKind::ServerGone);
    let cap = bounds
        .map(|bounds| bounds.lower)
        .filter(|cap| *cap > 0 && !is_open);
    let capacity = bounds.and_then(|bounds| bounds.streams(search));
    let rate = bounds.and_then(|bounds| bounds.rate(search));
    // A gateway counts requests in flight, and streams that think are not always in flight.
    let is_busy = search.config.manner.think.is_none();
    let cap_streams = cap.filter(|_| search.config.axis == Axis::Streams && is_busy);
    let cap_rate = cap.filter(|_| search.config.axis == Axis::Rate);
    let at_capacity = bounds.map(|bounds| search.config.axis.amount(bounds.rung));
    let throughput = |of: fn(&LevelSummary) -> Option<f64>| at(search, at_capacity?, of);
    let broken = broken_level(search, stop, high, known);
    Verdict {
        kind,
        capacity,
        rate,
        gateway_cap: cap_streams.map(|streams| Recommended { streams }),
        planned_mean: cap_streams.map(|cap| PlannedMean::within(cap, search.config.headroom)),
        planned_rate_per_s: cap_rate.map(|cap| {
            Axis::Rate.amount(Axis::Rate.at_most(Axis::Rate.amount(cap) * search.config.headroom))
        }),
        saturation_rate_per_s: search.saturation_rate_per_s(),
        edge: known.and_then(|known| edge_shape(search, known)),
        confirmed: confirmed(search),
        broken_by: broken_by(search, stop, broken),
        broken_at: broken.map(|level| level.load),
        cause: broken
            .filter(|level| !level.says_nothing() || level.is_clients_fault())
            .and_then(|level| cause::cause(latest(search, low), level)),
        scaling: scaling(&search.levels),
        request_per_s: throughput(|level| level.request_per_s),
        output_tokens_per_s: throughput(|level| level.output_tokens_per_s),
        notes: notes(search, stop),
        load_time_s: elapsed.as_secs_f64(),
        sentence: String::new(),
    }
}

fn kind(stop: Stop, rung: u32, low: u32, high: Option<u32>) -> VerdictKind {
    match (stop, high) {
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

/// The capacity in rungs.
#[derive(Clone, Copy)]
struct Bounds {
    rung: u32,
    lower: u32,
    upper: Option<u32>,
}

impl Bounds {
    fn streams(self, search: &Search) -> Option<Capacity> {
        (search.config.axis == Axis::Streams).then_some(Capacity {
            streams: self.rung,
            lower: self.lower,
            upper: self.upper,
        })
    }

    fn rate(self, search: &Search) -> Option<RateCapacity> {
        let amount = |rung| Axis::Rate.amount(rung);
        (search.config.axis == Axis::Rate).then(|| RateCapacity {
            per_s: amount(self.rung),
            lower_per_s: amount(self.lower),
            upper_per_s: self.upper.map(amount),
        })
    }
}

fn bounds(search: &Search, stop: Stop, low: u32, known: Option<Known>) -> Option<Bounds> {
    match stop {
        Stop::Growth { from_streams } | Stop::FullBatch { from_streams } => {
            let rung = from_streams.min(low);
            let mut ramp = search
                .ramp_levels()
                .into_iter()
                .map(|level| search.rung(level));
            let upper = ramp.find(|load| *load > rung);
            Some(Bounds {
                rung,
                lower: rung,
                upper,
            })
        }
        Stop::Resources { at_streams } => {
            let mut loads = search.standings().into_keys().rev();
            let rung = loads.find(|load| *load < at_streams)?;
            let upper = Some(at_streams - 1);
            Some(Bounds {
                rung,
                lower: rung,
                upper,
            })
        }
        Stop::NotMonotone => {
            let (broken, _) = search.inversion()?;
            let rung = search.highest_held_below(broken);
            Some(Bounds {
                rung,
                lower: rung,
                upper: Some(broken - 1),
            })
        }
        _ => match known {
            Some(known) => Some(Bounds {
                rung: known.rung,
                lower: known.lower,
                upper: Some(known.upper),
            }),
            None => {
                let lower = if search.was_held(low) { low } else { 0 };
                Some(Bounds {
                    rung: low,
                    lower,
                    upper: None,
                })
            }
        },
    }
    .filter(|bounds| bounds.rung > 0)
}

/// What is seen of a throughput at a load: of that load, or on the line between its neighbours.
fn at(search: &Search, amount: f64, of: fn(&LevelSummary) -> Option<f64>) -> Option<f64> {
    let mut seen: Vec<(f64, f64)> = search
        .levels
        .iter()
        .filter(|level| search.rung(level) > 0 && level.verdict != LevelVerdict::Void)
        .filter_map(|level| Some((level.load.amount(), of(level)?)))
        .collect();
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let same: Vec<f64> = seen
        .iter()
        .filter(|(load, _)| (load - amount).abs() < amount * 1e-9)
        .map(|(_, value)| *value)
        .collect();
    if let Some(mean) = crate::stats::mean(&same) {
        return Some(mean);
    }
    let below = seen.iter().rev().find(|(load, _)| *load < amount)?;
    let above = seen.iter().find(|(load, _)| *load > amount)?;
    let part = (amount - below.0) / (above.0 - below.0);
    Some(below.1 + part * (above.1 - below.1))
}

/// How much the metric that breaks first moves for 5 % more load: a line through its logarithm over
/// the logarithm of the load, near the edge (statistics.md §1.5.3).
fn edge_shape(search: &Search, known: Known) -> Option<EdgeShape> {
    let capacity = search.config.axis.amount(known.rung.max(1));
    let near: Vec<&LevelSummary> = search
        .levels
        .iter()
        .filter(|level| search.rung(level) > 0 && !level.says_nothing())
        .filter(|level| (level.load.amount() / capacity).ln().abs() < EDGE_REACH)
        .collect();
    let result = near.first()?.objectives.get(known.binding)?;
    let points: Vec<(f64, f64)> = near
        .iter()
        .filter_map(|level| {
            let value = level.objectives.get(known.binding)?.value?;
            (value > 0.0).then(|| (level.load.amount().ln(), value.ln()))
        })
        .collect();
    let slope = slope(&points)?;
    Some(EdgeShape {
        objective: result.objective,
        change_for_5_percent_ratio: (slope * 1.05f64.ln()).exp_m1(),
    })
}

/// Levels within this of the capacity, in ln N, show how steep it is there.
const EDGE_REACH: f64 = 0.25;

/// The slope of the least-squares line; `None` below two different loads.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = points.iter().map(|p| (p.0 - x0).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - x0) * (p.1 - y0)).sum();
    (sxx > 1e-9).then(|| sxy / sxx)
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

/// The level that shows what broke.
fn broken_level(
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

fn broken_by(search: &Search, stop: Stop, broken: Option<&LevelSummary>) -> Option<String> {
    match stop {
        Stop::Growth { .. } => {
            let percent = search.config.rules.least_growth * 100.0;
            Some(format!("throughput growth < {percent} % per doubling"))
        }
        Stop::FullBatch { .. } => Some("the batch is full".to_owned()),
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
            .filter(|level| search.rung(level) == load)
    };
    visits()
        .find(|level| level.verdict != LevelVerdict::Void)
        .or_else(|| visits().next())
}

fn notes(search: &Search, stop: Stop) -> Vec<Note> {
    let mut notes = Vec::new();
    let stalls = growth::stalls_from(&search.ramp_levels(), search.config.rules.least_growth);
    if let Some(from_streams) = stalls.filter(|_| !matches!(stop, Stop::Growth { .. })) {
        notes.push(Note::DiminishingReturns { from_streams });
    }
    if let Some((broken, held)) = search.inversion() {
        let load = |rung| search.config.axis.load(rung);
        notes.push(Note::NotMonotone {
            failed: load(broken),
            passed: load(held),
        });
    }
    if let Some(worse_from_above) = search.remembers() {
        notes.push(Note::Hysteresis { worse_from_above });
    }
    match stop {
        Stop::Budget => notes.push(Note::BudgetSpent),
        Stop::Interrupted => notes.push(Note::Interrupted),
        _ => {}
    }
    notes
}
