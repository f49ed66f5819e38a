//! One load, held for long: does it hold, and what does it take? The model behind `plimsoll check`.

mod dry_run;
mod flow;
mod level;
mod outcome;

use serde::{Deserialize, Serialize};

pub use dry_run::{CheckDryRun, LeastForCheck, leaves};
pub use flow::{Flow, Little, Thirds};
pub use level::level;
pub use outcome::CheckVerdict;

use crate::cause::cause_of;
use crate::level::{FinishedLevel, LevelSummary, Reason};
use crate::run::{HoldPlan, Run};
use crate::verdict::Cause;

/// The answer of a load that was held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckAnswer {
    /// Whether it holds.
    pub verdict: CheckVerdict,
    /// What broke: an objective, or the growth of the number of requests.
    pub broken_by: Option<Reason>,
    /// Why it broke, as far as the server's signals tell.
    pub cause: Option<Cause>,
    /// How its requests went through the server; `None` if its window never began.
    pub flow: Option<Flow>,
}

impl CheckAnswer {
    /// Judges a level that was held as planned, or as long as the user let it.
    pub fn of(hold: &HoldPlan, finished: &FinishedLevel) -> Self {
        Self::of_level(&finished.summary, Flow::of(finished, hold.most_in_flight))
    }

    /// The answer of a level whose flow is known.
    pub fn of_level(level: &LevelSummary, flow: Option<Flow>) -> Self {
        let verdict = CheckVerdict::of(level);
        let is_broken = matches!(verdict, CheckVerdict::Broken | CheckVerdict::Unstable);
        Self {
            verdict,
            broken_by: level.reason.filter(|_| is_broken),
            cause: is_broken.then(|| cause_of(None, level)).flatten(),
            flow,
        }
    }
}

/// A run that held one load, looked at as that.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// The run.
    pub run: &'a Run,
    /// What was held.
    pub hold: &'a HoldPlan,
    /// The level.
    pub level: &'a LevelSummary,
    /// What it says.
    pub answer: &'a CheckAnswer,
}

impl<'a> Check<'a> {
    /// `None` of a search, and of a check that has no answer yet.
    pub fn of(run: &'a Run) -> Option<Self> {
        Some(Self {
            run,
            hold: run.plan.hold()?,
            level: run.levels.last()?,
            answer: run.check.as_ref()?,
        })
    }
}
