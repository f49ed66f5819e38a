//! The answer of a search, as data. Sentences are made from it by the renderers.

mod broken;
mod cause;
mod in_flight;
mod more_time;
mod planned;
mod recommended;
mod request_times;
mod waiting;

pub use broken::BrokenBy;
pub use cause::{Cause, CauseDetail, CauseKind};
pub use more_time::more_time;
pub use planned::{EXCEED, PlannedMean, exceed_ratio};
pub use recommended::Recommended;
pub use request_times::{Operating, RequestTimes};
use serde::{Deserialize, Serialize};

use crate::level::{LevelVerdict, Load};
use crate::scaling::Scaling;
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
    /// Upper end; `None` where nothing above broke, or where it lies above the highest load allowed.
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

impl VerdictKind {
    /// Whether a verdict of this kind says what is carried.
    pub fn is_answer(self) -> bool {
        !matches!(
            self,
            Self::BelowFirst | Self::ServerGone | Self::Inconclusive
        )
    }
}

impl Verdict {
    /// The capacity as something to print: none where the kind of the verdict is no answer, as some
    /// runs of earlier versions have it.
    pub fn answer(&self) -> Option<Capacity> {
        self.capacity.filter(|_| self.kind.is_answer())
    }
}
