//! The engine in real time: one thread that takes its steps and waits each of them out.
//!
//! Step *k* ends at the end of step *k* − 1 plus its duration, on an absolute schedule: a late
//! wake-up delays one step's tokens and shifts none of the later ones.

use super::clock::Clock;
use super::hub::Hub;
use crate::engine::{Admission, Engine, Gauges, Job};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A machine that stood still for longer than this (suspended, stopped) starts a new schedule
/// instead of rushing through the steps it has missed, in ns.
const RESYNC_NS: u64 = 250_000_000;

/// Locks even if another thread has panicked while it held the lock: what is guarded here is
/// counters and queues that are whole between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine, shared between its own thread and the HTTP workers.
#[derive(Debug)]
pub(super) struct EngineRoom {
    engine: Mutex<Engine>,
    /// Signalled when a job arrives or the server stops.
    wake: Condvar,
    stopped: AtomicBool,
    clock: Clock,
    hubs: Vec<Arc<Hub>>,
}

impl EngineRoom {
    pub(super) fn new(engine: Engine, clock: Clock, hubs: Vec<Arc<Hub>>) -> Self {
        Self {
            engine: Mutex::new(engine),
            wake: Condvar::new(),
            stopped: AtomicBool::new(false),
            clock,
            hubs,
        }
    }

    pub(super) fn submit(&self, job: Job) -> Admission {
        let admission = lock(&self.engine).submit(self.clock.now_ns(), job);
        self.wake.notify_one();
        admission
    }

    pub(super) fn cancel(&self, id: u64) {
        lock(&self.engine).cancel(id);
    }

    pub(super) fn gauges(&self) -> Gauges {
        lock(&self.engine).gauges()
    }

    /// Ends [`EngineRoom::run`] and the workers, at the latest one step from now.
    pub(super) fn stop(&self) {
        // Under the lock, so that the engine's thread cannot miss it between its check and its wait.
        let engine = lock(&self.engine);
        self.stopped.store(true, Ordering::Release);
        drop(engine);
        self.wake.notify_all();
        for hub in &self.hubs {
            hub.stop();
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Takes steps until stopped; the body of the engine's thread.
    pub(super) fn run(&self) {
        let mut engine = lock(&self.engine);
        while !self.is_stopped() {
            let Some(step) = engine.step() else {
                engine = self
                    .wake
                    .wait(engine)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            // Jobs are submitted and cancelled while the step is under way.
            drop(engine);
            let late_ns = self.clock.sleep_until(step.end_ns(), || self.is_stopped());
            self.deliver(&step.tokens);
            engine = lock(&self.engine);
            if late_ns > RESYNC_NS {
                engine.skip_to(self.clock.now_ns());
            }
        }
    }

    /// Hands each worker its share in one parcel: one wake-up per worker and step, not per token.
    fn deliver(&self, tokens: &[u64]) {
        let workers = self.hubs.len() as u64;
        for (index, hub) in (0..).zip(&self.hubs) {
            hub.post(tokens.iter().copied().filter(|id| id % workers == index));
        }
    }
}
