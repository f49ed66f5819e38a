//! A fixed number of requests on a schedule, under an optional cap: what `bench serve` runs.

mod state;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::level::ClientHealth;
use plimsoll_core::record::RequestTrace;
use plimsoll_core::runner::Go;
use plimsoll_core::schedule::Share;
use plimsoll_core::stats::Summary;
use plimsoll_core::time::Offset;

use crate::clock::Clock;
use crate::connect::Connector;
use crate::crew::Steal;
use crate::error::LoadError;
use crate::source::RequestSource;
use crate::stats::WorkerStats;
use crate::target::Target;
use state::BatchState;
use worker::BatchWorker;

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
    /// Worker threads; worker *i* of *n* carries every *n*-th request from the *i*-th on.
    pub workers: u32,
    /// Whether a connection carries one request after another, or only one.
    pub keep_alive: bool,
}

/// One request of a batch.
#[derive(Clone, Debug)]
pub struct BatchRecord {
    /// Its stamps and outcome, with its events.
    pub record: RequestTrace,
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
    /// The client's own health, from the first request to the last.
    pub client: ClientHealth,
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
    let connector = Connector::to(target)?;
    let state = Arc::new(BatchState::new(plan.clone(), clock));
    let steal = Steal::read();
    let workers = Share::split(plan.workers)
        .map(|share| BatchWorker::new(target, &connector, source, &state, share).start())
        .collect::<Result<Vec<_>, _>>()
        .inspect_err(|_| state.stop())?;
    state.watch(on_progress);
    let mut records = Vec::with_capacity(plan.dues.len());
    let mut counted = WorkerStats::default();
    for worker in workers {
        let carried = worker.join().map_err(|_| LoadError::WorkerLost)??;
        records.extend(carried.records);
        counted.merge(&carried.stats);
    }
    let client = client_health(
        &counted,
        &records,
        steal,
        clock.now().since(state.started_at),
    );
    records.sort_by_key(|one| one.record.id);
    Ok(Batch {
        ended_at: records
            .iter()
            .map(|one| one.record.done)
            .max()
            .unwrap_or(state.started_at),
        peak_in_flight: peak_in_flight(&records),
        records,
        started_at: state.started_at,
        interrupted: state.is_stopped(),
        client,
    })
}

/// Carries a whole batch as one worker on the runtime of the caller. Returns its records in the order
/// in which they ended, and what was counted.
///
/// # Errors
/// A request was lost.
#[cfg(test)]
pub(crate) async fn run_here(
    target: &Target,
    connector: &Connector,
    source: &Arc<dyn RequestSource>,
    plan: &BatchPlan,
    clock: Clock,
) -> Result<(Vec<BatchRecord>, WorkerStats), LoadError> {
    let state = Arc::new(BatchState::new(plan.clone(), clock));
    let alone = Share { index: 0, count: 1 };
    let worker = BatchWorker::new(target, connector, source, &state, alone);
    let carried = worker.carried().await?;
    Ok((carried.records, carried.stats))
}

fn client_health(
    stats: &WorkerStats,
    records: &[BatchRecord],
    steal: Option<Steal>,
    over: Duration,
) -> ClientHealth {
    let lags = records.iter().filter_map(|one| one.record.send_lag_ms());
    ClientHealth {
        send_lag_ms: Summary::of(lags.collect()),
        stolen_cpu_ratio: Steal::ratio_since(steal),
        ..stats.health(over)
    }
}

/// The largest number in flight at any moment, by a sweep over sends and ends; an end and a send
/// at the same instant do not overlap.
fn peak_in_flight(records: &[BatchRecord]) -> u32 {
    let mut changes: Vec<(Offset, i64)> = Vec::with_capacity(records.len() * 2);
    for one in records {
        if let Some(sent) = one.record.sent {
            changes.push((sent, 1));
            changes.push((one.record.done, -1));
        }
    }
    changes.sort_unstable();
    let (mut now, mut peak) = (0i64, 0i64);
    for (_, change) in changes {
        now += change;
        peak = peak.max(now);
    }
    u32::try_from(peak).unwrap_or(0)
}
