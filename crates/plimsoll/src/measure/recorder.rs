//! What happens in a run: into the folder first, then onto the terminal.

use anyhow::Context;
use plimsoll_core::level::{FinishedLevel, LevelPlan};
use plimsoll_core::record::{LoadEvent, RequestRecord};
use plimsoll_core::run::{Environment, Run, RunEvent, RunPlan, SCHEMA_VERSION, ServerInfo};
use plimsoll_core::runner::{Go, Progress};
use plimsoll_core::search::Listener;
use plimsoll_core::time::Offset;
use plimsoll_report::lang::Lang;

use super::Console;
use crate::fault::Failure;
use crate::signal::Stop;
use crate::store::Folder;

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

/// Writes down and says what happens. A level is on the disk as soon as it ends.
pub(crate) struct Recorder<'a> {
    pub(crate) run: Run,
    /// The last level, with its requests.
    pub(crate) last: Option<FinishedLevel>,
    folder: &'a Folder,
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
            last: None,
            folder,
            console,
            stop,
        }
    }

    /// Keeps the requests that were in flight when the load ended.
    pub(crate) fn leftover(&self, events: &[LoadEvent]) -> Result<(), Failure> {
        if !self.run.plan.keeps_requests {
            return Ok(());
        }
        self.folder.requests(events.iter().filter_map(record))
    }

    /// Ends the run. The pictures come first: a run that its log calls finished has them.
    pub(crate) fn finish(mut self, event: &RunEvent, lang: Lang) -> Result<Run, Failure> {
        self.run.apply(event.clone());
        if !self.run.levels.is_empty() {
            self.folder.figures(&self.run, lang)?;
        }
        self.folder.event(event)?;
        self.folder.run(&self.run)?;
        Ok(self.run)
    }

    fn event(&mut self, event: RunEvent) -> Result<(), Failure> {
        self.folder.event(&event)?;
        self.run.apply(event);
        Ok(())
    }

    fn keep(&mut self, level: FinishedLevel, event: RunEvent) -> Result<(), Failure> {
        if self.run.plan.keeps_requests {
            self.folder.requests(level.records.iter())?;
        }
        self.folder.signals(&level.samples)?;
        if self.shows_rows {
            self.console.level(&level.summary);
        }
        self.event(event)?;
        self.last = Some(level);
        self.folder.run(&self.run)
    }
}

impl Listener for Recorder<'_> {
    type Error = Failure;

    fn go(&self) -> Go {
        if self.stop.is_set() { Go::Stop } else { Go::On }
    }

    fn started(&mut self, plan: &LevelPlan, at: Offset) -> Result<(), Failure> {
        self.event(RunEvent::LevelStarted {
            index: plan.index,
            purpose: plan.purpose,
            load: plan.load,
            at_s: at.as_secs_f64(),
        })
    }

    fn progress(&mut self, progress: &Progress<'_>) -> Go {
        self.console.show(&self.run, progress);
        self.go()
    }

    fn finished(&mut self, level: FinishedLevel) -> Result<(), Failure> {
        let event = RunEvent::LevelFinished {
            level: Box::new(level.summary.clone()),
            in_flight: level.in_flight.clone(),
        };
        self.keep(level, event)
    }

    fn cut(&mut self, level: FinishedLevel) -> Result<(), Failure> {
        let event = RunEvent::LevelCut {
            level: Box::new(level.summary.clone()),
        };
        self.keep(level, event)
    }
}

/// The record of an event that ends a request.
fn record(event: &LoadEvent) -> Option<&RequestRecord> {
    match event {
        LoadEvent::Ended(record) => Some(record),
        LoadEvent::Due(_)
        | LoadEvent::Sent(_)
        | LoadEvent::First { .. }
        | LoadEvent::Heard { .. } => None,
    }
}
