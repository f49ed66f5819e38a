//! The runner over sockets: workers carry the streams, this thread steps the level.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use plimsoll_core::level::{
    ClientHealth, FinishedLevel, InFlight, Level, LevelPlan, LoadEvent, Step,
};
use plimsoll_core::runner::{Go, Progress, Runner};
use plimsoll_core::slo::Slo;
use plimsoll_core::telemetry::ServerWindow;
use plimsoll_core::time::Offset;
use tokio::sync::{Semaphore, mpsc};

use crate::clock::Clock;
use crate::connect::Connector;
use crate::context::{PollClock, WorkerContext, WorkerOptions};
use crate::error::LoadError;
use crate::source::RequestSource;
use crate::stats::{self, SharedStats, WorkerStats};
use crate::steal::Steal;
use crate::target::Target;
use crate::telemetry::Telemetry;
use crate::worker::{self, Arrivals, Command, Share};

/// How often the level is stepped and the listener called.
const TICK: Duration = Duration::from_millis(50);
/// After a failure a stream waits one request time, within these bounds.
const BACK_OFF: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(50)..=Duration::from_secs(10);

/// Settings of a run over sockets.
#[derive(Clone, Copy, Debug)]
pub struct RunnerOptions {
    /// Worker threads; each drives its share of the streams.
    pub workers: u32,
    /// Time limit of one request.
    pub timeout: Duration,
    /// Whether a connection carries one request after another, or only one.
    pub keep_alive: bool,
    /// Number of the first request: above those of a run that is resumed, since their prompts may
    /// still be in the server's cache.
    pub first_request: u64,
}

/// Carries levels over sockets.
pub struct SocketRunner {
    clock: Clock,
    workers: Vec<Worker>,
    events: Receiver<LoadEvent>,
    telemetry: Option<Telemetry>,
    in_flight: Vec<InFlight>,
    streams: u32,
}

struct Worker {
    commands: mpsc::UnboundedSender<Command>,
    stats: Arc<SharedStats>,
    thread: Option<JoinHandle<()>>,
}

/// What every worker is given.
struct Crew {
    target: Target,
    connector: Connector,
    source: Arc<dyn RequestSource>,
    clock: Clock,
    options: RunnerOptions,
    events: Sender<LoadEvent>,
}

impl Crew {
    /// Starts a worker, and returns when it can take commands.
    fn start(self, share: Share) -> Result<Worker, LoadError> {
        let stats = Arc::new(SharedStats::default());
        let (commands, received) = mpsc::unbounded_channel();
        let (ready, is_ready) = channel();
        let their_stats = Arc::clone(&stats);
        let thread = std::thread::Builder::new()
            .name(format!("plimsoll-load-{}", share.index))
            .spawn(move || {
                let poll_clock = PollClock::new(self.clock);
                // The runtime belongs to this thread. That nobody waits for it is no fault here.
                let runtime = PollClock::runtime(&poll_clock);
                match runtime {
                    Err(error) => drop(ready.send(Err(error))),
                    Ok(runtime) => {
                        drop(ready.send(Ok(())));
                        let (context, events) = self.context(their_stats, poll_clock);
                        runtime.block_on(worker::work(context, share, received, events));
                    }
                }
            })
            .map_err(LoadError::Worker)?;
        let started = is_ready.recv().map_err(|_| LoadError::WorkerLost)?;
        started.map_err(LoadError::Worker)?;
        Ok(Worker {
            commands,
            stats,
            thread: Some(thread),
        })
    }

    fn context(
        self,
        stats: Arc<SharedStats>,
        poll_clock: Arc<PollClock>,
    ) -> (WorkerContext, Sender<LoadEvent>) {
        let options = WorkerOptions {
            timeout: self.options.timeout,
            keep_text: false,
            keep_alive: self.options.keep_alive,
            stats,
            poll_clock,
        };
        let context = WorkerContext::new(
            self.target,
            self.connector,
            self.source,
            self.clock,
            options,
        );
        (context, self.events)
    }
}

impl SocketRunner {
    /// Starts the workers; no request is sent yet.
    ///
    /// # Errors
    /// The host has no address, TLS cannot be set up, or a worker cannot be started.
    pub fn start(
        target: &Target,
        source: &Arc<dyn RequestSource>,
        telemetry: Option<Telemetry>,
        clock: Clock,
        options: RunnerOptions,
    ) -> Result<Self, LoadError> {
        let connector = Connector::to(target)?;
        let (sender, events) = channel();
        let workers = (0..options.workers)
            .map(|index| {
                let share = Share {
                    index,
                    count: options.workers,
                    first: options.first_request,
                };
                let crew = Crew {
                    target: target.clone(),
                    connector: connector.clone(),
                    source: Arc::clone(source),
                    clock,
                    options,
                    events: sender.clone(),
                };
                crew.start(share)
            })
            .collect::<Result<Vec<_>, LoadError>>()?;
        Ok(Self {
            clock,
            workers,
            events,
            telemetry,
            in_flight: Vec::new(),
            streams: 0,
        })
    }

    /// Cuts what is in flight, ends the workers, and gives the events of the last requests.
    pub fn stop(mut self) -> Vec<LoadEvent> {
        self.end_workers();
        self.events.try_iter().collect()
    }

    fn end_workers(&mut self) {
        for worker in &mut self.workers {
            drop(worker.commands.send(Command::Stop));
            if let Some(thread) = worker.thread.take() {
                // A worker that panicked has printed why; its requests are missing from the counts.
                drop(thread.join());
            }
        }
    }

    /// Tells every worker of the level that starts at `from`.
    fn go_over_to(&mut self, plan: &LevelPlan, from: Offset) -> Result<(), LoadError> {
        let command = Command::Level {
            level: plan.index,
            streams: plan.closed_streams(),
            think: plan.settings.think,
            request_time: plan.request_time,
            spread: plan.handover(self.streams),
            arrivals: arrivals(plan, from).map(Box::new),
            back_off: plan.request_time.clamp(*BACK_OFF.start(), *BACK_OFF.end()),
            redraw: plan.redraw(from),
        };
        self.streams = plan.closed_streams();
        self.workers
            .iter()
            .all(|worker| worker.commands.send(command.clone()).is_ok())
            .then_some(())
            .ok_or(LoadError::WorkerLost)
    }

    /// What the workers have counted since this was last asked.
    fn stats(&self) -> Vec<WorkerStats> {
        let now = self.clock.now();
        let take = |worker: &Worker| worker.stats.take(now);
        self.workers.iter().map(take).collect()
    }

    /// Applies what has happened within one tick.
    fn pump(&self, level: &mut Level) -> Result<(), LoadError> {
        let until = self.clock.now() + TICK;
        loop {
            let left = until.since(self.clock.now());
            match self.events.recv_timeout(left) {
                Ok(event) => level.apply(event),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(LoadError::WorkerLost),
            }
            if left.is_zero() {
                return Ok(());
            }
        }
    }
}

impl Runner for SocketRunner {
    type Error = LoadError;

    fn now(&self) -> Offset {
        self.clock.now()
    }

    fn run_level(
        &mut self,
        plan: LevelPlan,
        slo: &Slo,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Go,
    ) -> Result<FinishedLevel, LoadError> {
        let now = self.clock.now();
        self.go_over_to(&plan, now)?;
        let mut counted = Counted::begin(self, now);
        let mut level = Level::start(plan, slo.clone(), now, std::mem::take(&mut self.in_flight));
        loop {
            self.pump(&mut level)?;
            let now = self.clock.now();
            let step = level.tick(now);
            if level.window_from() == Some(now) {
                counted = Counted::begin(self, now);
            }
            let go = on_progress(Progress { level: &level, now });
            if step == Step::End || go == Go::Stop {
                let from = level.window_from().unwrap_or(level.started_at());
                let telemetry = self.telemetry.as_ref();
                let samples = telemetry.map_or_else(Vec::new, |telemetry| telemetry.take(now));
                let server = ServerWindow::of(&samples, from, now);
                let finished = level.finish(now, counted.end(self, now), server);
                self.in_flight.clone_from(&finished.in_flight);
                return Ok(FinishedLevel {
                    samples,
                    ..finished
                });
            }
        }
    }
}

/// What arrives on a level that starts at `from`, if its load is a rate.
fn arrivals(plan: &LevelPlan, from: Offset) -> Option<Arrivals> {
    let places = |cap: u32| Arc::new(Semaphore::new(cap as usize));
    Some(Arrivals {
        from,
        dues: plan.dues()?,
        places: plan.open_loop.most_in_flight.map(places),
    })
}

/// A stretch of time over which the client looks at itself: a level, or its window.
struct Counted {
    from: Offset,
    steal: Option<Steal>,
}

impl Counted {
    /// Begins anew; what was counted before is forgotten.
    fn begin(runner: &SocketRunner, now: Offset) -> Self {
        drop(runner.stats());
        Self {
            from: now,
            steal: Steal::read(),
        }
    }

    fn end(&self, runner: &SocketRunner, now: Offset) -> ClientHealth {
        ClientHealth {
            stolen_cpu_ratio: Steal::ratio_since(self.steal),
            ..stats::health(&runner.stats(), now.since(self.from))
        }
    }
}

impl Drop for SocketRunner {
    fn drop(&mut self) {
        self.end_workers();
    }
}
