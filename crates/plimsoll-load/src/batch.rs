//! A fixed number of requests on a schedule, under an optional cap: what `bench serve` runs.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::record::RequestRecord;
use plimsoll_core::runner::Go;
use plimsoll_core::time::Offset;

use crate::clock::Clock;
use crate::error::LoadError;
use crate::source::RequestSource;
use crate::target::Target;

/// The batch to run.
#[derive(Clone, Debug)]
pub struct BatchPlan {
    /// When each request is due, from the batch's start; ascending.
    pub dues: Vec<Duration>,
    /// At most this many in flight: a request that is due waits for a free slot.
    pub max_concurrency: Option<u32>,
    /// Time limit of one request.
    pub timeout: Duration,
    /// Whether the output text is kept.
    pub keep_text: bool,
    /// Index of the first request in the source.
    pub first_index: u64,
}

/// One request of a batch.
#[derive(Clone, Debug)]
pub struct BatchRecord {
    /// Its stamps and outcome.
    pub record: RequestRecord,
    /// Its output text, if kept.
    pub text: Option<String>,
}

/// A batch that is over.
#[derive(Clone, Debug)]
pub struct Batch {
    /// One entry a request, in the order of their indices; the invariant is
    /// `records.len() == dues.len()`.
    pub records: Vec<BatchRecord>,
    /// Start on the run's clock.
    pub started_at: Offset,
    /// When the last request ended.
    pub ended_at: Offset,
    /// Largest number in flight at any moment, exact.
    pub peak_in_flight: u32,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// Runs a batch to its end. `on_progress` is told how many of the requests have ended.
///
/// # Errors
/// The load cannot be carried at all; requests that fail are data.
pub fn run_batch(
    target: &Target,
    source: &Arc<dyn RequestSource>,
    plan: &BatchPlan,
    clock: Clock,
    on_progress: &mut dyn FnMut(usize) -> Go,
) -> Result<Batch, LoadError> {
    todo!()
}
