//! What every open loop needs, be it a level of arrivals or a batch: waiting for due times, and a cap
//! on what is in flight.

use std::sync::Arc;

use plimsoll_core::time::Offset;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pacer::Pacer;
use crate::context::WorkerContext;

/// Waits for due times, and keeps the worker awake for them.
pub(crate) struct Pacing<'a> {
    context: &'a WorkerContext,
    /// Without a timer of its own it sends to the millisecond: its lateness shows that.
    pacer: Option<Pacer>,
}

impl<'a> Pacing<'a> {
    pub(crate) fn of(context: &'a WorkerContext) -> Self {
        Self {
            pacer: Pacer::new(context.clock).ok(),
            context,
        }
    }

    /// Whether it is `due`; not if `over` comes first, or has come.
    pub(crate) async fn until(&self, due: Offset, over: impl Future<Output = ()>) -> bool {
        let poll_clock = &self.context.poll_clock;
        poll_clock.set_next_send(Some(due));
        let is_due = tokio::select! {
            biased;
            () = over => false,
            () = self.sleep(due) => true,
        };
        poll_clock.set_next_send(None);
        is_due
    }

    async fn sleep(&self, due: Offset) {
        let is_due = match &self.pacer {
            Some(pacer) => pacer.until(due).await.is_ok(),
            None => false,
        };
        if !is_due {
            tokio::time::sleep_until(self.context.clock.instant(due).into()).await;
        }
    }
}

/// The most that may be in flight; who is due beyond it waits, first come, first served. Clones share
/// their places.
#[derive(Clone, Debug)]
pub(crate) struct Cap(Option<Arc<Semaphore>>);

/// A place under a cap, until it is dropped.
pub(crate) struct Place {
    /// Whether there was none at once.
    pub(crate) waited: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Cap {
    /// `None` is no cap.
    pub(crate) fn new(most: Option<u32>) -> Self {
        Self(most.map(|most| Arc::new(Semaphore::new(most as usize))))
    }

    /// A place, once there is one; `None` if `over` comes first.
    pub(crate) async fn place(&self, over: impl Future<Output = ()>) -> Option<Place> {
        let Some(places) = &self.0 else {
            return Some(Place {
                waited: false,
                _permit: None,
            });
        };
        if let Ok(permit) = Arc::clone(places).try_acquire_owned() {
            return Some(Place {
                waited: false,
                _permit: Some(permit),
            });
        }
        tokio::select! {
            biased;
            () = over => None,
            permit = Arc::clone(places).acquire_owned() => Some(Place {
                waited: true,
                _permit: permit.ok(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::runtime;

    #[test]
    fn a_cap_gives_its_places_and_no_more() {
        runtime::single_threaded().unwrap().block_on(async {
            let cap = Cap::new(Some(2));
            let first = cap.place(pending()).await.unwrap();
            let second = cap.clone().place(pending()).await.unwrap();
            assert!(!first.waited && !second.waited);
            assert!(cap.place(ready(())).await.is_none());
            let (third, ()) = tokio::join!(cap.place(pending()), async { drop(first) });
            assert!(third.unwrap().waited);
        });
    }

    #[test]
    fn without_a_cap_nobody_waits() {
        runtime::single_threaded().unwrap().block_on(async {
            let place = Cap::new(None).place(ready(())).await.unwrap();
            assert!(!place.waited);
        });
    }
}
