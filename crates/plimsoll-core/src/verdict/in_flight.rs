//! How many are in flight when independent users send at a rate: a birth-death chain whose
//! completion rate with n in flight is the throughput measured with n streams (the flow-equivalent
//! server of Chandy, Herzog & Woo 1975).
//!
//! Where throughput still grows with n this is the Poisson law of the planned mean. Where it has
//! stopped growing, requests queue, and far less than the planned mean is safe.

/// States whose weight, beside the largest, is below this no longer count.
const NEGLIGIBLE: f64 = -40.0;
/// A chain that has not faded after this many states beyond its cap does not fade.
const MOST_STATES: u32 = 100_000;

/// What a rate makes of the number in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct InFlightAt {
    /// Requests per second.
    pub(super) request_per_s: f64,
    /// Mean number in flight.
    pub(super) mean_streams: f64,
    /// Share of the time that more than the cap are in flight, 0..1.
    pub(super) exceeds_cap_ratio: f64,
}

/// The largest rate at which more than `cap` are in flight for a share `exceed` of the time at most;
/// `completions` is the throughput with so many in flight, per second, for 1 to `cap`. `cap` is at
/// least 1.
pub(super) fn at_largest_rate(
    cap: u32,
    exceed: f64,
    completions: &dyn Fn(u32) -> f64,
) -> Option<InFlightAt> {
    let (mut low, mut high) = (0.0, completions(cap));
    let mut found = None;
    for _ in 0..40 {
        let rate = f64::midpoint(low, high);
        match at_rate(cap, rate, completions) {
            Some(at) if at.exceeds_cap_ratio <= exceed => {
                found = Some(at);
                low = rate;
            }
            _ => high = rate,
        }
    }
    found
}

/// The number in flight at a rate; `None` where the queue grows without end.
pub(super) fn at_rate(
    cap: u32,
    request_per_s: f64,
    completions: &dyn Fn(u32) -> f64,
) -> Option<InFlightAt> {
    let at_cap = completions(cap);
    // Beyond the cap throughput goes on as it came there, and never falls.
    let slope = if cap > 1 {
        (at_cap - completions(cap - 1)).max(0.0)
    } else {
        at_cap
    };
    let mut weight = 0.0_f64;
    let mut weights = vec![weight];
    let mut largest = weight;
    for n in 1..=cap.saturating_add(MOST_STATES) {
        let rate = if n <= cap {
            completions(n)
        } else {
            at_cap + slope * f64::from(n - cap)
        };
        weight += (request_per_s / rate).ln();
        largest = largest.max(weight);
        weights.push(weight);
        if n > cap && request_per_s < rate && weight - largest < NEGLIGIBLE {
            return Some(summed(cap, request_per_s, &weights, largest));
        }
    }
    None
}

/// Mean and tail of states whose weights are logarithms.
fn summed(cap: u32, request_per_s: f64, weights: &[f64], largest: f64) -> InFlightAt {
    let (mut all, mut mean, mut over) = (0.0, 0.0, 0.0);
    for (n, weight) in (0u32..).zip(weights) {
        let share = (weight - largest).exp();
        all += share;
        mean += share * f64::from(n);
        if n > cap {
            over += share;
        }
    }
    InFlightAt {
        request_per_s,
        mean_streams: mean / all,
        exceeds_cap_ratio: over / all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{largest_mean_within, poisson_exceeds};

    /// Without queueing the number in flight is Poisson, whatever the law of the request time.
    #[test]
    fn a_server_that_never_queues_is_poisson() {
        for cap in [8, 46, 200] {
            let at = at_largest_rate(cap, 0.01, &|n| f64::from(n) / 2.0).unwrap();
            let mean = largest_mean_within(cap, 0.01);
            assert!((at.mean_streams / mean - 1.0).abs() < 1e-6, "{cap}: {at:?}");
            assert!((at.request_per_s - mean / 2.0).abs() < 1e-6);
            assert!((at.exceeds_cap_ratio - poisson_exceeds(cap, mean)).abs() < 1e-6);
        }
    }

    /// One server (M/M/1): more than n are in the system ρ^(n+1) of the time, ρ/(1−ρ) on average.
    #[test]
    fn a_single_server_is_geometric() {
        let at = at_largest_rate(9, 0.01, &|_| 5.0).unwrap();
        let load = 0.01_f64.powf(0.1);
        assert!(
            (at.request_per_s / (5.0 * load) - 1.0).abs() < 1e-6,
            "{at:?}"
        );
        assert!((at.mean_streams / (load / (1.0 - load)) - 1.0).abs() < 1e-6);
    }

    /// 24 servers (M/M/24), by its balance equations summed to 3,000 states: at 20.5328 a second
    /// more than 46 are in the system 1 % of the time, and 22.6758 on the average. The Poisson law
    /// would have 32.
    #[test]
    fn a_server_that_queues_below_its_cap_carries_less() {
        let at = at_largest_rate(46, 0.01, &|n| f64::from(n.min(24))).unwrap();
        assert!((at.request_per_s - 20.5328).abs() < 1e-3, "{at:?}");
        assert!((at.mean_streams - 22.6758).abs() < 1e-3, "{at:?}");
    }
}
