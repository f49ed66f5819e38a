//! A worker's share of the arrivals of an open loop: each is sent when it is due, whatever has become
//! of those before it.

use std::rc::Rc;
use std::sync::Arc;

use plimsoll_core::level::{InFlight, LoadEvent};
use plimsoll_core::record::ON_SCHEDULE;
use plimsoll_core::schedule::OpenLoopDues;
use plimsoll_core::time::Offset;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::{Pacer, Shared};
use crate::request::{Due, RequestId, Trace};

/// The arrivals of a level, over all workers.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    /// When the schedule begins.
    pub(crate) from: Offset,
    /// Due times since then.
    pub(crate) dues: OpenLoopDues,
    /// Free places under the cap, over all workers: first come, first served. `None` without a cap.
    pub(crate) places: Option<Arc<Semaphore>>,
}

/// An arrival that may be sent.
struct Ready {
    at: Offset,
    _place: Option<OwnedSemaphorePermit>,
}

/// Sends what is due until the next level begins, then lets it end.
pub(super) async fn arrive(shared: Rc<Shared>, level: u32, arrivals: Box<Arrivals>) {
    let mut requests = JoinSet::new();
    let clock = shared.context.clock;
    // Without a timer of its own it sends to the millisecond: its lateness shows that.
    let pacer = Pacer::new(clock).ok();
    let share = shared.share;
    let dues = arrivals.dues.skip(share.index as usize);
    for due in dues.step_by(share.count as usize) {
        let due = arrivals.from + due;
        shared.context.poll_clock.set_next_send(Some(due));
        tokio::select! {
            biased;
            () = shared.is_over(level) => break,
            () = until(due, pacer.as_ref(), &shared) => {}
        }
        shared.context.poll_clock.set_next_send(None);
        let request = shared.begin(due);
        let _ = requests.spawn_local(carry(
            Rc::clone(&shared),
            request,
            due,
            arrivals.places.clone(),
        ));
        while requests.try_join_next().is_some() {}
    }
    shared.context.poll_clock.set_next_send(None);
    while requests.join_next().await.is_some() {}
}

async fn until(due: Offset, pacer: Option<&Pacer>, shared: &Shared) {
    let is_there = match pacer {
        Some(pacer) => pacer.until(due).await.is_ok(),
        None => false,
    };
    if !is_there {
        tokio::time::sleep_until(shared.context.clock.instant(due).into()).await;
    }
}

async fn carry(
    shared: Rc<Shared>,
    request: RequestId,
    due: Offset,
    places: Option<Arc<Semaphore>>,
) {
    let record = match shared.ready(request, due, places).await {
        Some(ready) => {
            let at = Due::At {
                due,
                ready: ready.at,
            };
            let cut = async |trace: Rc<Trace>| shared.cut_arrival(request.level, &trace).await;
            shared.context.run(request, at, &*shared, cut).await.0
        }
        None => request.never_sent(due, shared.context.clock.now()),
    };
    shared.tell(LoadEvent::Ended(Box::new(record)));
}

impl Shared {
    /// Tells of an arrival that is due now.
    fn begin(&self, due: Offset) -> RequestId {
        let request = self.request(ON_SCHEDULE);
        self.tell(LoadEvent::Due(InFlight {
            id: request.id,
            level: request.level,
            stream: request.stream,
            due,
            ready: due,
            sent: None,
            first: None,
        }));
        request
    }

    /// Waits for a place under the cap; `None` if the level is over before there is one.
    async fn ready(
        &self,
        request: RequestId,
        due: Offset,
        places: Option<Arc<Semaphore>>,
    ) -> Option<Ready> {
        let Some(places) = places else {
            return Some(Ready {
                at: due,
                _place: None,
            });
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Some(Ready {
                at: due,
                _place: Some(place),
            });
        }
        tokio::select! {
            biased;
            () = self.is_over(request.level) => None,
            place = places.acquire_owned() => Some(Ready {
                at: self.context.clock.now(),
                _place: place.ok(),
            }),
        }
    }

    /// Resolves when a level is no longer the one that runs, and at the end of the run.
    async fn is_over(&self, level: u32) {
        while !self.stop.get() && self.level.get() == level {
            self.changed.notified().await;
        }
    }

    /// Resolves when an arrival must be given up: at the end of the run, or when its level is over
    /// and no token has come. With a token it may finish.
    async fn cut_arrival(&self, level: u32, trace: &Trace) {
        self.is_over(level).await;
        while !self.stop.get() && trace.first.get().is_some() {
            self.changed.notified().await;
        }
    }
}
