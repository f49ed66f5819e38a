//! How long independent arrivals wait at a server whose throughput has an end, by Erlang's queue
//! (M/M/c, Erlang 1917).
//!
//! Streams that wait send nothing, so that a closed loop calms its own queue; arrivals of
//! independent users come in bursts. Where one prefill follows the other, more of them wait than the
//! number in flight tells: at the same mean, and below the cap. The *places* of the queue are the
//! requests that the highest throughput measured would hold if each took as long as at the lowest
//! load. Both ends err on the safe side: request times scatter less than exponential ones, and a
//! throughput that still grew is taken for its end.

use crate::level::LevelSummary;
use crate::slo::{Metric, Objective, Op, Stat};

/// Halvings of the rate: to a millionth of the throughput.
const HALVINGS: u32 = 20;

/// What an objective leaves for waiting.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Patience {
    /// Its bound beyond what the metric is at the lowest load, s; above 0.
    slack_s: f64,
    /// Share of requests that may wait longer; `None` where the mean is bounded.
    allowed: Option<f64>,
}

impl Patience {
    /// Of the objectives on metrics that begin with the request, by the lowest load.
    fn of(lowest: &LevelSummary) -> Vec<Self> {
        let minds_waiting = |objective: &Objective| {
            matches!(objective.metric, Metric::Ttft | Metric::E2e) && objective.op == Op::AtMost
        };
        let results = lowest.objectives.iter();
        results
            .filter(|one| minds_waiting(&one.objective))
            .filter_map(|one| {
                let slack_s = (one.objective.bound - one.value?) / 1e3;
                let allowed = match one.objective.stat {
                    Stat::Mean => None,
                    Stat::Ratio | Stat::Quantile(_) => Some(one.objective.allowed_share()?),
                };
                (slack_s > 0.0).then_some(Self { slack_s, allowed })
            })
            .collect()
    }
}

/// A server as a queue before places that are all the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Queue {
    places: u32,
    /// Completions per second where all places are taken.
    most_per_s: f64,
    patience: Vec<Patience>,
}

impl Queue {
    /// `lowest` is the level of the lowest load, with a mean request time of `time_s`; `most_per_s`
    /// the highest throughput of all.
    pub(super) fn of(lowest: &LevelSummary, time_s: f64, most_per_s: f64) -> Self {
        Self {
            places: (most_per_s * time_s).round().max(1.0) as u32,
            most_per_s,
            patience: Patience::of(lowest),
        }
    }

    /// The largest rate of arrivals, per second, at which no objective runs out of patience.
    pub(super) fn largest_rate_per_s(&self) -> f64 {
        if self.patience.is_empty() {
            return self.most_per_s;
        }
        let (mut low, mut high) = (0.0, self.most_per_s);
        for _ in 0..HALVINGS {
            let rate = f64::midpoint(low, high);
            if self.patience.iter().all(|one| self.keeps(rate, *one)) {
                low = rate;
            } else {
                high = rate;
            }
        }
        low
    }

    fn keeps(&self, request_per_s: f64, patience: Patience) -> bool {
        let spare_per_s = self.most_per_s - request_per_s;
        let waits = self.waits(request_per_s);
        match patience.allowed {
            Some(allowed) => waits * (-spare_per_s * patience.slack_s).exp() <= allowed,
            None => waits / spare_per_s <= patience.slack_s,
        }
    }

    /// The share of arrivals that find all places taken (Erlang's C), by the recursion of his B.
    fn waits(&self, request_per_s: f64) -> f64 {
        let load = request_per_s / self.most_per_s;
        let offered = load * f64::from(self.places);
        let blocked = (1..=self.places).fold(1.0, |blocked, n| {
            offered * blocked / (f64::from(n) + offered * blocked)
        });
        blocked / (1.0 - load * (1.0 - blocked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::level;

    fn queue(places: u32, patience: Patience) -> Queue {
        Queue {
            places,
            most_per_s: 10.0,
            patience: vec![patience],
        }
    }

    /// Erlang's C as tabled (Gross et al. 2008, §2.3): one place ρ, two places 2ρ²/(1+ρ), and ten
    /// places with eight of them taken on the average 0.4092.
    #[test]
    fn arrivals_wait_as_erlang_found() {
        let waits = |places, load: f64| {
            let patience = Patience {
                slack_s: 1.0,
                allowed: None,
            };
            queue(places, patience).waits(10.0 * load)
        };
        for load in [0.1, 0.5, 0.9_f64] {
            assert!((waits(1, load) - load).abs() < 1e-12);
            assert!((waits(2, load) - 2.0 * load * load / (1.0 + load)).abs() < 1e-12);
        }
        assert!((waits(10, 0.8) - 0.4092).abs() < 1e-4);
    }

    /// One place, ten a second: at rate λ more than t wait λ/10·exp(−(10−λ)t) of the time, and
    /// λ/(10(10−λ)) s on the average.
    #[test]
    fn the_largest_rate_is_where_patience_ends() {
        let share = Patience {
            slack_s: 0.5,
            allowed: Some(0.05),
        };
        let rate = queue(1, share).largest_rate_per_s();
        assert!((rate / 10.0 * (-(10.0 - rate) * 0.5).exp() - 0.05).abs() < 1e-4);
        let mean = Patience {
            slack_s: 0.4,
            allowed: None,
        };
        assert!((queue(1, mean).largest_rate_per_s() - 8.0).abs() < 1e-4);
    }

    #[test]
    fn only_objectives_that_begin_with_the_request_mind_waiting() {
        let patience = |objective: &str, value: f64| {
            let mut lowest = level(1, 0, 300);
            lowest.objectives[0].objective = objective.parse().unwrap();
            lowest.objectives[0].value = Some(value);
            Queue::of(&lowest, 1.0, 5.0).patience
        };
        let ttft = patience("ttft p95 <= 1s", 200.0);
        assert!((ttft[0].slack_s - 0.8).abs() < 1e-12);
        assert!((ttft[0].allowed.unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(patience("e2e mean <= 3s", 1_000.0)[0].allowed, None);
        for other in ["tpot p95 <= 50ms", "success >= 99%", "speed p5 >= 20"] {
            assert_eq!(patience(other, 10.0), []);
        }
        // One stream alone does not keep it: that says nothing of a queue.
        assert_eq!(patience("ttft p95 <= 1s", 1_200.0), []);
    }
}
