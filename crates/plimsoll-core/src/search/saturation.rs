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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Load;
    use crate::search::SearchConfig;
    use crate::search::tests::level;

    /// A server that brings 20 requests per second: 10 are carried, of 30 it completes 20. Nothing
    /// tells that before; a standing queue of streams, once there was time for it, tells more.
    #[test]
    fn without_a_standing_queue_an_overload_bounds_the_answer() {
        let mut search = Search::new(SearchConfig {
            axis: Axis::Rate,
            ..SearchConfig::new("ttft p95 <= 1s".parse().unwrap())
        });
        let mut seen = |load, over, request_per_s, purpose| {
            let mut summary = level(1, over, 300);
            (summary.load, summary.purpose) = (load, purpose);
            summary.request_per_s = Some(request_per_s);
            summary.requests.completed_in_window = 180;
            search.take(summary);
            search.saturation_rungs()
        };
        let none = (u32::MAX, u32::MAX);
        assert_eq!(seen(Load::RatePerS(10.0), 0, 10.0, Purpose::Ramp), none);
        // 180 completions are known to 5 %: 20 · 1.645 · √(0.45 / 180) = 1.64 to either side.
        let rung = |per_s: f64| Axis::Rate.at_most(per_s);
        let (most, sure) = seen(Load::RatePerS(30.0), 300, 20.0, Purpose::Ramp);
        assert_eq!((most, sure), (rung(21.64), rung(18.36 * DECIDABLE)));
        let (most, _) = seen(Load::Streams(64), 300, 25.0, Purpose::Saturation);
        assert_eq!(most, rung(27.06));
    }
}
