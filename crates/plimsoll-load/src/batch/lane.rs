//! One worker's share of a batch.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use plimsoll_core::time::Offset;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use super::BatchRecord;
use super::common::Common;
use crate::beat::beat;
use crate::connect::Connector;
use crate::error::LoadError;
use crate::exchange::{Due, Line, LineOptions, Slot, Trace, Watch};
use crate::pacer::Pacer;
use crate::polls::Polls;
use crate::source::RequestSource;
use crate::tally::{SharedTally, Tally};
use crate::target::Target;
use crate::worker::Share;

/// A worker of a batch before it runs.
pub(super) struct Lane {
    target: Target,
    connector: Connector,
    source: Arc<dyn RequestSource>,
    common: Arc<Common>,
    share: Share,
    polls: Arc<Polls>,
}

/// What a worker has carried.
pub(super) struct Carried {
    pub(super) records: Vec<BatchRecord>,
    pub(super) tally: Tally,
}

/// Nobody needs to know of a batch's requests before they end.
struct NoWatch;

impl Watch for NoWatch {
    fn sent(&self, _slot: Slot, _trace: &Trace) {}
    fn first(&self, _slot: Slot, _at: Offset) {}
}

/// What the requests of one worker share.
struct Shared {
    line: Line,
    common: Arc<Common>,
    ended: RefCell<Vec<BatchRecord>>,
}

type Thread = std::thread::JoinHandle<Result<Carried, LoadError>>;

/// Says that a worker is done, however it ends.
struct Done(Arc<Common>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.worker_is_done();
    }
}

impl Lane {
    pub(super) fn new(
        target: &Target,
        connector: &Connector,
        source: &Arc<dyn RequestSource>,
        common: &Arc<Common>,
        share: Share,
    ) -> Self {
        Self {
            target: target.clone(),
            connector: connector.clone(),
            source: Arc::clone(source),
            common: Arc::clone(common),
            share,
            polls: Polls::new(common.clock),
        }
    }

    /// Starts the worker's thread, which returns the records of its share.
    pub(super) fn start(self) -> Result<Thread, LoadError> {
        std::thread::Builder::new()
            .name(format!("plimsoll-load-{}", self.share.index))
            .spawn(move || self.carry())
            .map_err(LoadError::Worker)
    }

    /// Carries the share to its end, on this thread.
    fn carry(self) -> Result<Carried, LoadError> {
        let _done = Done(Arc::clone(&self.common));
        let runtime = Polls::runtime(&self.polls).map_err(LoadError::Worker)?;
        let plan = &self.common.plan;
        let options = LineOptions {
            timeout: plan.timeout,
            keep_text: plan.keep_text,
            keep_alive: plan.keep_alive,
            tally: Arc::<SharedTally>::default(),
            polls: self.polls,
        };
        let clock = self.common.clock;
        let shared = Rc::new(Shared {
            line: Line::new(self.target, self.connector, self.source, clock, options),
            common: self.common,
            ended: RefCell::default(),
        });
        runtime.block_on(shared.run(self.share))
    }
}

impl Shared {
    async fn run(self: Rc<Self>, share: Share) -> Result<Carried, LoadError> {
        let mut heartbeat = JoinSet::new();
        let beating = Rc::clone(&self);
        let _ = heartbeat.spawn_local(async move { beat(&beating.line).await });
        let mut tasks = self.dispatch(share).await?;
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|_| LoadError::WorkerLost)?;
        }
        Ok(Carried {
            records: self.ended.take(),
            tally: self.line.tally.take(self.line.clock.now()),
        })
    }

    /// Sends each request when it is due and a slot is free. First come, first served: a request
    /// that waits for a slot holds back only those that would have queued behind it anyway.
    async fn dispatch(self: &Rc<Self>, share: Share) -> Result<JoinSet<()>, LoadError> {
        let clock = self.common.clock;
        let pacer = Pacer::new(clock).map_err(LoadError::Worker)?;
        let mut tasks = JoinSet::new();
        for (number, due) in share.of(&self.common.plan.dues) {
            let due = self.common.started_at + due;
            self.line.polls.set_next_send(Some(due));
            tokio::select! {
                biased;
                () = self.common.stopped() => {}
                waited = pacer.until(due) => waited.map_err(LoadError::Worker)?,
            }
            self.line.polls.set_next_send(None);
            match self.slot().await {
                Some(permit) => {
                    let request = Rc::clone(self).carry(number, due, permit);
                    let _ = tasks.spawn_local(request);
                }
                None => self.end(BatchRecord {
                    record: self.slot_of(number).never_sent(due, clock.now()),
                    text: None,
                }),
            }
            while let Some(ended) = tasks.try_join_next() {
                ended.map_err(|_| LoadError::WorkerLost)?;
            }
        }
        Ok(tasks)
    }

    /// Waits for a free slot; `None` if the batch is stopped before there is one.
    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.common.stopped() => None,
            permit = Arc::clone(&self.common.slots).acquire_owned() => permit.ok(),
        }
    }

    async fn carry(self: Rc<Self>, number: u64, due: Offset, permit: OwnedSemaphorePermit) {
        let at = Due::At { due, ready: due };
        let (record, text) = self
            .line
            .run(self.slot_of(number), at, &NoWatch, async |_| {
                self.common.stopped().await;
            })
            .await;
        drop(permit);
        self.end(BatchRecord { record, text });
    }

    fn slot_of(&self, number: u64) -> Slot {
        Slot {
            id: number,
            index: self.common.plan.first_index + number,
            level: 0,
            stream: 0,
        }
    }

    fn end(&self, one: BatchRecord) {
        self.ended.borrow_mut().push(one);
        self.common.one_ended();
    }
}
