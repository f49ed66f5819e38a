//! The events of a run: `events.jsonl`.

use serde::{Deserialize, Serialize};

use super::{Environment, RunPlan, RunState, ServerInfo};
use crate::check::CheckAnswer;
use crate::level::{LevelSummary, Load, Purpose};
use crate::record::InFlight;
use crate::tier::TierVerdict;
use crate::verdict::Verdict;

/// What happens in a run, in order. The log, the progress line and the run file all follow it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run begins.
    RunStarted {
        /// Schema version of what follows.
        schema_version: u32,
        /// UTC time of the start, RFC 3339.
        started_utc: String,
        /// What was asked for.
        plan: Box<RunPlan>,
        /// The machine.
        environment: Environment,
        /// The server.
        server: Box<ServerInfo>,
    },
    /// A level begins.
    LevelStarted {
        /// Its index.
        index: u32,
        /// Why it is run.
        purpose: Purpose,
        /// What is put on the server.
        load: Load,
        /// Seconds since the run's start.
        at_s: f64,
    },
    /// A level is over.
    LevelFinished {
        /// What it says.
        level: Box<LevelSummary>,
        /// Requests that go on in the next level: what is known of them belongs to this one too.
        in_flight: Vec<InFlight>,
        /// CRC-32 (IEEE 802.3) of the lines of its requests; `None` where none are kept, and in runs
        /// of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requests_crc32: Option<u32>,
    },
    /// A level was interrupted: it was not held as planned, so it is kept and not judged. A run that
    /// is resumed runs it again.
    LevelCut {
        /// What it says.
        level: Box<LevelSummary>,
    },
    /// A run that was interrupted or killed goes on.
    Resumed {
        /// UTC time, RFC 3339.
        started_utc: String,
        /// Where its clock goes on: seconds since the run's start, without the time between.
        at_s: f64,
        /// The next level; what there was of it is dropped.
        next_level: u32,
        /// No request from here on has a lower number than this, and none before had a higher one.
        first_request: u64,
        /// Time for the whole search from here on, s; `None` where it is as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget_s: Option<f64>,
    },
    /// A search is over.
    RunFinished {
        /// How.
        state: RunState,
        /// The answer; with tiers that of the first.
        verdict: Box<Verdict>,
        /// The answers of all tiers; empty where there are none.
        tiers: Vec<TierVerdict>,
    },
    /// A load was held to its end.
    CheckFinished {
        /// How.
        state: RunState,
        /// The answer.
        answer: Box<CheckAnswer>,
    },
}
