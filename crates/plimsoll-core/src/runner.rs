//! The seam between the search and whatever carries its load: sockets, or a model in virtual time.

use crate::level::{FinishedLevel, Level, LevelPlan};
use crate::record::RequestTrace;
use crate::slo::Slo;
use crate::time::Offset;

/// What a listener may show while a level runs.
pub struct Progress<'a> {
    /// As far as it has come.
    pub level: &'a Level,
    /// Now.
    pub now: Offset,
    /// Requests that ended since the last time, in the order they were told: each is told once, and
    /// all of a level before it ends. The level itself keeps their records alone. A runner that makes
    /// no traces tells of none.
    pub ended: &'a [RequestTrace],
}

/// Whether the user wants to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Go on.
    On,
    /// End the level now and stop.
    Stop,
}

/// Carries one level after another without draining between them.
pub trait Runner {
    /// Why a level could not be carried.
    type Error;

    /// The time on the run's clock.
    fn now(&self) -> Offset;

    /// Runs a level to its end. `on_progress` is called several times a second.
    ///
    /// # Errors
    /// The load cannot be carried at all; requests that fail are data, not errors.
    fn run_level(
        &mut self,
        plan: LevelPlan,
        slo: &Slo,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Go,
    ) -> Result<FinishedLevel, Self::Error>;
}
