//! What the requests of one worker share: where they go, what is sent, the connections, the stamps.

mod poll_clock;
mod pool;
mod run_queue;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::protocol::Answer;
use plimsoll_core::time::Offset;

use crate::clock::Clock;
use crate::connect::Connector;
use crate::connection::READ_BYTES;
use crate::request::Tails;
use crate::source::RequestSource;
use crate::stamps::Stamps;
use crate::stats::LiveStats;
use crate::target::{Secrets, Target};
pub(crate) use poll_clock::PollClock;
use pool::Pool;
pub(crate) use pool::{Taken, Way};
use run_queue::RunQueue;

/// What all requests of one worker share. Nothing of it is shared with another worker.
pub(crate) struct WorkerContext {
    /// What its server is reached with, which no record shows.
    pub(crate) secrets: Secrets,
    pub(crate) target: Target,
    pub(crate) source: Arc<dyn RequestSource>,
    pub(crate) clock: Clock,
    pub(crate) stamps: Rc<Stamps>,
    pub(crate) timeout: Duration,
    pub(crate) keep_text: bool,
    pub(crate) stats: Arc<LiveStats>,
    pub(crate) poll_clock: Arc<PollClock>,
    /// Of the thread that made this, which is the worker's.
    pub(crate) run_queue: RunQueue,
    pub(crate) pool: Pool,
    /// Whether the server ends its answers.
    pub(crate) tails: Tails,
    /// Readers of answers that no request has in hand.
    pub(crate) answers: RefCell<Vec<Answer>>,
    /// One read buffer for all streams: no stream holds it across a wait.
    pub(crate) buffer: RefCell<Vec<u8>>,
}

/// Settings of a worker.
pub(crate) struct WorkerOptions {
    pub(crate) timeout: Duration,
    pub(crate) keep_text: bool,
    pub(crate) keep_alive: bool,
    pub(crate) stats: Arc<LiveStats>,
    pub(crate) poll_clock: Arc<PollClock>,
}

impl WorkerContext {
    pub(crate) fn new(
        target: Target,
        connector: Connector,
        source: Arc<dyn RequestSource>,
        clock: Clock,
        options: WorkerOptions,
    ) -> Self {
        let stamps = Stamps::new(clock, Arc::clone(&options.stats));
        let stamps = Rc::new(stamps.after_polls(Arc::clone(&options.poll_clock)));
        let stats = Arc::clone(&options.stats);
        let keep_alive = options.keep_alive;
        Self {
            pool: Pool::new(
                &target,
                connector,
                keep_alive,
                Rc::clone(&stamps),
                stats,
                clock,
            ),
            secrets: target.secrets(),
            target,
            source,
            clock,
            stamps,
            timeout: options.timeout,
            keep_text: options.keep_text,
            stats: options.stats,
            poll_clock: options.poll_clock,
            tails: Tails::default(),
            run_queue: RunQueue::open(),
            answers: RefCell::default(),
            buffer: RefCell::new(vec![0; READ_BYTES]),
        }
    }

    /// A time before which nothing can have come of what is read now.
    pub(crate) fn came_after(&self) -> Offset {
        let poll = self.poll_clock.latest();
        self.poll_clock
            .came_after(self.run_queue.waited_before(poll))
    }

    /// Whether answers share a connection.
    pub(crate) fn shares_connections(&self) -> bool {
        self.pool.shares()
    }
}
