//! By rate: what the server brings at most, from streams with a standing queue.
//!
//! Above that rate no load is stable, whatever a short hold shows; just below it the time that a
//! queue takes to build exceeds any hold (statistics.md §8). So a capacity by rate ends at 97 % of
//! the rate that is surely reached.

use std::time::Duration;

use super::{Axis, Search};
use crate::level::{LevelSummary, LevelVerdict, Purpose};

/// So many times what was in flight at the rate that broke queue up for sure.
const STANDING: f64 = 3.0;
/// Streams of the saturating level, at least.
const FEWEST: f64 = 4.0;
/// Completions of the saturating level, and the part of the budget that it may take.
const COMPLETIONS: f64 = 1_000.0;
const MOST_OF_BUDGET: f64 = 0.1;
/// The part of the saturation rate above which minutes decide nothing.
const DECIDABLE: f64 = 0.97;
/// Variance of the number of completions over its mean (statistics.md §8: 0.2 to 0.45).
const DISPERSION: f64 = 0.45;
/// 95 %, one-sided.
const SURE: f64 = 1.645;

impl Search {
    /// Whether a rate broke and the saturation rate is not known yet.
    pub(super) fn lacks_saturation(&self) -> bool {
        self.config.axis == Axis::Rate
            && !self
                .levels
                .iter()
                .any(|level| level.purpose == Purpose::Saturation)
    }

    /// Streams that keep a queue standing: more than were in flight at any load that did not break,
    /// and at the lowest that did. Far above it a queue is as long as the hold.
    pub(super) fn saturating_streams(&self) -> u32 {
        let in_flight = |level: &&LevelSummary| level.client.achieved_concurrency;
        let (broken, held): (Vec<_>, Vec<_>) =
            self.levels.iter().partition(|level| level.is_broken());
        let lowest = broken
            .iter()
            .filter(|level| self.rung(level) > 0)
            .min_by_key(|level| self.rung(level));
        let most = held
            .iter()
            .chain(lowest)
            .filter_map(in_flight)
            .fold(FEWEST / STANDING, f64::max);
        ((most * STANDING).ceil() as u32).min(self.config.most_streams)
    }

    /// How long they are held: 1 000 completions show the rate to 2 % (statistics.md §8), if a part
    /// of the budget is enough for them.
    pub(super) fn saturation_time(&self) -> Duration {
        let rates = self.levels.iter().filter_map(|level| level.request_per_s);
        let fastest = rates.fold(f64::MIN_POSITIVE, f64::max);
        let wanted = Duration::try_from_secs_f64(COMPLETIONS / fastest).unwrap_or(Duration::MAX);
        wanted.min(self.config.budget.mul_f64(MOST_OF_BUDGET))
    }

    /// Completions per second that the server brings at most, where it was measured.
    pub(super) fn saturation_rate_per_s(&self) -> Option<f64> {
        self.saturation().map(|(rate, _)| rate)
    }

    fn saturation(&self) -> Option<(f64, f64)> {
        let mut levels = self.levels.iter().rev();
        levels
            .find(|level| {
                level.purpose == Purpose::Saturation && level.verdict != LevelVerdict::Void
            })
            .and_then(rate_and_error)
    }

    /// What the server brought at most where more came than it carried: where there was no time for
    /// a standing queue, that is all that is known of its saturation.
    fn most_under_overload(&self) -> Option<(f64, f64)> {
        let is_overload = |level: &&LevelSummary| {
            let rates = level.load.rate_per_s().zip(level.request_per_s);
            level.is_broken() && rates.is_some_and(|(due, done)| done < due)
        };
        let overloads = self.levels.iter().filter(is_overload);
        overloads
            .filter_map(rate_and_error)
            .max_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// The highest rung that can be stable, and the highest that minutes can decide.
    pub(super) fn saturation_rungs(&self) -> (u32, u32) {
        let known = self.saturation().or_else(|| self.most_under_overload());
        let Some((rate, error)) = known else {
            return (u32::MAX, u32::MAX);
        };
        let at_most = |rate: f64| Axis::Rate.at_most(rate);
        let sure = (rate - SURE * error) * DECIDABLE;
        (at_most(rate + SURE * error), at_most(sure))
    }
}

/// Completions per second of a level and their standard error.
fn rate_and_error(level: &LevelSummary) -> Option<(f64, f64)> {
    let rate = level.request_per_s?;
    let n = level.requests.completed_in_window as f64;
    (n > 0.0).then(|| (rate, rate * (DISPERSION / n).sqrt()))
}
