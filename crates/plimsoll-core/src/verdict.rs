//! The answer of a search, as data. Sentences are made from it by the renderers.

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

/// The largest load such that every load up to it meets the SLO, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Capacity {
    /// The estimate, in concurrent streams: the likeliest.
    pub streams: u32,
    /// Lower end of the interval.
    pub lower: u32,
    /// Upper end; `None` where nothing above broke.
    pub upper: Option<u32>,
}

/// The largest arrival rate such that every rate up to it meets the SLO, with its 95 % interval.
/// At most 97 % of the rate that the server surely reaches (statistics.md §8).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RateCapacity {
    /// The estimate, arrivals per second.
    pub per_s: f64,
    /// Lower end of the interval.
    pub lower_per_s: f64,
    /// Upper end; `None` where nothing above broke.
    pub upper_per_s: Option<f64>,
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

/// A recommended number of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recommended {
    /// Concurrent streams.
    pub streams: u32,
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

/// Which limit binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// `running` stays at the engine's cap while requests wait.
    SequenceCap,
    /// The KV cache is full.
    KvCache,
    /// TTFT grows, TPOT does not: requests wait for a slot or for their prefill.
    QueueOrPrefill,
    /// TPOT grows with the load.
    Decode,
    /// The server refuses with 429.
    RateLimit,
    /// Requests fail in another way; the detail names the commonest.
    Failures,
    /// The load generator itself.
    Client,
}

/// Why it broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cause {
    /// Which limit.
    pub kind: CauseKind,
    /// The figures behind it.
    pub detail: Option<String>,
    /// Whether the server's own metrics say so, or the latencies alone.
    pub from_metrics: bool,
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
    /// edge lies between two loads that were not held for them.
    NotRefined {
        /// The largest load below it that is not broken; `None` where there is none.
        low: Option<Load>,
        /// The lowest load that breaks; `None` where none does.
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

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// What kind of answer it is.
    pub kind: VerdictKind,
    /// The capacity; `None` where there is none to state.
    pub capacity: Option<Capacity>,
    /// The capacity as a rate, where a rate was searched for.
    pub rate: Option<RateCapacity>,
    /// Beyond it, queue or shed: the lower end of the interval.
    pub gateway_cap: Option<Recommended>,
    /// Mean number in flight to plan for.
    pub planned_mean: Option<PlannedMean>,
    /// Arrivals per second to plan for, where a rate was searched for.
    pub planned_rate_per_s: Option<f64>,
    /// Completions per second that the server brings at most, where it was measured.
    pub saturation_rate_per_s: Option<f64>,
    /// How steep the edge is.
    pub edge: Option<EdgeShape>,
    /// What the hold at the gateway cap showed.
    pub confirmed: Option<Confirmed>,
    /// The first objective or rule that broke.
    pub broken_by: Option<String>,
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
    /// The answer in one sentence, in the run's language.
    pub sentence: String,
}
