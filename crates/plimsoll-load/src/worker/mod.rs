//! A worker: one thread, one current-thread runtime, its share of the streams. It hears commands
//! at human rates and tells what happens through a channel that never blocks it.

mod arrivals;
mod heartbeat;
mod pacer;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use plimsoll_core::level::{InFlight, LoadEvent};
use plimsoll_core::record::RequestRecord;
use plimsoll_core::schedule::{Redraw, scatter};
use plimsoll_core::time::Offset;
use plimsoll_core::workload::ThinkTime;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::context::WorkerContext;
use crate::request::{Due, RequestId, Trace, Watch};
pub(crate) use arrivals::Arrivals;
use arrivals::arrive;
pub(crate) use heartbeat::heartbeat;
pub(crate) use pacer::Pacer;

/// What the coordinator tells a worker.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Go over to a level: streams at or above `streams` leave, those that are missing come.
    Level {
        /// Index of the level.
        level: u32,
        /// Streams of the level, over all workers.
        streams: u32,
        /// How long a stream waits before its next request.
        think: Option<ThinkTime>,
        /// Mean request time so far.
        request_time: Duration,
        /// Over how long the new streams start, if they do not think.
        spread: Duration,
        /// How long a stream waits after a failure.
        back_off: Duration,
        /// When streams pause to redraw their phases.
        redraw: Option<Redraw>,
        /// What arrives on a schedule instead of streams.
        arrivals: Option<Box<Arrivals>>,
    },
    /// Cut everything and end.
    Stop,
}

/// This worker among all: its requests are numbers `first + index + k · count`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) index: u32,
    pub(crate) count: u32,
    pub(crate) first: u64,
}

impl Share {
    /// This worker's requests of a batch: their numbers, and when each is due.
    pub(crate) fn of(self, dues: &[Duration]) -> impl Iterator<Item = (u64, Duration)> {
        let numbered = (self.first..).zip(dues.iter().copied());
        numbered
            .skip(self.index as usize)
            .step_by(self.count as usize)
    }
}

/// What the streams of a worker share.
struct Shared {
    context: WorkerContext,
    share: Share,
    events: Sender<LoadEvent>,
    level: Cell<u32>,
    streams: Cell<u32>,
    back_off: Cell<Duration>,
    think: Cell<Option<ThinkTime>>,
    redraw: Cell<Option<Redraw>>,
    stop: Cell<bool>,
    /// Requests so far, of all levels.
    next: Cell<u64>,
    /// Streams that have a task. One that had to leave may still be finishing its answer; if it is
    /// wanted again by then it goes on, and no second one takes its place.
    live: RefCell<BTreeSet<u32>>,
    /// Told when `streams` or `stop` changed.
    changed: Notify,
}

impl Watch for Shared {
    fn sent(&self, request: RequestId, trace: &Trace) {
        let request = InFlight {
            id: request.id,
            level: request.level,
            stream: request.stream,
            due: trace.due.get(),
            ready: trace.ready.get(),
            sent: trace.sent.get(),
            first: None,
        };
        self.tell(LoadEvent::Sent(request));
    }

    fn first(&self, request: RequestId, at: Offset) {
        self.tell(LoadEvent::First { id: request.id, at });
    }
}

/// Runs a worker until it is told to stop or the coordinator is gone.
pub(crate) async fn work(
    context: WorkerContext,
    share: Share,
    mut commands: mpsc::UnboundedReceiver<Command>,
    events: Sender<LoadEvent>,
) {
    let shared = Rc::new(Shared {
        context,
        share,
        events,
        level: Cell::new(0),
        streams: Cell::new(0),
        back_off: Cell::new(Duration::ZERO),
        think: Cell::new(None),
        redraw: Cell::new(None),
        stop: Cell::new(false),
        next: Cell::new(0),
        live: RefCell::default(),
        changed: Notify::new(),
    });
    let mut streams = JoinSet::new();
    let mut background = JoinSet::new();
    let own = Rc::clone(&shared);
    let _ = background.spawn_local(async move { heartbeat(&own.context).await });
    loop {
        let command = tokio::select! {
            command = commands.recv() => command.unwrap_or(Command::Stop),
            Some(_) = streams.join_next(), if !streams.is_empty() => continue,
        };
        match command {
            Command::Level {
                level,
                streams: limit,
                think,
                request_time,
                spread,
                back_off,
                redraw,
                arrivals,
            } => {
                shared.level.set(level);
                shared.streams.set(limit);
                shared.back_off.set(back_off);
                shared.think.set(think);
                shared.redraw.set(redraw);
                shared.changed.notify_waiters();
                let now = shared.context.clock.now();
                if let Some(arrivals) = arrivals {
                    let _ = streams.spawn_local(arrive(Rc::clone(&shared), level, arrivals));
                }
                for stream in shared.missing(limit) {
                    let start = now
                        + think.map_or_else(
                            || scatter(stream, spread),
                            |think| think.join(stream, request_time),
                        );
                    let _ = streams.spawn_local(run_stream(Rc::clone(&shared), stream, start));
                }
            }
            Command::Stop => break,
        }
    }
    shared.stop.set(true);
    shared.changed.notify_waiters();
    while streams.join_next().await.is_some() {}
}

/// One virtual client: a request, its answer to the end, and the next, at once or after a thought.
async fn run_stream(shared: Rc<Shared>, stream: u32, start: Offset) {
    shared.wait_until(stream, start).await;
    while shared.stays(stream) {
        let request = shared.request(stream);
        let (record, _) = shared
            .context
            .run(request, Due::WhenReady, &*shared, async |trace| {
                shared.cut(stream, &trace).await;
            })
            .await;
        let now = shared.context.clock.now();
        let pause = shared.pause(&record, now);
        shared.tell(LoadEvent::Ended(Box::new(record)));
        if !pause.is_zero() {
            shared.wait_until(stream, now + pause).await;
        }
    }
    let _ = shared.live.borrow_mut().remove(&stream);
}

impl Shared {
    /// Streams of this worker below `limit` that have no task; they get one.
    fn missing(&self, limit: u32) -> Vec<u32> {
        let mut live = self.live.borrow_mut();
        (0..limit)
            .filter(|stream| stream % self.share.count == self.share.index)
            .filter(|stream| live.insert(*stream))
            .collect()
    }

    fn tell(&self, event: LoadEvent) {
        // The coordinator is gone only when the run is over: then nobody needs the event.
        drop(self.events.send(event));
    }

    fn stays(&self, stream: u32) -> bool {
        !self.stop.get() && stream < self.streams.get()
    }

    fn request(&self, stream: u32) -> RequestId {
        let k = self.next.replace(self.next.get() + 1);
        let id = self.share.first + u64::from(self.share.index) + k * u64::from(self.share.count);
        RequestId {
            id,
            index: id,
            level: self.level.get(),
            stream,
        }
    }

    /// How long a stream waits after a request that ended `now`: to think, to redraw its phase, or
    /// after a failure.
    fn pause(&self, record: &RequestRecord, now: Offset) -> Duration {
        let sent = record.sent.unwrap_or(record.due);
        let think = self.think.get().map(|think| think.after(record.id));
        let redraw = self.redraw.get();
        let redraw = redraw.map(|redraw| redraw.pause(record.stream, sent, now));
        let pause = think.into_iter().chain(redraw).sum::<Duration>();
        if record.outcome.is_failure() {
            // A server that refuses in 2 ms would otherwise be asked 500 times a second, and one
            // stream too many would look like nothing but failures.
            pause.max(self.back_off.get())
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
            let leaves = stream >= self.streams.get() && trace.first.get().is_none();
            if self.stop.get() || leaves {
                return;
            }
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_number_of_workers_carries_the_same_arrivals(
            dues in prop::collection::vec(0..1_000u64, 0..100),
            count in 1..20u32,
        ) {
            let dues: Vec<Duration> = dues.into_iter().map(Duration::from_millis).collect();
            let shares = (0..count).map(|index| Share { index, count, first: 0 });
            let mut carried: Vec<_> = shares.flat_map(|share| share.of(&dues)).collect();
            carried.sort_unstable();
            let due: Vec<_> = (0..).zip(dues).collect();
            prop_assert_eq!(carried, due);
        }
    }
}
