//! The answer of a search, as data. Sentences are made from it by the renderers.

mod broken;
mod cause;

pub use broken::BrokenBy;
pub use cause::{Cause, CauseDetail, CauseKind};
use serde::{Deserialize, Serialize};

use crate::level::{LevelVerdict, Load};
use crate::scaling::Scaling;
use crate::stats::{largest_mean_within, poisson_exceeds};

/// In-flight exceeds the gateway cap this share of the time at the planned mean, at most.
const EXCEED: f64 = 0.01;
/// More in flight than this belongs into no single pool, and is not looked for.
const MOST_IN_FLIGHT: f64 = 1e6;
use crate::slo::Objective;

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The largest load within the SLO, with the load above it that breaks it.
    Capacity,
    /// More streams bring no more throughput, and nothing else broke before.
    DiminishingReturns,
    /// The batch is full: more streams only wait, and the SLO does not mind.
    FullBatch,
    /// A load breaks below one that holds, both seen twice.
    NotMonotone,
    /// The server ran out of KV cache and preempts.
    ResourcesExhausted,
    /// Even the first level breaks the SLO.
    BelowFirst,
    /// Nothing broke up to the last level.
    AboveLast,
    /// The client is the limit; the server's lies above.
    ClientLimited,
    /// The server takes no connections any more: it fell, or something in front of it did.
    ServerGone,
    /// The time was over, or the data do not decide.
    Inconclusive,
}

/// The largest load such that every load up to it meets the SLO, with its 95 % interval. A rate is
/// at most 97 % of what the server surely reaches (statistics.md §8).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Capacity {
    /// The estimate: the likeliest. All loads here are of one kind.
    pub at: Load,
    /// Lower end of the interval; no load at all where not even the lowest is sure.
    pub lower: Load,
    /// Upper end; `None` where nothing above broke.
    pub upper: Option<Load>,
}

/// How much depends on the capacity being right: what the metric does there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EdgeShape {
    /// The objective that breaks first.
    pub objective: Objective,
    /// Change of its metric for 5 % more load, as a ratio: 0.01 is 1 %.
    pub change_for_5_percent_ratio: f64,
}

/// The hold at the gateway cap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Confirmed {
    /// The load that was held.
    pub load: Load,
    /// For how long, s.
    pub held_s: f64,
    /// Requests that ended.
    pub requests: u64,
    /// What it says: pass, fail, or not contradicted.
    pub verdict: LevelVerdict,
    /// Whether its latencies moved from the first to the last third.
    pub drifts: bool,
}

/// What to set in production.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recommended {
    /// Beyond it, queue or shed: requests in flight for a gateway, or arrivals per second. The lower
    /// end of the interval.
    pub cap: Load,
    /// Mean load to plan for, in the unit of the cap.
    pub mean_amount: f64,
    /// The mean as a share of the cap, 0..1.
    pub mean_cap_ratio: f64,
    /// Share of the time that in-flight exceeds the cap at that mean, if users arrive like Poisson,
    /// 0..1; `None` of a rate, which says nothing of what is in flight.
    pub exceeds_cap_ratio: Option<f64>,
}

impl Recommended {
    /// By the headroom, and for requests in flight by how they scatter as well. `cap` is some load.
    pub fn within(cap: Load, headroom_ratio: f64) -> Self {
        match cap {
            Load::Streams(streams) => {
                let mean = PlannedMean::within(streams, headroom_ratio);
                Self {
                    cap,
                    mean_amount: mean.streams,
                    mean_cap_ratio: mean.cap_ratio,
                    exceeds_cap_ratio: Some(mean.exceeds_cap_ratio),
                }
            }
            Load::RatePerS(rate) => {
                let mean = cap.axis().rounded_down(rate * headroom_ratio);
                Self {
                    cap,
                    mean_amount: mean,
                    mean_cap_ratio: mean / rate,
                    exceeds_cap_ratio: None,
                }
            }
        }
    }
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
    /// The smaller of the headroom's share of `cap` and the mean that exceeds `cap` 1 % of the time;
    /// rounded down, to a tenth below 10. `cap` is at least 1.
    pub fn within(cap: u32, headroom_ratio: f64) -> Self {
        let mean = (f64::from(cap) * headroom_ratio).min(largest_mean_within(cap, EXCEED));
        let streams = if mean >= 10.0 {
            mean.floor()
        } else {
            (mean * 10.0).floor() / 10.0
        };
        Self {
            streams,
            cap_ratio: streams / f64::from(cap),
            exceeds_cap_ratio: poisson_exceeds(cap, streams),
        }
    }

    /// The smallest cap whose planned mean is `mean` or more; `None` above a million in flight.
    pub fn least_cap(mean: f64, headroom_ratio: f64) -> Option<u32> {
        // As finely as the planned mean is stated; the difference below is the rounding of floats.
        let mean = if mean > 9.9 {
            (mean - 1e-9).ceil()
        } else {
            ((mean * 10.0) - 1e-9).ceil() / 10.0
        };
        if mean.is_nan() || mean > MOST_IN_FLIGHT {
            return None;
        }
        let first = ((mean / headroom_ratio) - 1e-9).ceil().max(1.0) as u32;
        let enough = |cap: u32| poisson_exceeds(cap, mean) <= EXCEED;
        if enough(first) {
            return Some(first);
        }
        // A Poisson number is below its mean plus five of its deviations in 99 % of all cases.
        let (mut low, mut high) = (first, first + (5.0 * mean.sqrt()).ceil() as u32 + 5);
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

/// Something the reader must know beside the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// From this load on throughput grows less than the bound per doubling.
    DiminishingReturns {
        /// Concurrent streams.
        from_streams: u32,
    },
    /// A load passed above one that failed.
    NotMonotone {
        /// The load that failed.
        failed: Load,
        /// The load above it that passed.
        passed: Load,
    },
    /// The same loads broke more often when entered from one side: the server remembers.
    Hysteresis {
        /// Whether from above.
        worse_from_above: bool,
    },
    /// The search ended by its time budget.
    BudgetSpent,
    /// The search was interrupted; what it had is reported.
    Interrupted,
    /// A run was judged again, and the search would have run more levels for these objectives: the
    /// edge lies within an interval, or between two loads, that were not held for them.
    NotRefined {
        /// The lower end, or the largest load below it that is not broken; `None` where there is none.
        low: Option<Load>,
        /// The upper end, or the lowest load that breaks; `None` where none does.
        high: Option<Load>,
    },
    /// The server does not report token usage: tokens are counted by events.
    NoUsage,
    /// The server does not honour the output length: answers are shorter than asked.
    ShortAnswers,
    /// Prompts are text whose length was calibrated, not token ids.
    CalibratedPrompts,
    /// The server offers no metrics that are known here.
    NoServerMetrics,
    /// Between one stream and this many nothing was tested.
    StartedAt {
        /// Concurrent streams.
        streams: u32,
    },
}

/// What a search found: how much is carried, what broke, what to set, and what is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// What kind of answer it is.
    pub kind: VerdictKind,
    /// The capacity; `None` where there is none to state.
    pub capacity: Option<Capacity>,
    /// What to set in production; `None` where nothing can be advised, as of users, for a gateway
    /// counts requests in flight.
    pub recommended: Option<Recommended>,
    /// Completions per second that the server brings at most, where it was measured.
    pub saturation_rate_per_s: Option<f64>,
    /// How steep the edge is.
    pub edge: Option<EdgeShape>,
    /// What the hold at the gateway cap showed.
    pub confirmed: Option<Confirmed>,
    /// The first objective or rule that broke.
    pub broken_by: Option<BrokenBy>,
    /// The load at which it broke.
    pub broken_at: Option<Load>,
    /// Why.
    pub cause: Option<Cause>,
    /// How throughput follows the load: growth, knees, and a law fitted for the picture.
    pub scaling: Scaling,
    /// Completed requests per second at the capacity.
    pub request_per_s: Option<f64>,
    /// Output tokens per second at the capacity.
    pub output_tokens_per_s: Option<f64>,
    /// What else the reader must know.
    pub notes: Vec<Note>,
    /// Time under load, s.
    pub load_time_s: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_planned_mean_keeps_in_flight_below_the_cap() {
        for (cap, planned) in [(8, 3.5), (48, 34.0), (200, 150.0)] {
            let mean = PlannedMean::within(cap, 0.75);
            assert!((mean.streams - planned).abs() < 0.2, "{cap}: {mean:?}");
            assert!(mean.exceeds_cap_ratio <= 0.0101);
        }
    }

    #[test]
    fn a_rate_is_planned_with_headroom_and_says_nothing_of_what_is_in_flight() {
        let advice = Recommended::within(Load::RatePerS(20.0), 0.75);
        assert!(
            advice.mean_amount <= 15.0 && advice.mean_amount > 14.8,
            "{advice:?}"
        );
        assert!((advice.mean_cap_ratio - advice.mean_amount / 20.0).abs() < 1e-12);
        assert_eq!(advice.exceeds_cap_ratio, None);
    }

    #[test]
    fn more_than_a_pool_holds_has_no_cap() {
        assert_eq!(PlannedMean::least_cap(2e6, 0.75), None);
        assert_eq!(PlannedMean::least_cap(3e5, 0.75), Some(400_000));
    }

    proptest! {
        #[test]
        fn the_least_cap_is_the_first_whose_planned_mean_is_enough(
            tenths in 1..4_000u32, headroom in 0.2..1.0f64,
        ) {
            let mean = f64::from(tenths) / 10.0;
            let cap = PlannedMean::least_cap(mean, headroom).unwrap();
            prop_assert!(PlannedMean::within(cap, headroom).streams >= mean - 1e-6);
            if cap > 1 {
                prop_assert!(PlannedMean::within(cap - 1, headroom).streams < mean);
            }
        }
    }
}
