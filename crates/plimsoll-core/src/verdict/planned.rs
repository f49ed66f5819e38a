//! The mean number in flight to plan for, by the number of users alone (statistics.md §7).

use serde::{Deserialize, Serialize};

use crate::slo::{Metric, Objective, Slo};
use crate::stats::{largest_mean_within, poisson_exceeds};

/// In-flight exceeds the gateway cap this share of the time at the planned mean, at most.
pub const EXCEED: f64 = 0.01;
/// … and at most this part of the share of requests that an objective allows over its bound: whoever
/// arrives while more than the cap is in flight may miss it, beside those that do so below the cap.
const PART_OF_ALLOWED: f64 = 0.2;
/// More in flight than this belongs into no single pool, and is not looked for.
const MOST_IN_FLIGHT: f64 = 1e6;

/// How much of the time more than the cap may be in flight, 0..1: 1 %, and less where an objective
/// on latencies allows less than 5 % of the requests over its bound.
pub fn exceed_ratio(slo: &Slo) -> f64 {
    let latencies = slo.0.iter().filter(|one| one.metric != Metric::Success);
    let allowed = latencies.filter_map(Objective::allowed_share);
    allowed.fold(EXCEED, |least, share| least.min(share * PART_OF_ALLOWED))
}

/// The mean number in flight to plan for (statistics.md §7).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedMean {
    /// Mean number of streams in flight.
    pub streams: f64,
    /// As a share of the gateway cap, 0..1.
    pub cap_ratio: f64,
    /// Share of the time that in-flight exceeds the cap, if users arrive like Poisson, 0..1.
    pub exceeds_cap_ratio: f64,
}

impl PlannedMean {
    /// The smaller of the headroom's share of `cap` and the mean that exceeds `cap` for a share
    /// `exceed` of the time, rounded down to what is said. `cap` is at least 1.
    pub fn within(cap: u32, headroom_ratio: f64, exceed: f64) -> Self {
        let mean = (f64::from(cap) * headroom_ratio).min(largest_mean_within(cap, exceed));
        let streams = rounded_down(mean);
        Self {
            streams,
            cap_ratio: streams / f64::from(cap),
            exceeds_cap_ratio: poisson_exceeds(cap, streams),
        }
    }

    /// The smallest cap whose planned mean is `mean` or more; `None` above a million in flight.
    pub fn least_cap(mean: f64, headroom_ratio: f64, exceed: f64) -> Option<u32> {
        // As finely as the planned mean is stated; the difference below is the rounding of floats.
        let scale = if mean > 9.9 { 1.0 } else { stated_scale(mean) };
        let mean = (mean * scale - 1e-9).ceil() / scale;
        if mean.is_nan() || mean > MOST_IN_FLIGHT {
            return None;
        }
        let first = ((mean / headroom_ratio) - 1e-9).ceil().max(1.0) as u32;
        let enough = |cap: u32| poisson_exceeds(cap, mean) <= exceed;
        if enough(first) {
            return Some(first);
        }
        // A Poisson number is below its mean plus ten of its deviations in all cases but one of
        // millions.
        let (mut low, mut high) = (first, first + (10.0 * mean.sqrt()).ceil() as u32 + 10);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if enough(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(high)
    }
}

/// A mean as it is stated: whole from 10 on, else to a tenth; below 1 to a hundredth, so that a
/// small one does not become none.
pub(super) fn rounded_down(mean: f64) -> f64 {
    let scale = stated_scale(mean);
    // The difference is the rounding of floats.
    (mean * scale + 1e-9).floor() / scale
}

/// How many steps a mean of this size is stated in, for each 1.
fn stated_scale(mean: f64) -> f64 {
    match mean {
        10.0.. => 1.0,
        1.0..10.0 => 10.0,
        _ => 100.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_planned_mean_keeps_in_flight_below_the_cap() {
        for (cap, planned) in [(8, 3.5), (48, 34.0), (200, 150.0)] {
            let mean = PlannedMean::within(cap, 0.75, EXCEED);
            assert!((mean.streams - planned).abs() < 0.2, "{cap}: {mean:?}");
            assert!(mean.exceeds_cap_ratio <= 0.0101);
        }
    }

    #[test]
    fn a_stricter_objective_leaves_less_time_above_the_cap() {
        for (slo, exceed) in [
            ("ttft p95 <= 1s", 0.01),
            ("ttft p90 <= 1s", 0.01),
            ("ttft p99 <= 1s, tpot p95 <= 50ms", 0.002),
            ("goodput >= 99.9%, ttft p95 <= 1s", 0.000_2),
            // Whether a request fails does not hang on how long it waits.
            ("success >= 99.9%, ttft mean <= 1s", 0.01),
        ] {
            let found = exceed_ratio(&slo.parse().unwrap());
            assert!((found - exceed).abs() < 1e-9, "{slo}: {found}");
        }
        let mean = PlannedMean::within(48, 0.75, 0.002);
        assert!(
            mean.streams < 34.0 && mean.exceeds_cap_ratio <= 0.002,
            "{mean:?}"
        );
    }

    #[test]
    fn a_small_mean_does_not_become_none() {
        assert!(PlannedMean::within(1, 0.75, 0.002).streams > 0.0);
        for (mean, stated) in [(34.9, 34.0), (9.99, 9.9), (0.067, 0.06), (3.5, 3.5)] {
            assert!((rounded_down(mean) - stated).abs() < 1e-12, "{mean}");
        }
    }

    #[test]
    fn more_than_a_pool_holds_has_no_cap() {
        assert_eq!(PlannedMean::least_cap(2e6, 0.75, EXCEED), None);
        assert_eq!(PlannedMean::least_cap(3e5, 0.75, EXCEED), Some(400_000));
    }

    proptest! {
        #[test]
        fn the_least_cap_is_the_first_whose_planned_mean_is_enough(
            tenths in 1..4_000u32, finer: bool, headroom in 0.2..1.0f64, is_strict: bool,
        ) {
            let mean = f64::from(tenths) / if finer { 100.0 } else { 10.0 };
            let exceed = if is_strict { 0.002 } else { EXCEED };
            let cap = PlannedMean::least_cap(mean, headroom, exceed).unwrap();
            prop_assert!(PlannedMean::within(cap, headroom, exceed).streams >= mean - 1e-6);
            if cap > 1 {
                prop_assert!(PlannedMean::within(cap - 1, headroom, exceed).streams < mean);
            }
        }
    }
}
