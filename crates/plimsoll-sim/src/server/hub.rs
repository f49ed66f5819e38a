//! The way of tokens from the engine's thread to the tasks of one worker.

use super::runner::{EngineRoom, lock};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;

/// One worker's letter box and its requests in flight.
///
/// The engine's thread only fills the box. The worker's own task distributes it, because waking a
/// task from another thread costs a system call and from its own thread none.
#[derive(Debug, Default)]
pub(super) struct Hub {
    /// Ids of jobs with one new token each, in the order of production.
    mail: Mutex<Vec<u64>>,
    arrived: Notify,
    slots: Mutex<HashMap<u64, Arc<Slot>>>,
    stopped: AtomicBool,
    stop: Notify,
}

/// How far one request is.
#[derive(Debug, Default)]
struct Slot {
    state: Mutex<SlotState>,
}

#[derive(Debug, Default)]
struct SlotState {
    produced: u32,
    waker: Option<Waker>,
}

impl Hub {
    /// Called by the engine's thread at the end of a step.
    pub(super) fn post(&self, ids: impl Iterator<Item = u64>) {
        let mut mail = lock(&self.mail);
        let before = mail.len();
        mail.extend(ids);
        let any = mail.len() > before;
        drop(mail);
        if any {
            self.arrived.notify_one();
        }
    }

    /// Distributes tokens for ever; a task of the worker's runtime.
    pub(super) async fn distribute(&self) {
        let mut parcel = Vec::new();
        loop {
            self.arrived.notified().await;
            std::mem::swap(&mut parcel, &mut *lock(&self.mail));
            for id in parcel.drain(..) {
                // A cancelled request may still have a token under way.
                let slot = lock(&self.slots).get(&id).cloned();
                if let Some(slot) = slot {
                    slot.add_token();
                }
            }
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stop.notify_one();
    }

    /// Returns when the worker has to end. Only its main task may wait here.
    pub(super) async fn stopped(&self) {
        while !self.stopped.load(Ordering::Acquire) {
            self.stop.notified().await;
        }
    }
}

impl Slot {
    fn add_token(&self) {
        let mut state = lock(&self.state);
        state.produced += 1;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

/// A request's place in its worker's hub and in the engine; leaves both when dropped.
#[derive(Debug)]
pub(super) struct Subscription {
    id: u64,
    total: u32,
    slot: Arc<Slot>,
    hub: Arc<Hub>,
    room: Arc<EngineRoom>,
}

impl Subscription {
    /// Takes a place for job `id`, before it is submitted, so that no token can miss it.
    pub(super) fn new(id: u64, total: u32, hub: Arc<Hub>, room: Arc<EngineRoom>) -> Self {
        let slot = Arc::<Slot>::default();
        lock(&hub.slots).insert(id, Arc::clone(&slot));
        Self {
            id,
            total,
            slot,
            hub,
            room,
        }
    }

    /// Returns the number of tokens produced so far, once it exceeds `seen`.
    pub(super) fn poll_beyond(&self, seen: u32, cx: &mut Context<'_>) -> Poll<u32> {
        let mut state = lock(&self.slot.state);
        if state.produced > seen {
            return Poll::Ready(state.produced);
        }
        if !state
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits for the last token.
    pub(super) async fn finished(&self) {
        std::future::poll_fn(|cx| self.poll_beyond(self.total - 1, cx).map(|_| ())).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.hub.slots).remove(&self.id);
        if lock(&self.slot.state).produced < self.total {
            self.room.cancel(self.id);
        }
    }
}
