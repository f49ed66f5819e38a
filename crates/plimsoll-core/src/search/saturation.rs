//! By rate: what the server brings at most, from streams with a standing queue.
//!
//! Above that rate no load is stable, whatever a short hold shows; just below it the time that a
//! queue takes to build exceeds any hold (statistics.md §8). So a capacity by rate ends at 97 % of
//! the rate that is surely reached.

use super::{Axis, Search};
use crate::level::{LevelSummary, LevelVerdict, Purpose};

/// So many times what was in flight at the rate that broke queue up for sure.
const STANDING: f64 = 3.0;
/// Streams of the saturating level, at least.
const FEWEST: f64 = 4.0;
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

    /// Streams that keep a queue standing.
    pub(super) fn saturating_streams(&self) -> u32 {
        let in_flight = self
            .levels
            .iter()
            .filter_map(|level| level.client.achieved_concurrency)
            .fold(FEWEST / STANDING, f64::max);
        ((in_flight * STANDING).ceil() as u32).min(self.config.most_streams)
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

    /// The highest rung that can be stable, and the highest that minutes can decide.
    pub(super) fn saturation_rungs(&self) -> (u32, u32) {
        let Some((rate, error)) = self.saturation() else {
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
