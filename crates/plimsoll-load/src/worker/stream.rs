//! A stream of a closed loop: a virtual client that waits for its answer before it asks again.

use std::rc::Rc;
use std::time::Duration;

use plimsoll_core::record::{LoadEvent, RequestRecord};
use plimsoll_core::time::Offset;

use super::Worker;
use crate::request::{Due, Trace};

/// A request, its answer to the end, and the next, at once or after a thought.
pub(super) async fn run_stream(worker: &Worker, stream: u32, start: Offset) {
    worker.wait_until(stream, start).await;
    while let Some(level) = worker.level().filter(|_| worker.stays(stream)) {
        let request = worker.next_request(&level, stream);
        let cut = async |trace: Rc<Trace>| worker.cut(stream, &trace).await;
        let run = worker.context.run(request, Due::WhenReady, worker, cut);
        let (record, _) = run.await;
        let now = worker.context.clock.now();
        let pause = worker.pause(&record, now);
        worker.tell(LoadEvent::Ended(Box::new(record)));
        if !pause.is_zero() {
            worker.wait_until(stream, now + pause).await;
        }
    }
    let _ = worker.live.borrow_mut().remove(&stream);
}

impl Worker {
    fn stays(&self, stream: u32) -> bool {
        !self.stop.get() && stream < self.streams()
    }

    /// How long a stream waits after a request that ended `now`: to think, to redraw its phase, or
    /// after a failure.
    fn pause(&self, record: &RequestRecord, now: Offset) -> Duration {
        let Some(level) = self.level() else {
            return Duration::ZERO;
        };
        let sent = record.sent.unwrap_or(record.due);
        let think = level.plan.settings.think;
        let think = think.map(|think| think.after(record.id));
        let redraw = level.plan.redraw(level.from);
        let redraw = redraw.map(|redraw| redraw.pause(record.stream, sent, now));
        let pause = think.into_iter().chain(redraw).sum::<Duration>();
        if record.outcome.is_failure() {
            // A server that refuses in 2 ms would otherwise be asked 500 times a second, and one
            // stream too many would look like nothing but failures.
            pause.max(level.back_off())
        } else {
            pause
        }
    }

    /// Waits until `at`, or until the stream has to leave.
    async fn wait_until(&self, stream: u32, at: Offset) {
        let sleep = tokio::time::sleep_until(self.context.clock.instant(at).into());
        tokio::pin!(sleep);
        while self.stays(stream) {
            tokio::select! {
                () = &mut sleep => return,
                () = self.changed.notified() => {}
            }
        }
    }

    /// Resolves when a request must be given up: at the end of the run, or when its stream has to
    /// leave and no token has come. With a token it may finish.
    async fn cut(&self, stream: u32, trace: &Trace) {
        loop {
            let leaves = stream >= self.streams() && trace.first.get().is_none();
            if self.stop.get() || leaves {
                return;
            }
            self.changed.notified().await;
        }
    }
}
