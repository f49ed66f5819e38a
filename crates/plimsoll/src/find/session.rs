//! The loop: what the search wants, the level, its place on the disk.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use plimsoll_core::level::FinishedLevel;
use plimsoll_core::record::{LoadEvent, RequestRecord};
use plimsoll_core::run::{Run, RunEvent, RunState, SCHEMA_VERSION};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Axis, TierLevel, Tiers};
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Note, Verdict};
use plimsoll_load::clock::Clock;
use plimsoll_load::coordinator::SocketRunner;
use plimsoll_load::crew::CrewOptions;
use plimsoll_load::dialect::WorkloadSource;
use plimsoll_load::preflight::Ready;
use plimsoll_load::source::RequestSource;
use plimsoll_load::target::Target;
use plimsoll_load::telemetry::Telemetry;
use plimsoll_report::lang::Lang;
use plimsoll_report::least::least_for_a_pass;
use plimsoll_report::table::level_header;

use super::plan::Resolved;
use super::{Start, answers, tiers};
use crate::console::Console;
use crate::exit::Failure;
use crate::machine;
use crate::signal::Stop;
use crate::store::{Folder, Saved};

/// A run with all that it needs.
pub(super) struct Session<'a> {
    pub(super) resolved: Resolved,
    pub(super) target: Target,
    pub(super) ready: Ready,
    pub(super) start: Start,
    pub(super) console: Console,
    pub(super) lang: Lang,
    pub(super) stop: &'a Stop,
}

impl Session<'_> {
    /// Runs it to its verdict, or until it is stopped.
    pub(super) fn run(&self) -> Result<Run, Failure> {
        let (clock, mut run) = self.begin()?;
        let mut tiers = tiers::searches(&self.resolved, &self.start, &run)?;
        let mut runner = self.runner(clock)?;
        while let Some(asked) = tiers.next(elapsed(&runner)) {
            if self.stop.is_set() {
                break;
            }
            self.level(&mut run, &mut tiers, &mut runner, asked)?;
        }
        let ended = elapsed(&runner);
        let last = runner.stop();
        if self.resolved.keeps_requests {
            let ended = last.iter().filter_map(record);
            self.folder().requests(ended)?;
        }
        self.finish(&mut run, &tiers, ended)?;
        Ok(run)
    }

    /// Runs a level and gives it to the tiers.
    fn level(
        &self,
        run: &mut Run,
        tiers: &mut Tiers,
        runner: &mut SocketRunner,
        asked: TierLevel,
    ) -> Result<(), Failure> {
        let started = RunEvent::LevelStarted {
            index: asked.plan.index,
            purpose: asked.plan.purpose,
            load: asked.plan.load,
            at_s: runner.now().as_secs_f64(),
        };
        self.event(run, started)?;
        let mut finished = runner.run_level(asked.plan, &asked.slo, &mut |progress| {
            self.console.show(&progress);
            if self.stop.is_set() { Go::Stop } else { Go::On }
        })?;
        // A level that was interrupted was not held as planned: it is kept, not judged.
        let is_cut = self.stop.is_set();
        if !is_cut {
            finished.summary = tiers.take(&finished);
        }
        self.keep(run, &finished, is_cut)
    }

    pub(super) fn folder(&self) -> &Folder {
        self.start.folder()
    }

    /// The clock, and the run as far as it is known.
    fn begin(&self) -> Result<(Clock, Run), Failure> {
        let info = &self.ready.info;
        let plan = &self.resolved.plan;
        let tiers = plan.tiers.iter();
        let tiers: Vec<String> = tiers
            .map(|tier| format!("{}: {}", tier.name, tier.slo))
            .collect();
        let objectives = if tiers.is_empty() {
            plan.slo.to_string()
        } else {
            tiers.join(" · ")
        };
        self.console
            .say(&format!("{} · {} · {objectives}", plan.target, info.model));
        if let Some(least) = self.least_for_a_pass() {
            self.console.say(&least);
        }
        self.console.say(&level_header(self.lang));
        match &self.start {
            Start::Fresh { at, .. } => Ok((Clock::start(), self.begin_anew(*at)?)),
            Start::Again { saved, .. } => self.go_on(saved),
        }
    }

    /// What a pass takes, by the request time that preflight saw. Arrivals on a schedule bring
    /// their requests without waiting for answers, so their price is not known before.
    fn least_for_a_pass(&self) -> Option<String> {
        let plan = &self.resolved.plan;
        let request_time = self
            .ready
            .request_time
            .filter(|_| plan.axis == Axis::Streams)?;
        least_for_a_pass(
            &plan.slo,
            plan.confidence,
            request_time,
            plan.max_concurrency,
            self.lang,
        )
    }

    fn begin_anew(&self, started: jiff::Timestamp) -> Result<Run, Failure> {
        let event = RunEvent::RunStarted {
            schema_version: SCHEMA_VERSION,
            started_utc: started.to_string(),
            plan: Box::new(self.resolved.plan.clone()),
            environment: machine::describe(self.resolved.workers),
            server: Box::new(self.ready.info.clone()),
        };
        self.folder().event(&event)?;
        Run::begin(event)
            .context("a run starts with its first event")
            .map_err(Failure::from)
    }

    fn go_on(&self, saved: &Saved) -> Result<(Clock, Run), Failure> {
        self.folder().cut(saved)?;
        let at = saved.clock_goes_on_at();
        let mut run = saved.run.clone();
        let event = RunEvent::Resumed {
            started_utc: jiff::Timestamp::now().to_string(),
            at_s: at.as_secs_f64(),
            next_level: saved.levels,
            first_request: saved.first_request(),
        };
        self.event(&mut run, event)?;
        self.folder().run(&run)?;
        run.levels
            .iter()
            .for_each(|level| self.console.level(level));
        Ok((Clock::start_at(at), run))
    }

    fn runner(&self, clock: Clock) -> Result<SocketRunner, Failure> {
        let source: Arc<dyn RequestSource> = Arc::new(WorkloadSource {
            dialect: self.ready.dialect.clone(),
            workload: self.resolved.preflight.workload,
        });
        let telemetry = Telemetry::of(&self.ready.info, &self.target, clock)?;
        let options = CrewOptions {
            workers: self.resolved.workers,
            timeout: self.resolved.preflight.timeout,
            keep_alive: self.resolved.keep_alive,
            first_request: self.start.saved().map_or(0, Saved::first_request),
        };
        Ok(SocketRunner::start(
            &self.target,
            &source,
            telemetry,
            clock,
            options,
        )?)
    }

    /// A level is on disk as soon as it ends.
    fn keep(&self, run: &mut Run, finished: &FinishedLevel, is_cut: bool) -> Result<(), Failure> {
        if self.resolved.keeps_requests {
            self.folder().requests(finished.records.iter())?;
        }
        self.folder().signals(&finished.samples)?;
        self.console.level(&finished.summary);
        let level = Box::new(finished.summary.clone());
        let event = if is_cut {
            RunEvent::LevelCut { level }
        } else {
            RunEvent::LevelFinished {
                level,
                in_flight: finished.in_flight.clone(),
            }
        };
        self.event(run, event)?;
        self.folder().run(run)
    }

    fn event(&self, run: &mut Run, event: RunEvent) -> Result<(), Failure> {
        self.folder().event(&event)?;
        run.apply(event);
        Ok(())
    }

    fn finish(&self, run: &mut Run, tiers: &Tiers, ended: Duration) -> Result<(), Failure> {
        let (verdict, tiers) = answers::answers(self, run, tiers, ended)?;
        let interrupted = |verdict: &Verdict| verdict.notes.contains(&Note::Interrupted);
        let state = if interrupted(&verdict) || tiers.iter().any(|tier| interrupted(&tier.verdict))
        {
            RunState::Partial
        } else {
            RunState::Finished
        };
        let event = RunEvent::RunFinished {
            state,
            verdict: Box::new(verdict),
            tiers,
        };
        run.apply(event.clone());
        // The pictures first: a run that its log calls finished has them.
        if !run.levels.is_empty() {
            self.folder().figures(run, self.lang)?;
        }
        self.folder().event(&event)?;
        self.folder().run(run)
    }
}

fn elapsed(runner: &SocketRunner) -> Duration {
    runner.now().since(Offset::ZERO)
}

/// The record of an event that ends a request.
fn record(event: &LoadEvent) -> Option<&RequestRecord> {
    match event {
        LoadEvent::Ended(record) => Some(record),
        LoadEvent::Due(_) | LoadEvent::Sent(_) | LoadEvent::First { .. } => None,
    }
}
