//! One worker's share of a batch.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use plimsoll_core::time::Offset;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

use super::BatchRecord;
use super::common::Common;
use crate::connect::Connector;
use crate::context::{PollClock, WorkerContext, WorkerOptions};
use crate::error::LoadError;
use crate::request::{Due, RequestId, Trace, Watch};
use crate::source::RequestSource;
use crate::stats::{SharedStats, WorkerStats};
use crate::target::Target;
use crate::worker::{Pacer, Share, heartbeat};

/// A worker of a batch before it runs.
pub(super) struct BatchWorker {
    target: Target,
    connector: Connector,
    source: Arc<dyn RequestSource>,
    common: Arc<Common>,
    share: Share,
    poll_clock: Arc<PollClock>,
}

/// What a worker has carried.
pub(super) struct Carried {
    pub(super) records: Vec<BatchRecord>,
    pub(super) stats: WorkerStats,
}

/// Nobody needs to know of a batch's requests before they end.
struct NoWatch;

impl Watch for NoWatch {
    fn sent(&self, _request: RequestId, _trace: &Trace) {}
    fn first(&self, _request: RequestId, _at: Offset) {}
}

/// What the requests of one worker share.
struct Shared {
    context: WorkerContext,
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

impl BatchWorker {
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
            poll_clock: PollClock::new(common.clock),
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
        let runtime = PollClock::runtime(&self.poll_clock).map_err(LoadError::Worker)?;
        let plan = &self.common.plan;
        let options = WorkerOptions {
            timeout: plan.timeout,
            keep_text: plan.keep_text,
            keep_alive: plan.keep_alive,
            stats: Arc::<SharedStats>::default(),
            poll_clock: self.poll_clock,
        };
        let clock = self.common.clock;
        let shared = Rc::new(Shared {
            context: WorkerContext::new(self.target, self.connector, self.source, clock, options),
            common: self.common,
            ended: RefCell::default(),
        });
        runtime.block_on(shared.run(self.share))
    }
}

impl Shared {
    async fn run(self: Rc<Self>, share: Share) -> Result<Carried, LoadError> {
        let mut background = JoinSet::new();
        let own = Rc::clone(&self);
        let _ = background.spawn_local(async move { heartbeat(&own.context).await });
        let mut tasks = self.dispatch(share).await?;
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|_| LoadError::WorkerLost)?;
        }
        Ok(Carried {
            records: self.ended.take(),
            stats: self.context.stats.take(self.context.clock.now()),
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
            self.context.poll_clock.set_next_send(Some(due));
            tokio::select! {
                biased;
                () = self.common.stopped() => {}
                waited = pacer.until(due) => waited.map_err(LoadError::Worker)?,
            }
            self.context.poll_clock.set_next_send(None);
            match self.slot().await {
                Some(permit) => {
                    let request = Rc::clone(self).carry(number, due, permit);
                    let _ = tasks.spawn_local(request);
                }
                None => self.end(BatchRecord {
                    record: self.request_of(number).never_sent(due, clock.now()),
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
            .context
            .run(self.request_of(number), at, &NoWatch, async |_| {
                self.common.stopped().await;
            })
            .await;
        drop(permit);
        self.end(BatchRecord { record, text });
    }

    fn request_of(&self, number: u64) -> RequestId {
        RequestId {
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
