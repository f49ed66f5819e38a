//! A fixed number of requests on a schedule, under an optional cap: what `bench serve` runs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::runner::Go;
use plimsoll_core::time::Offset;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::connect::Connector;
use crate::error::LoadError;
use crate::exchange::{Due, Line, LineOptions, Slot, Watch};
use crate::pacer::Pacer;
use crate::source::RequestSource;
use crate::target::Target;
use crate::worker;

/// How often a listener is told of progress when nothing else happens.
const PROGRESS: Duration = Duration::from_millis(100);

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
    let connector = Connector::to(target)?;
    let options = LineOptions {
        timeout: plan.timeout,
        keep_text: plan.keep_text,
        counters: Arc::default(),
    };
    let runtime = worker::runtime().map_err(LoadError::Worker)?;
    let line = Rc::new(Line::new(
        target.clone(),
        connector,
        Arc::clone(source),
        clock,
        options,
    ));
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, run(line, plan, clock, on_progress))
}

/// What the tasks of a batch share.
struct Shared {
    stop: Cell<bool>,
    stopped: Notify,
    ended: RefCell<Vec<BatchRecord>>,
}

impl Watch for Shared {
    fn sent(&self, _slot: Slot, _due: Offset, _sent: Offset) {}
    fn first(&self, _slot: Slot, _at: Offset) {}
}

async fn run(
    line: Rc<Line>,
    plan: &BatchPlan,
    clock: Clock,
    on_progress: &mut dyn FnMut(usize) -> Go,
) -> Result<Batch, LoadError> {
    let started_at = clock.now();
    let shared = Rc::new(Shared {
        stop: Cell::new(false),
        stopped: Notify::new(),
        ended: RefCell::default(),
    });
    let pacer = Pacer::new(clock).map_err(LoadError::Worker)?;
    let mut dispatch = Box::pin(dispatch(
        Rc::clone(&line),
        Rc::clone(&shared),
        plan,
        started_at,
        pacer,
    ));
    let mut dispatched: Option<JoinSet<()>> = None;
    let mut tick = tokio::time::interval(PROGRESS);
    while shared.ended.borrow().len() < plan.dues.len() {
        tokio::select! {
            tasks = &mut dispatch, if dispatched.is_none() => dispatched = Some(tasks.map_err(LoadError::Worker)?),
            Some(ended) = join_next(&mut dispatched) => ended.map_err(|_| LoadError::WorkerLost)?,
            _ = tick.tick() => line.stamps.measure(),
        }
        if on_progress(shared.ended.borrow().len()) == Go::Stop && !shared.stop.replace(true) {
            shared.stopped.notify_waiters();
        }
    }
    let mut records = shared.ended.take();
    records.sort_by_key(|one| one.record.id);
    Ok(Batch {
        ended_at: records
            .iter()
            .map(|one| one.record.done)
            .max()
            .unwrap_or(started_at),
        peak_in_flight: peak_in_flight(&records),
        records,
        started_at,
        interrupted: shared.stop.get(),
    })
}

async fn join_next(tasks: &mut Option<JoinSet<()>>) -> Option<Result<(), tokio::task::JoinError>> {
    match tasks {
        Some(tasks) => tasks.join_next().await,
        None => None,
    }
}

/// Sends each request when it is due and a slot is free. First come, first served: a request that
/// waits for a slot holds back only those that would have queued behind it anyway.
async fn dispatch(
    line: Rc<Line>,
    shared: Rc<Shared>,
    plan: &BatchPlan,
    started_at: Offset,
    pacer: Pacer,
) -> std::io::Result<JoinSet<()>> {
    let slots = plan
        .max_concurrency
        .map_or(Semaphore::MAX_PERMITS, |cap| cap as usize);
    let slots = Arc::new(Semaphore::new(slots));
    let mut tasks = JoinSet::new();
    for (number, due) in plan.dues.iter().enumerate() {
        let due = started_at + *due;
        let number = number as u64;
        if !shared.stop.get() {
            tokio::select! {
                waited = pacer.until(due) => waited?,
                () = shared.stopped.notified() => {}
            }
        }
        let permit = tokio::select! {
            permit = Arc::clone(&slots).acquire_owned() => permit.ok(),
            () = stopped(&shared) => None,
        };
        if shared.stop.get() {
            shared.ended.borrow_mut().push(BatchRecord {
                record: never_sent(number, due, line.clock),
                text: None,
            });
            continue;
        }
        let (line, shared, index) = (
            Rc::clone(&line),
            Rc::clone(&shared),
            plan.first_index + number,
        );
        let _ = tasks.spawn_local(async move {
            let slot = Slot {
                id: number,
                index,
                level: 0,
                stream: 0,
            };
            let (record, text) = line
                .run(slot, Due::At(due), &*shared, async |_| {
                    stopped(&shared).await;
                })
                .await;
            drop(permit);
            shared.ended.borrow_mut().push(BatchRecord { record, text });
        });
    }
    Ok(tasks)
}

async fn stopped(shared: &Shared) {
    while !shared.stop.get() {
        shared.stopped.notified().await;
    }
}

/// A request that was due when the run was stopped.
fn never_sent(id: u64, due: Offset, clock: Clock) -> RequestRecord {
    RequestRecord {
        id,
        level: 0,
        stream: 0,
        due,
        sent: None,
        events: Vec::new(),
        done: clock.now(),
        outcome: Outcome::NeverSent,
        asked_prompt_tokens: 0,
        asked_output_tokens: 0,
        prompt_tokens: None,
        usage_output_tokens: None,
        detail: None,
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
