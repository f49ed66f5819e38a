//! What happens in a run: into the folder first, then onto the terminal.

use anyhow::Context;
use plimsoll_core::level::{FinishedLevel, LevelPlan};
use plimsoll_core::record::{LoadEvent, RequestTrace};
use plimsoll_core::run::{Environment, Run, RunEvent, RunPlan, SCHEMA_VERSION, ServerInfo};
use plimsoll_core::runner::{Go, Progress};
use plimsoll_core::search::Listener;
use plimsoll_core::time::Offset;
use plimsoll_report::lang::Lang;

use super::Console;
use crate::fault::{Failure, Fault};
use crate::signal::Stop;
use crate::store::{Folder, LevelRequests, Saved};

/// Begins a run in its folder.
pub(crate) fn begin(
    folder: &Folder,
    started: jiff::Timestamp,
    plan: RunPlan,
    (environment, server): (Environment, ServerInfo),
) -> Result<Run, Failure> {
    let event = RunEvent::RunStarted {
        schema_version: SCHEMA_VERSION,
        started_utc: started.to_string(),
        plan: Box::new(plan),
        environment,
        server: Box::new(server),
    };
    folder.event(&event)?;
    Run::begin(event)
        .context("a run starts with its first event")
        .map_err(Failure::from)
}

/// Goes on with a run in its folder: what is not of a finished level is cut off, and from here on it
/// has so much time in all, s, where that was set anew.
pub(crate) fn go_on(
    folder: &Folder,
    now: jiff::Timestamp,
    saved: &Saved,
    budget_s: Option<f64>,
) -> Result<Run, Failure> {
    folder.cut(saved)?;
    let event = RunEvent::Resumed {
        started_utc: now.to_string(),
        at_s: saved.clock_goes_on_at().as_secs_f64(),
        next_level: saved.levels,
        first_request: saved.first_request(),
        budget_s,
    };
    folder.event(&event)?;
    let mut run = saved.run.clone();
    run.apply(event);
    folder.run(&run)?;
    Ok(run)
}

/// A run that is over.
pub(crate) struct Recorded {
    pub(crate) run: Run,
    /// Why its folder lacks the end of it, if it does.
    unwritten: Option<Failure>,
    /// What ended it, if more requests failed than may.
    too_many: Option<Fault>,
}

impl Recorded {
    /// The run, where it came to its end and its folder has all of it.
    ///
    /// # Errors
    /// The disk is full, or what else the system says; or too many requests failed.
    pub(crate) fn kept(self) -> Result<Run, Failure> {
        let failure = self.unwritten.or(self.too_many.map(Failure::from));
        failure.map_or(Ok(self.run), Err)
    }
}

/// Writes down and says what happens. A level is on the disk as soon as it ends. A folder that takes no
/// more ends the run, and what was measured until then is still to be told.
pub(crate) struct Recorder<'a> {
    pub(crate) run: Run,
    /// Why the folder takes no more, once it does not.
    unwritten: Option<Failure>,
    /// How many requests may fail, and how many have on the levels that are over.
    most_failures: Option<u32>,
    failures: u64,
    too_many: Option<Fault>,
    /// The level of a load that was held, with its requests, once it is over.
    pub(crate) last: Option<FinishedLevel>,
    /// Whether it was cut off.
    pub(crate) is_cut: bool,
    folder: &'a Folder,
    /// Those of the level that goes on, if requests are kept.
    requests: Option<LevelRequests<'a>>,
    console: &'a Console,
    stop: &'a Stop,
    /// Whether each level has its row on the terminal.
    shows_rows: bool,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(run: Run, folder: &'a Folder, console: &'a Console, stop: &'a Stop) -> Self {
        Self {
            shows_rows: run.plan.search().is_some(),
            run,
            unwritten: None,
            most_failures: None,
            failures: 0,
            too_many: None,
            last: None,
            is_cut: false,
            folder,
            requests: None,
            console,
            stop,
        }
    }

    /// The same, which ends the run when more requests than this have failed.
    pub(crate) fn with_most_failures(self, most_failures: Option<u32>) -> Self {
        Self {
            most_failures,
            ..self
        }
    }

    /// Ends the run if more requests have failed than may.
    fn look_at_failures(&mut self, on_level: u64) {
        let failed = self.failures + on_level;
        let most = self.most_failures.filter(|most| failed > u64::from(*most));
        self.too_many = most.map(|most| Fault::TooManyFailures { failed, most });
    }

    /// Keeps the requests that were in flight when the load ended.
    pub(crate) fn leftover(&mut self, events: &[LoadEvent]) {
        if self.run.plan.keeps_requests {
            let requests = events.iter().filter_map(ended);
            let _ = self.write(|folder, _| {
                let mut lines = folder.requests()?;
                lines.add(requests)?;
                lines.end()
            });
        }
    }

    /// Ends the run. The pictures come first: a run that its log calls finished has them.
    pub(crate) fn finish(mut self, event: &RunEvent, lang: Lang) -> Recorded {
        self.run.apply(event.clone());
        let _ = self.write(|folder, run| {
            if !run.levels.is_empty() {
                folder.figures(run, lang)?;
            }
            folder.event(event)?;
            folder.run(run)
        });
        Recorded {
            run: self.run,
            unwritten: self.unwritten,
            too_many: self.too_many,
        }
    }

    /// Writes into the folder, as long as it takes what is written.
    fn write<T>(&mut self, write: impl FnOnce(&Folder, &Run) -> Result<T, Failure>) -> Option<T> {
        if self.unwritten.is_some() {
            return None;
        }
        match write(self.folder, &self.run) {
            Ok(done) => Some(done),
            Err(failure) => {
                self.unwritten = Some(failure);
                None
            }
        }
    }

    fn event(&mut self, event: RunEvent) {
        let _ = self.write(|folder, _| folder.event(&event));
        self.run.apply(event);
    }

    /// Writes down a level that ended, and says it. Its event comes last, and states the sum of the
    /// lines of its requests.
    fn keep(
        &mut self,
        level: FinishedLevel,
        event: impl FnOnce(&FinishedLevel, Option<u32>) -> RunEvent,
    ) {
        let mut lines = self.requests.take();
        let sum = self.write(|folder, _| {
            let sum = lines.as_mut().map(LevelRequests::end).transpose()?;
            folder.signals(&level.samples)?;
            Ok(sum)
        });
        let failed = level.records.iter();
        let failed = failed.filter(|record| record.outcome.is_failure()).count();
        self.failures += failed as u64;
        self.look_at_failures(0);
        if self.shows_rows {
            self.console.level(&level.summary);
        }
        self.event(event(&level, sum.flatten()));
        // A search does without: what a level kept is let go when it ends.
        self.last = Some(level).filter(|_| !self.shows_rows);
        let _ = self.write(Folder::run);
    }
}

impl Listener for Recorder<'_> {
    type Error = Failure;

    fn go(&self) -> Go {
        if self.stop.is_set() || self.unwritten.is_some() || self.too_many.is_some() {
            Go::Stop
        } else {
            Go::On
        }
    }

    fn started(&mut self, plan: &LevelPlan, at: Offset) -> Result<(), Failure> {
        let keeps_requests = self.run.plan.keeps_requests;
        let folder = self.folder;
        let lines = self.write(|_, _| keeps_requests.then(|| folder.requests()).transpose());
        self.requests = lines.flatten();
        self.event(RunEvent::LevelStarted {
            index: plan.index,
            purpose: plan.purpose,
            load: plan.load,
            at_s: at.as_secs_f64(),
        });
        Ok(())
    }

    fn progress(&mut self, progress: &Progress<'_>) -> Go {
        if let Some(mut lines) = self.requests.take() {
            let _ = self.write(|_, _| lines.add(progress.ended.iter()));
            self.requests = Some(lines);
        }
        self.console.show(&self.run, progress);
        self.look_at_failures(progress.level.ledger().failed());
        self.go()
    }

    fn finished(&mut self, level: FinishedLevel) -> Result<(), Failure> {
        self.keep(level, |level, requests_crc32| RunEvent::LevelFinished {
            level: Box::new(level.summary.clone()),
            in_flight: level.in_flight.clone(),
            requests_crc32,
        });
        Ok(())
    }

    fn cut(&mut self, level: FinishedLevel) -> Result<(), Failure> {
        self.is_cut = true;
        self.keep(level, |level, _| RunEvent::LevelCut {
            level: Box::new(level.summary.clone()),
        });
        Ok(())
    }
}

/// The request that an event ends.
fn ended(event: &LoadEvent) -> Option<&RequestTrace> {
    match event {
        LoadEvent::Ended(request) => Some(request),
        LoadEvent::Due(_)
        | LoadEvent::Sent(_)
        | LoadEvent::First { .. }
        | LoadEvent::Heard { .. } => None,
    }
}
