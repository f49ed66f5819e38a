//! Why it broke, as data.

use serde::{Deserialize, Serialize};

use crate::level::Reason;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cause {
    /// Which limit.
    pub kind: CauseKind,
    /// The figures behind it.
    pub detail: Option<CauseDetail>,
    /// Whether the server's own metrics say so, or the latencies alone.
    pub from_metrics: bool,
}

/// The figures behind a cause, at the load that broke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CauseDetail {
    /// Why the level is void.
    Void {
        /// The level's own reason.
        reason: Reason,
    },
    /// Requests were refused with 429.
    Refused {
        /// How many.
        refused: u64,
        /// Of so many that ended.
        of: u64,
    },
    /// Requests failed.
    Failed {
        /// How many.
        failed: u64,
        /// Of so many that ended.
        of: u64,
        /// The commonest way, as a key of the outcomes.
        most_by: String,
        /// How many failed that way.
        most: u64,
    },
    /// The engine preempts.
    Preemptions {
        /// How often, per minute.
        per_min: f64,
    },
    /// Requests wait for room in the KV cache.
    WaitForCache {
        /// How many on the average.
        waiting: f64,
    },
    /// Requests wait for a place in the batch.
    Queue {
        /// The most that ran at once.
        running: f64,
        /// How many waited on the average.
        waiting: f64,
    },
    /// How latencies grew from the highest load that held to the one that broke.
    Latencies {
        /// p95 of TTFT at the one over that at the other.
        ttft_p95_ratio: f64,
        /// The same of the mean TPOT.
        tpot_ratio: f64,
        /// The same of the load itself.
        load_ratio: f64,
    },
}
