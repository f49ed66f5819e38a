//! One worker's share of a batch.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use plimsoll_core::record::Doubt;
use plimsoll_core::schedule::Share;
use plimsoll_core::time::Offset;
use tokio::task::JoinSet;

use super::BatchRecord;
use super::state::BatchState;
use crate::connect::Connector;
use crate::context::{PollClock, WorkerContext, WorkerOptions};
use crate::error::LoadError;
use crate::request::{Due, RequestId, Trace, Watch};
use crate::source::RequestSource;
use crate::stats::{LiveStats, WorkerStats};
use crate::target::Target;
use crate::worker::{Pacing, Place, heartbeat};

/// A worker of a batch before it runs.
pub(super) struct BatchWorker {
    target: Target,
    connector: Connector,
    source: Arc<dyn RequestSource>,
    state: Arc<BatchState>,
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
    fn first(&self, _request: RequestId, _at: Offset, _doubt: Doubt) {}

    fn heard(&self, _request: RequestId, _at: Offset) {}
}

/// What the requests of one worker share.
struct Running {
    context: WorkerContext,
    state: Arc<BatchState>,
    ended: RefCell<Vec<BatchRecord>>,
}

type Thread = std::thread::JoinHandle<Result<Carried, LoadError>>;

/// Says that a worker is done, however it ends.
struct Done(Arc<BatchState>);

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
        state: &Arc<BatchState>,
        share: Share,
    ) -> Self {
        Self {
            target: target.clone(),
            connector: connector.clone(),
            source: Arc::clone(source),
            state: Arc::clone(state),
            share,
            poll_clock: PollClock::new(state.clock),
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
        let _done = Done(Arc::clone(&self.state));
        let runtime = PollClock::runtime(&self.poll_clock).map_err(LoadError::Worker)?;
        runtime.block_on(self.carried())
    }

    /// Carries the share to its end, on a runtime whose tasks are local.
    pub(super) async fn carried(self) -> Result<Carried, LoadError> {
        let plan = &self.state.plan;
        let options = WorkerOptions {
            timeout: plan.timeout,
            keep_text: plan.keep_text,
            keep_alive: plan.keep_alive,
            stats: Arc::<LiveStats>::default(),
            poll_clock: self.poll_clock,
        };
        let clock = self.state.clock;
        let running = Rc::new(Running {
            context: WorkerContext::new(self.target, self.connector, self.source, clock, options),
            state: self.state,
            ended: RefCell::default(),
        });
        running.run(self.share).await
    }
}

impl Running {
    async fn run(self: Rc<Self>, share: Share) -> Result<Carried, LoadError> {
        let mut background = JoinSet::new();
        let own = Rc::clone(&self);
        let _ = background.spawn_local(async move { heartbeat(&own.context).await });
        let mut requests = self.dispatch(share).await?;
        while let Some(ended) = requests.join_next().await {
            ended.map_err(|_| LoadError::WorkerLost)?;
        }
        Ok(Carried {
            records: self.ended.take(),
            stats: self.context.stats.take(self.context.clock.now()),
        })
    }

    /// Sends each request when it is due and has a place under the cap. First come, first served: a
    /// request that waits for a place holds back only those that would have queued behind it anyway.
    async fn dispatch(self: &Rc<Self>, share: Share) -> Result<JoinSet<()>, LoadError> {
        let state = &self.state;
        let pacing = Pacing::of(&self.context);
        let mut requests = JoinSet::new();
        for (number, due) in share.of((0..).zip(state.plan.dues.iter().copied())) {
            let due = state.started_at + due;
            let place = if pacing.until(due, state.stopped()).await {
                state.cap.place(state.stopped()).await
            } else {
                None
            };
            match place {
                Some(place) => {
                    let request = Rc::clone(self).carry(number, due, place);
                    let _ = requests.spawn_local(request);
                }
                None => self.end(BatchRecord {
                    record: self.request_of(number).never_sent(due, state.clock.now()),
                    text: None,
                }),
            }
            while let Some(ended) = requests.try_join_next() {
                ended.map_err(|_| LoadError::WorkerLost)?;
            }
        }
        Ok(requests)
    }

    async fn carry(self: Rc<Self>, number: u64, due: Offset, place: Place) {
        let at = Due::At { due, ready: due };
        let (record, text) = self
            .context
            .run(self.request_of(number), at, &NoWatch, async |_| {
                self.state.stopped().await;
            })
            .await;
        drop(place);
        self.end(BatchRecord { record, text });
    }

    fn request_of(&self, number: u64) -> RequestId {
        RequestId {
            id: number,
            index: self.state.plan.first_index + number,
            level: 0,
            stream: 0,
        }
    }

    fn end(&self, one: BatchRecord) {
        self.ended.borrow_mut().push(one);
        self.state.one_ended();
    }
}
