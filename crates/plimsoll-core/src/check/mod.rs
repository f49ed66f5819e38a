//! One load, held for long: does it hold, and what does it take? The model behind `plimsoll check`.

mod dry_run;
mod flow;
mod outcome;

use serde::{Deserialize, Serialize};

pub use dry_run::{CheckDryRun, LeastForCheck};
pub use flow::{Flow, Little, Thirds};
pub use outcome::CheckVerdict;

use crate::cause::cause_of;
use crate::level::{FinishedLevel, LevelSummary, Load, Reason};
use crate::preset::Preset;
use crate::run::{Environment, RunState, ServerInfo};
use crate::slo::Slo;
use crate::verdict::Cause;
use crate::workload::LengthLaw;

/// Version of the meaning of `check.json`.
pub const CHECK_SCHEMA_VERSION: u32 = 1;

/// What was asked for. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckPlan {
    /// The server's address as given, or `sim:PROFILE` for the built-in engine.
    pub target: String,
    /// The proxy on the way, without user and password.
    pub proxy: Option<String>,
    /// The goal that was chosen, if one was.
    pub preset: Option<Preset>,
    /// The objectives judged.
    pub slo: Slo,
    /// The load.
    pub load: Load,
    /// At most this many requests in flight, if the user said so; the rest waits in the client.
    pub most_in_flight: Option<u32>,
    /// Gamma shape of the gaps between arrivals, 1 is Poisson; `None` for constant gaps.
    pub burstiness: Option<f64>,
    /// Length of the window, s; at most, if `until_requests` is set.
    pub for_s: f64,
    /// The window ends when so many requests, at least, have ended in it, if this is set.
    pub until_requests: Option<u64>,
    /// Mean time that a stream waits before its next request, s; `None` if it sends at once.
    pub think_time_s: Option<f64>,
    /// Whether each of these waits is as long as the mean.
    pub think_time_is_fixed: bool,
    /// Name of the workload, if one was chosen.
    pub workload: Option<String>,
    /// Law of the prompts' lengths.
    pub input_len: LengthLaw,
    /// Law of the answers' lengths.
    pub output_len: LengthLaw,
    /// Time limit of one request, s.
    pub timeout_s: f64,
    /// Everything random comes from this.
    pub seed: u64,
}

/// A check: `check.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Check {
    /// Version of the meaning of this file.
    pub schema_version: u32,
    /// UTC time of the start, RFC 3339.
    pub started_utc: String,
    /// How it ended.
    pub state: RunState,
    /// What was asked for.
    pub plan: CheckPlan,
    /// The machine that drove the load.
    pub environment: Environment,
    /// The server.
    pub server: ServerInfo,
    /// The answer.
    pub verdict: CheckVerdict,
    /// What broke: an objective, or the growth of the number of requests.
    pub broken_by: Option<Reason>,
    /// Why it broke, as far as the server's signals tell.
    pub cause: Option<Cause>,
    /// The level.
    pub level: LevelSummary,
    /// How its requests went through the server; `None` if its window never began.
    pub flow: Option<Flow>,
}

impl Check {
    /// Judges a level that was held as planned, or as long as the user let it.
    pub fn of(
        plan: CheckPlan,
        (started_utc, environment, server): (String, Environment, ServerInfo),
        finished: &FinishedLevel,
        state: RunState,
    ) -> Self {
        let level = finished.summary.clone();
        let verdict = CheckVerdict::of(&level);
        let is_broken = matches!(verdict, CheckVerdict::Broken | CheckVerdict::Unstable);
        Self {
            schema_version: CHECK_SCHEMA_VERSION,
            started_utc,
            state,
            verdict,
            broken_by: level.reason.filter(|_| is_broken),
            cause: is_broken.then(|| cause_of(None, &level)).flatten(),
            flow: Flow::of(finished, plan.most_in_flight),
            plan,
            environment,
            server,
            level,
        }
    }
}

/// The JSON Schema of [`Check`].
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Check)
}
