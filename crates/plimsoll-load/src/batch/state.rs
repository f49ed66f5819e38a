//! What the workers of a batch share, and what the caller sees of them meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use plimsoll_core::runner::Go;
use plimsoll_core::time::Offset;
use tokio::sync::watch;

use super::BatchPlan;
use crate::clock::Clock;
use crate::worker::Cap;

/// How often a listener is told of progress when nothing else happens.
const PROGRESS: Duration = Duration::from_millis(100);

/// What the workers of a batch share. A request touches it when it is sent and when it ends.
pub(super) struct BatchState {
    pub(super) plan: BatchPlan,
    pub(super) clock: Clock,
    pub(super) started_at: Offset,
    /// Over all workers.
    pub(super) cap: Cap,
    stop: watch::Sender<bool>,
    ended: AtomicUsize,
    workers_left: Mutex<u32>,
    worker_done: Condvar,
}

impl BatchState {
    pub(super) fn new(plan: BatchPlan, clock: Clock) -> Self {
        Self {
            clock,
            started_at: clock.now(),
            cap: Cap::new(plan.max_concurrency),
            stop: watch::Sender::new(false),
            ended: AtomicUsize::new(0),
            workers_left: Mutex::new(plan.workers),
            plan,
            worker_done: Condvar::new(),
        }
    }

    /// Tells the listener of progress until all workers are done.
    pub(super) fn watch(&self, on_progress: &mut dyn FnMut(usize) -> Go) {
        let mut left = self.lock();
        while *left > 0 {
            let waited = self.worker_done.wait_timeout(left, PROGRESS);
            (left, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if on_progress(self.ended.load(Ordering::Relaxed)) == Go::Stop {
                self.stop();
            }
        }
    }

    /// Sends nothing more, and cuts what is in flight.
    pub(super) fn stop(&self) {
        let _ = self.stop.send_replace(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Resolves when the batch is stopped.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as this does: waiting cannot fail.
        if !self.is_stopped() {
            drop(self.stop.subscribe().wait_for(|stop| *stop).await);
        }
    }

    pub(super) fn one_ended(&self) {
        let _ = self.ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn worker_is_done(&self) {
        *self.lock() -= 1;
        self.worker_done.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        self.workers_left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
