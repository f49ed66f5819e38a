//! A worker's share of the arrivals of an open loop: each is sent when it is due, whatever has become
//! of those before it.

use std::rc::Rc;

use plimsoll_core::level::Assignment;
use plimsoll_core::record::{Doubt, InFlight, LoadEvent, ON_SCHEDULE};
use plimsoll_core::time::Offset;
use tokio::task::JoinSet;

use super::{Alive, Cap, Pacing, Worker};
use crate::request::{Due, RequestId, Trace};

/// Sends what is due until the next level begins, then lets it end.
pub(super) async fn arrive(
    worker: &Rc<Worker>,
    level: Rc<Assignment>,
    due_times: impl Iterator<Item = Offset>,
) {
    let index = level.plan.index;
    let mut requests = JoinSet::new();
    let pacing = Pacing::of(&worker.context);
    let cap = Cap::new(level.cap());
    for due in due_times {
        if !pacing.until(due, worker.is_over(index)).await {
            break;
        }
        let request = worker.begin(&level, due);
        let (alive, cap) = (Alive(Rc::clone(worker)), cap.clone());
        let _ = requests.spawn_local(async move { carry(&alive.0, request, due, cap).await });
        while requests.try_join_next().is_some() {}
    }
    while requests.join_next().await.is_some() {}
}

async fn carry(worker: &Worker, request: RequestId, due: Offset, cap: Cap) {
    let clock = worker.context.clock;
    let record = match cap.place(worker.is_over(request.level)).await {
        Some(place) => {
            let ready = if place.waited { clock.now() } else { due };
            let cut = async |trace: Rc<Trace>| worker.cut_arrival(request.level, &trace).await;
            let at = Due::At { due, ready };
            worker.context.run(request, at, worker, cut).await.0
        }
        None => request.never_sent(due, clock.now()),
    };
    worker.tell(LoadEvent::Ended(Box::new(record)));
}

impl Worker {
    /// Tells of an arrival that is due now.
    fn begin(&self, level: &Assignment, due: Offset) -> RequestId {
        let request = self.next_request(level, ON_SCHEDULE);
        self.tell(LoadEvent::Due(InFlight {
            id: request.id,
            level: request.level,
            stream: request.stream,
            due,
            ready: due,
            sent: None,
            first: None,
            heard: None,
            doubt: Doubt::default(),
        }));
        request
    }

    /// Resolves when a level is no longer the one that runs, and at the end of the run.
    async fn is_over(&self, level: u32) {
        let runs = |running: &Option<Rc<Assignment>>| {
            running.as_ref().is_some_and(|one| one.plan.index == level)
        };
        while !self.stop.get() && runs(&self.level.borrow()) {
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
