//! Contiguous batches of a window: the only guard against autocorrelation.

use std::time::Duration;

use super::{LevelSample, Observation};
use crate::stats::{chi2_quantile, variance};
use crate::time::Offset;

/// Most batches that a window is cut into, and fewest that say anything of a variance.
const MOST: usize = 20;
pub(super) const FEWEST: usize = 8;
/// No level's autocorrelation time is taken to be below this (statistics.md §2.3.3).
const FLOOR: f64 = 1.5;
/// Where nothing at all was over the bound there is no variance to estimate it from: a clean
/// stretch may be luck between two clumps (statistics.md §2.3.3).
const CLEAN: f64 = 3.0;

/// Observations cut into equal stretches of time, each at least one mean request time long.
pub(super) struct Batches<'a> {
    all: &'a [Observation],
    stretches: Vec<&'a [Observation]>,
    /// Length of the window, in mean request times.
    request_times: f64,
    /// Whether each batch is one draw of the streams' phases.
    are_draws: bool,
}

impl<'a> Batches<'a> {
    /// The batches of a level: its draws where there are any.
    pub(super) fn of(all: &'a [Observation], sample: &LevelSample<'_>) -> Self {
        let cut = Self::cut(all, sample.from, sample.to, sample.request_time);
        if sample.draws.is_empty() {
            return cut;
        }
        Self {
            stretches: sample
                .draws
                .iter()
                .map(|draw| draw.among(all, |one| one.at))
                .collect(),
            are_draws: true,
            ..cut
        }
    }

    pub(super) fn cut(
        all: &'a [Observation],
        from: Offset,
        to: Offset,
        request_time: Duration,
    ) -> Self {
        let length = to.since(from).as_secs_f64();
        let request_times = length / request_time.as_secs_f64().max(1e-9);
        let count = (request_times.floor() as usize).min(MOST);
        if count < FEWEST || all.len() < count {
            return Self {
                all,
                stretches: Vec::new(),
                request_times,
                are_draws: false,
            };
        }
        let mut batches = Vec::with_capacity(count);
        let mut rest = all;
        for i in 1..=count {
            let end = from + Duration::from_secs_f64(length * i as f64 / count as f64);
            let split = if i == count {
                rest.len()
            } else {
                rest.partition_point(|one| one.at < end)
            };
            let (batch, later) = rest.split_at(split);
            batches.push(batch);
            rest = later;
        }
        Self {
            all,
            stretches: batches,
            request_times,
            are_draws: false,
        }
    }

    /// Whether each batch is one draw of the streams' phases: within it nothing is independent.
    pub(super) fn are_draws(&self) -> bool {
        self.are_draws
    }

    /// Observations in one batch, on the average.
    pub(super) fn batch_size(&self) -> f64 {
        self.n() as f64 / self.stretches.len().max(1) as f64
    }

    /// Whether the window is long enough for a decision.
    pub(super) fn suffice(&self) -> bool {
        self.stretches.len() >= FEWEST
    }

    pub(super) fn all(&self) -> &[Observation] {
        self.all
    }

    /// Observations in one mean request time.
    pub(super) fn per_request_time(&self) -> f64 {
        self.n() as f64 / self.request_times.max(1.0)
    }

    pub(super) fn n(&self) -> usize {
        self.all.len()
    }

    pub(super) fn over(&self) -> usize {
        self.all.iter().filter(|one| one.over).count()
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.all.iter().filter_map(|one| one.value).collect()
    }

    /// Means of the batches' values; batches without a value are left out.
    pub(super) fn means(&self) -> Vec<f64> {
        self.stretches
            .iter()
            .filter_map(|batch| {
                let values: Vec<f64> = batch.iter().filter_map(|one| one.value).collect();
                crate::stats::mean(&values)
            })
            .collect()
    }

    /// An upper bound (90 %) of the autocorrelation time of the over-bound indicator, in
    /// observations, as far as it can be known.
    pub(super) fn autocorrelation(&self) -> f64 {
        let over = self.over();
        if over == 0 || over == self.n() {
            return CLEAN;
        }
        self.dispersion().map_or(FLOOR, |time| time.max(FLOOR))
    }

    /// Batch size × variance of batch shares / p(1−p), raised by its own noise to an upper bound
    /// (90 %), at least 1. `None` without batches, or where none or all are over.
    pub(super) fn dispersion(&self) -> Option<f64> {
        let n = self.n() as f64;
        let share = self.over() as f64 / n.max(1.0);
        let spread = share * (1.0 - share);
        if spread <= 0.0 || !self.suffice() {
            return None;
        }
        let shares: Vec<f64> = self
            .stretches
            .iter()
            .filter(|batch| !batch.is_empty())
            .map(|batch| batch.iter().filter(|one| one.over).count() as f64 / batch.len() as f64)
            .collect();
        let df = (shares.len() - 1) as f64;
        let size = n / shares.len() as f64;
        let time = size * variance(&shares)? / spread * df / chi2_quantile(0.10, df);
        Some(time.max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(overs: &[bool]) -> Vec<Observation> {
        let at = |i: usize| Offset::from_nanos(i as u64 * 10_000_000);
        overs
            .iter()
            .enumerate()
            .map(|(i, &over)| Observation {
                at: at(i),
                value: Some(1.0),
                over,
            })
            .collect()
    }

    fn cut(all: &[Observation], request_ms: u64) -> Batches<'_> {
        let end = Offset::from_nanos(all.len() as u64 * 10_000_000);
        Batches::cut(all, Offset::ZERO, end, Duration::from_millis(request_ms))
    }

    #[test]
    fn batches_are_at_least_one_request_time_and_hold_everything() {
        let all = series(&[false; 200]);
        assert_eq!(cut(&all, 100).stretches.len(), 20);
        assert_eq!(cut(&all, 200).stretches.len(), 10);
        assert!(!cut(&all, 400).suffice());
        assert_eq!(
            cut(&all, 200)
                .stretches
                .iter()
                .map(|batch| batch.len())
                .sum::<usize>(),
            200
        );
    }

    #[test]
    fn runs_of_bad_requests_raise_the_autocorrelation() {
        let scattered: Vec<bool> = (0..400).map(|i| i % 10 == 0).collect();
        let clumped: Vec<bool> = (0..400).map(|i| (i / 40) % 10 == 0).collect();
        let scattered = series(&scattered);
        let clumped = series(&clumped);
        assert!(cut(&scattered, 100).autocorrelation() < 2.0);
        assert!(cut(&clumped, 100).autocorrelation() > 10.0);
        let clean = series(&[false; 400]);
        assert!((cut(&clean, 100).autocorrelation() - CLEAN).abs() < 1e-12);
    }
}
