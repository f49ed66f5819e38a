//! Those who carry the load of a level, seen by the one who steps it.
//!
//! What crosses this seam is plain data, in both directions: a level with when it starts, events of
//! requests, counts that add up. Which requests a worker sends, and when, follows from its
//! [`Assignment`](plimsoll_core::level::Assignment). So it does not matter whether workers are
//! threads of this process or processes on other machines; threads are the one implementation.

mod steal;
mod threads;

use plimsoll_core::level::LevelPlan;
use plimsoll_core::record::LoadEvent;
use plimsoll_core::time::Offset;

pub use crate::stats::WorkerStats;
pub use crate::worker::Command;
pub(crate) use steal::Steal;
pub use threads::{CrewOptions, ThreadCrew};

/// Workers that together carry one level after another.
pub trait Crew {
    /// Why the load cannot be carried.
    type Error;

    /// The time on the run's clock, on which all stamps of all workers are.
    fn now(&self) -> Offset;

    /// Has every worker go over to a level that starts at `from`. What is in flight goes on.
    ///
    /// # Errors
    /// A worker is gone.
    fn go_over_to(&mut self, plan: &LevelPlan, from: Offset) -> Result<(), Self::Error>;

    /// Waits for the next event; `None` once it is `until`. Events of one request come in their order.
    ///
    /// # Errors
    /// A worker is gone.
    fn next_event(&mut self, until: Offset) -> Result<Option<LoadEvent>, Self::Error>;

    /// What all workers together have counted since this was last asked.
    ///
    /// # Errors
    /// A worker is gone.
    fn take_stats(&mut self) -> Result<WorkerStats, Self::Error>;

    /// Cuts what is in flight, ends the workers, and gives the events of the last requests.
    fn stop(self) -> Vec<LoadEvent>;
}
