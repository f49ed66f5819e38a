//! Workers as threads of this process: commands and events go through channels.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use plimsoll_core::level::{Assignment, LevelPlan};
use plimsoll_core::record::LoadEvent;
use plimsoll_core::time::Offset;
use tokio::sync::mpsc;

use super::{Command, Crew, Steal, WorkerStats};
use crate::clock::Clock;
use crate::connect::Connector;
use crate::context::{PollClock, WorkerContext, WorkerOptions};
use crate::error::LoadError;
use crate::source::RequestSource;
use crate::stats::LiveStats;
use crate::target::Target;
use crate::worker;

/// Settings of a crew of threads.
#[derive(Clone, Copy, Debug)]
pub struct CrewOptions {
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

/// Workers that are threads.
pub struct ThreadCrew {
    clock: Clock,
    workers: Vec<Worker>,
    events: Receiver<LoadEvent>,
    /// What the host had taken when the counts were last taken.
    steal: Option<Steal>,
}

struct Worker {
    commands: mpsc::UnboundedSender<Command>,
    stats: Arc<LiveStats>,
    thread: Option<JoinHandle<()>>,
}

/// What every worker is given.
struct Setup {
    target: Target,
    connector: Connector,
    source: Arc<dyn RequestSource>,
    clock: Clock,
    options: CrewOptions,
    events: Sender<LoadEvent>,
}

impl Setup {
    /// Starts a worker, and returns when it can take commands.
    fn start(self, index: u32) -> Result<Worker, LoadError> {
        let stats = Arc::new(LiveStats::default());
        let (commands, received) = mpsc::unbounded_channel();
        let (ready, is_ready) = channel();
        let their_stats = Arc::clone(&stats);
        let thread = std::thread::Builder::new()
            .name(format!("plimsoll-load-{index}"))
            .spawn(move || {
                let poll_clock = PollClock::new(self.clock);
                // The runtime belongs to this thread. That nobody waits for it is no fault here.
                match PollClock::runtime(&poll_clock) {
                    Err(error) => drop(ready.send(Err(error))),
                    Ok(runtime) => {
                        drop(ready.send(Ok(())));
                        let first = self.options.first_request;
                        let (context, events) = self.context(their_stats, poll_clock);
                        runtime.block_on(worker::work(context, first, received, events));
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
        stats: Arc<LiveStats>,
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

impl ThreadCrew {
    /// Starts the workers; no request is sent yet.
    ///
    /// # Errors
    /// The host has no address, TLS cannot be set up, or a worker cannot be started.
    pub fn start(
        target: &Target,
        source: &Arc<dyn RequestSource>,
        clock: Clock,
        options: CrewOptions,
    ) -> Result<Self, LoadError> {
        let connector = Connector::to(target)?;
        let (sender, events) = channel();
        let start = |index| {
            let setup = Setup {
                target: target.clone(),
                connector: connector.clone(),
                source: Arc::clone(source),
                clock,
                options,
                events: sender.clone(),
            };
            setup.start(index)
        };
        Ok(Self {
            clock,
            workers: (0..options.workers)
                .map(start)
                .collect::<Result<_, LoadError>>()?,
            events,
            steal: Steal::read(),
        })
    }

    /// Whether the load is carried by all. The others hold the way that events come by open, so it
    /// does not tell.
    fn has_all(&self) -> Result<(), LoadError> {
        let mut threads = self.workers.iter().filter_map(|one| one.thread.as_ref());
        if threads.any(JoinHandle::is_finished) {
            return Err(LoadError::WorkerLost);
        }
        Ok(())
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
}

impl Crew for ThreadCrew {
    type Error = LoadError;

    fn now(&self) -> Offset {
        self.clock.now()
    }

    fn go_over_to(&mut self, plan: &LevelPlan, from: Offset) -> Result<(), LoadError> {
        let assignments = Assignment::split(plan, from, self.workers.len() as u32);
        self.workers
            .iter()
            .zip(assignments)
            .all(|(worker, one)| worker.commands.send(Command::Level(Box::new(one))).is_ok())
            .then_some(())
            .ok_or(LoadError::WorkerLost)
    }

    fn next_event(&mut self, until: Offset) -> Result<Option<LoadEvent>, LoadError> {
        let left = until.since(self.clock.now());
        if left.is_zero() {
            return self.has_all().map(|()| None);
        }
        match self.events.recv_timeout(left) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => self.has_all().map(|()| None),
            Err(RecvTimeoutError::Disconnected) => Err(LoadError::WorkerLost),
        }
    }

    fn take_stats(&mut self) -> Result<WorkerStats, LoadError> {
        let now = self.clock.now();
        let stolen_cpu_ratio = Steal::ratio_since(self.steal);
        self.steal = Steal::read();
        let counted = self.workers.iter().map(|worker| worker.stats.take(now));
        let mut stats: WorkerStats = counted.collect();
        stats.stolen_cpu_ratio = stolen_cpu_ratio;
        Ok(stats)
    }

    fn stop(mut self) -> Vec<LoadEvent> {
        self.end_workers();
        self.events.try_iter().collect()
    }
}

impl Drop for ThreadCrew {
    fn drop(&mut self) {
        self.end_workers();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use plimsoll_core::level::{Hold, LevelSettings, Load, OpenLoop, Purpose};

    use super::*;
    use crate::source::Built;

    /// Long after a lost worker must have been told of, and long before any of these requests ends.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Panics instead of one request.
    struct Without(u64);

    impl RequestSource for Without {
        fn build(&self, index: u64) -> Built {
            assert_ne!(index, self.0, "a fault of the tool");
            Built::default()
        }
    }

    fn plan(load: Load) -> LevelPlan {
        LevelPlan {
            index: 0,
            purpose: Purpose::Ramp,
            load,
            settings: LevelSettings::default(),
            open_loop: OpenLoop::default(),
            hold: Hold::Short,
            request_time: Duration::from_millis(10),
            longest_hold: Duration::from_secs(60),
            longest: Duration::from_secs(600),
        }
    }

    /// What becomes of a level whose request panics. The server takes connections and says nothing.
    fn lost(load: Load, request: u64, workers: u32) -> LoadError {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target::parse(&format!("http://{}", server.local_addr().unwrap())).unwrap();
        let source: Arc<dyn RequestSource> = Arc::new(Without(request));
        let options = CrewOptions {
            workers,
            timeout: Duration::from_secs(600),
            keep_alive: true,
            first_request: 0,
        };
        let clock = Clock::start();
        let mut crew = ThreadCrew::start(&target, &source, clock, options).unwrap();
        crew.go_over_to(&plan(load), clock.now()).unwrap();
        while clock.now().since(Offset::ZERO) < PATIENCE {
            if let Err(error) = crew.next_event(clock.now() + Duration::from_millis(50)) {
                return error;
            }
        }
        panic!("{load:?} over {workers} workers: nobody missed request {request}");
    }

    #[test]
    fn a_worker_that_is_lost_ends_its_level_though_others_are_left() {
        for (load, request, workers) in [
            (Load::Streams(4), 0, 1),
            (Load::Streams(4), 2, 2),
            (Load::Streams(4), 3, 2),
            (Load::RatePerS(50.0), 5, 1),
            (Load::RatePerS(50.0), 5, 3),
        ] {
            let error = lost(load, request, workers);
            assert!(matches!(error, LoadError::WorkerLost), "{error}");
        }
    }
}
