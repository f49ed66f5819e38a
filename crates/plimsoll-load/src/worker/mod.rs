//! A worker: one thread, one current-thread runtime, its share of the streams. It hears commands
//! at human rates and tells what happens through a channel that never blocks it.
//!
//! | part | does |
//! |---|---|
//! | `stream` | a stream of a closed loop: a request, its answer, the next |
//! | `open_loop` | arrivals on a schedule, whatever has become of those before |
//! | `pacing` | waiting for due times, and the cap: for arrivals and for batches |
//! | `pacer` | due times to the microsecond |
//! | `heartbeat` | how late the loop is |

mod heartbeat;
mod open_loop;
mod pacer;
mod pacing;
mod stream;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::mpsc::Sender;

use plimsoll_core::level::Assignment;
use plimsoll_core::record::{Doubt, InFlight, LoadEvent};
use plimsoll_core::time::Offset;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::context::WorkerContext;
use crate::request::{RequestId, Trace, Watch};
pub(crate) use heartbeat::heartbeat;
use open_loop::arrive;
pub(crate) use pacing::{Cap, Pacing, Place};
use stream::run_stream;

/// What a worker is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Go over to a level: streams beyond it leave, those that are missing come.
    Level(Box<Assignment>),
    /// Cut everything and end.
    Stop,
}

/// What the streams and the arrivals of a worker share.
struct Worker {
    context: WorkerContext,
    /// Number of the first request of the run.
    first_request: u64,
    events: Sender<LoadEvent>,
    /// The level that runs; `None` before the first.
    level: RefCell<Option<Rc<Assignment>>>,
    stop: Cell<bool>,
    /// Requests so far, of all levels.
    sent: Cell<u64>,
    /// Streams that have a task. One that had to leave may still be finishing its answer; if it is
    /// wanted again by then it goes on, and no second one takes its place.
    live: RefCell<BTreeSet<u32>>,
    /// Told when `level` or `stop` changed.
    changed: Notify,
    /// Told when a task of it panicked.
    lost: Notify,
}

/// Held by each task of a worker. A task that panics takes its worker with it: without its stream or
/// its request the load would be smaller than it is said to be.
struct Alive(Rc<Worker>);

impl Drop for Alive {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lost.notify_one();
        }
    }
}

impl Watch for Worker {
    fn sent(&self, request: RequestId, trace: &Trace) {
        self.tell(LoadEvent::Sent(InFlight {
            id: request.id,
            level: request.level,
            stream: request.stream,
            due: trace.due.get(),
            ready: trace.ready.get(),
            sent: trace.sent.get(),
            first: None,
            heard: None,
            doubt: Doubt::default(),
        }));
    }

    fn first(&self, request: RequestId, at: Offset, doubt: Doubt) {
        let id = request.id;
        self.tell(LoadEvent::First { id, at, doubt });
    }

    fn heard(&self, request: RequestId, at: Offset) {
        let id = request.id;
        self.tell(LoadEvent::Heard { id, at });
    }
}

/// Runs a worker until it is told to stop, the coordinator is gone, or a task of it panics. The requests
/// of all workers are numbered from `first_request` on.
pub(crate) async fn work(
    context: WorkerContext,
    first_request: u64,
    mut commands: mpsc::UnboundedReceiver<Command>,
    events: Sender<LoadEvent>,
) {
    let worker = Rc::new(Worker {
        context,
        first_request,
        events,
        level: RefCell::default(),
        stop: Cell::new(false),
        sent: Cell::new(0),
        live: RefCell::default(),
        changed: Notify::new(),
        lost: Notify::new(),
    });
    let mut tasks = JoinSet::new();
    let mut background = JoinSet::new();
    let own = Alive(Rc::clone(&worker));
    let _ = background.spawn_local(async move { heartbeat(&own.0.context).await });
    loop {
        let command = tokio::select! {
            command = commands.recv() => command.unwrap_or(Command::Stop),
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            () = worker.lost.notified() => return,
        };
        match command {
            Command::Level(level) => worker.go_over_to(*level, &mut tasks),
            Command::Stop => break,
        }
    }
    worker.stop.set(true);
    worker.changed.notify_waiters();
    while tasks.join_next().await.is_some() {}
}

impl Worker {
    /// Begins a level: what it lacks is started, what it has too much of learns of it.
    fn go_over_to(self: &Rc<Self>, level: Assignment, tasks: &mut JoinSet<()>) {
        let level = Rc::new(level);
        let before = self.streams();
        let _ = self.level.replace(Some(Rc::clone(&level)));
        self.changed.notify_waiters();
        if let Some(due_times) = level.due_times() {
            let (alive, level) = (Alive(Rc::clone(self)), Rc::clone(&level));
            let _ = tasks.spawn_local(async move { arrive(&alive.0, level, due_times).await });
        }
        for stream in self.missing(&level) {
            let start = level.start_of(stream, before);
            let alive = Alive(Rc::clone(self));
            let _ = tasks.spawn_local(async move { run_stream(&alive.0, stream, start).await });
        }
    }

    /// Streams of this worker that have no task; they get one.
    fn missing(&self, level: &Assignment) -> Vec<u32> {
        let mut live = self.live.borrow_mut();
        let streams = level.streams();
        streams.filter(|stream| live.insert(*stream)).collect()
    }

    /// The level that runs.
    fn level(&self) -> Option<Rc<Assignment>> {
        self.level.borrow().clone()
    }

    /// Streams of the level that runs, over all workers.
    fn streams(&self) -> u32 {
        let level = self.level.borrow();
        level
            .as_ref()
            .map_or(0, |level| level.plan.closed_streams())
    }

    fn tell(&self, event: LoadEvent) {
        // The coordinator is gone only when the run is over: then nobody needs the event.
        drop(self.events.send(event));
    }

    /// The next request of this worker.
    fn next_request(&self, level: &Assignment, stream: u32) -> RequestId {
        let nth = self.sent.replace(self.sent.get() + 1);
        let id = level.share.number(self.first_request, nth);
        RequestId {
            id,
            index: id,
            level: level.plan.index,
            stream,
        }
    }
}
