//! Throughput at the capacity.

use super::super::Search;
use crate::level::{LevelSummary, LevelVerdict};

/// What is seen of a throughput at a load: of that load, or on the line between its neighbours. All
/// visits of a load count, each by its completions: a short look shows a rate of a few requests.
pub(super) fn throughput_at(
    search: &Search,
    amount: f64,
    of: fn(&LevelSummary) -> Option<f64>,
) -> Option<f64> {
    let seen = by_load(search, of);
    let same = |load: f64| (load - amount).abs() < amount * 1e-9;
    if let Some(seen) = seen.iter().find(|seen| same(seen.load)) {
        return Some(seen.mean());
    }
    let below = seen.iter().rev().find(|seen| seen.load < amount)?;
    let above = seen.iter().find(|seen| seen.load > amount)?;
    let part = (amount - below.load) / (above.load - below.load);
    Some(below.mean() + part * (above.mean() - below.mean()))
}

/// A throughput at a load, over its visits.
struct Seen {
    load: f64,
    completions: f64,
    sum: f64,
}

impl Seen {
    fn mean(&self) -> f64 {
        self.sum / self.completions
    }
}

/// By rising load.
fn by_load(search: &Search, of: fn(&LevelSummary) -> Option<f64>) -> Vec<Seen> {
    let unit = search.unit();
    let mut all: Vec<Seen> = Vec::new();
    let sound = |level: &&LevelSummary| level.counts(unit) && level.verdict != LevelVerdict::Void;
    for level in search.levels.iter().filter(sound) {
        let completions = level.requests.completed_in_window as f64;
        let (Some(value), true) = (of(level), completions > 0.0) else {
            continue;
        };
        let load = level.load.amount();
        let sum = value * completions;
        match all
            .iter_mut()
            .find(|seen| (seen.load - load).abs() < load * 1e-9)
        {
            Some(seen) => {
                seen.completions += completions;
                seen.sum += sum;
            }
            None => all.push(Seen {
                load,
                completions,
                sum,
            }),
        }
    }
    all.sort_by(|one, other| one.load.total_cmp(&other.load));
    all
}
