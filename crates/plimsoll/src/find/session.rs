//! One search: the server, the loop, the answer.

use std::time::Duration;

use plimsoll_core::run::{Run, RunEvent, RunPlan, RunState};
use plimsoll_core::runner::Runner;
use plimsoll_core::search::{Axis, SearchConfig, Searches, drive};
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Note, Verdict};
use plimsoll_load::clock::Clock;
use plimsoll_load::preflight::Ready;
use plimsoll_report::lang::Lang;
use plimsoll_report::least::least_for_a_pass;
use plimsoll_report::live::level_header;
use plimsoll_sim::SimServer;

use super::plan::{self, Planned};
use super::start::Start;
use super::{answers, resume, searched, tiers};
use crate::fault::Failure;
use crate::limits;
use crate::machine;
use crate::measure::{Console, Recorded, Recorder, Server, begin, go_on};
use crate::output::Shown;
use crate::signal::Stop;
use crate::store::Saved;

/// A search with all that it needs.
pub(super) struct Session<'a> {
    pub(super) planned: Planned,
    server: Server,
    pub(super) ready: Ready,
    start: &'a Start,
    console: Console,
    pub(super) lang: Lang,
    stop: &'a Stop,
    begun: Begun<'a>,
}

/// What is done as soon as the run has begun: its server is ready, and it is in its folder.
pub(super) type Begun<'a> = &'a dyn Fn() -> Result<(), Failure>;

/// Runs a search to its verdict, or until it is stopped.
pub(super) fn search(
    mut planned: Planned,
    start: &Start,
    engine: Option<&SimServer>,
    (shown, stop): (Shown, &Stop),
    begun: Begun<'_>,
) -> Result<Recorded, Failure> {
    let (server, ready) = prepare(&mut planned, start, engine, (shown, stop))
        .inspect_err(|_| start.folder().give_up())?;
    let session = Session {
        planned,
        server,
        ready,
        start,
        console: Console::new(shown.quiet, shown.lang),
        lang: shown.lang,
        stop,
        begun,
    };
    let recorded = session.run()?;
    session.console.say("");
    Ok(recorded)
}

/// The server to load, after all that can be found out before the load.
fn prepare(
    planned: &mut Planned,
    start: &Start,
    engine: Option<&SimServer>,
    (shown, stop): (Shown, &Stop),
) -> Result<(Server, Ready), Failure> {
    let server = Server::of(&planned.plan, &planned.way, engine)?;
    match start.saved() {
        Some(saved) => resume::check_proxy(&saved.run.plan, server.proxy())?,
        None => planned.plan.proxy = server.proxy(),
    }
    let search = searched(&planned.plan)?;
    let most = search.max_concurrency;
    let load = match search.axis {
        Axis::Streams => most,
        Axis::Rate => search.max_rate_per_s.ceil() as u32,
    };
    planned.way.check_meant(load, &server.target)?;
    limits::check(most, &server.target)?;
    let ready = server.ready(shown, stop)?;
    if let Some(request_time) = ready.request_time {
        planned.know(request_time);
    }
    if let Some(saved) = start.saved() {
        resume::check_server(&saved.run.server, &ready.info)?;
    }
    Ok((server, ready))
}

impl Session<'_> {
    fn run(&self) -> Result<Recorded, Failure> {
        let (clock, run) = self.begin()?;
        (self.begun)()?;
        let mut tiers = tiers::searches(&self.config()?, self.start, &run)?;
        let workers = plan::workers(searched(&self.planned.plan)?);
        let first_request = self.start.saved().map_or(0, Saved::first_request);
        let mut runner = self
            .server
            .runner(&self.ready, clock, (workers, first_request))?;
        let mut recorder = Recorder::new(run, self.start.folder(), &self.console, self.stop)
            .with_most_failures(self.planned.way.max_failures);
        drive(&mut tiers, &mut runner, &mut recorder)?;
        let ended = runner.now().since(Offset::ZERO);
        recorder.leftover(&runner.stop());
        self.finish(recorder, &tiers, ended)
    }

    fn config(&self) -> Result<SearchConfig, Failure> {
        let plan = &self.planned.plan;
        let config = searched(plan)?.config(plan);
        Ok(match self.ready.request_time {
            Some(first_request_time) => SearchConfig {
                first_request_time,
                ..config
            },
            None => config,
        })
    }

    /// The clock, and the run as far as it is known.
    fn begin(&self) -> Result<(Clock, Run), Failure> {
        let info = &self.ready.info;
        let plan = &self.planned.plan;
        let tiers = plan.tiers().iter();
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
        self.console.say(&level_header(plan.unit(), self.lang));
        match self.start {
            Start::Fresh { folder, at } => {
                let environment = machine::describe(plan::workers(searched(plan)?));
                let run = begin(folder, *at, plan.clone(), (environment, info.clone()))?;
                Ok((Clock::start(), run))
            }
            Start::Again { saved, .. } => self.go_on(saved),
        }
    }

    /// What a pass takes, by the request time that preflight saw. Arrivals on a schedule bring
    /// their requests without waiting for answers, so their price is not known before.
    fn least_for_a_pass(&self) -> Option<String> {
        let plan = &self.planned.plan;
        let search = plan.search()?;
        let request_time = self
            .ready
            .request_time
            .filter(|_| search.axis == Axis::Streams)?;
        least_for_a_pass(
            &plan.slo,
            plan.confidence,
            request_time,
            search.max_concurrency,
            self.lang,
        )
    }

    fn go_on(&self, saved: &Saved) -> Result<(Clock, Run), Failure> {
        let now = jiff::Timestamp::now();
        let run = go_on(self.start.folder(), now, saved, self.new_budget_s(saved))?;
        run.levels
            .iter()
            .for_each(|level| self.console.level(level));
        Ok((Clock::start_at(saved.clock_goes_on_at()), run))
    }

    /// The time for the search, where it was set anew.
    fn new_budget_s(&self, saved: &Saved) -> Option<f64> {
        let of = |plan: &RunPlan| plan.search().map(|search| search.budget_s);
        let (now, then) = (of(&self.planned.plan), of(&saved.run.plan));
        now.filter(|_| now != then)
    }

    fn finish(
        &self,
        recorder: Recorder<'_>,
        tiers: &Searches,
        ended: Duration,
    ) -> Result<Recorded, Failure> {
        let (verdict, tiers) = answers::answers(self, &recorder.run, tiers, ended)?;
        let interrupted = |verdict: &Verdict| verdict.notes.contains(&Note::Interrupted);
        let is_cut = interrupted(&verdict) || tiers.iter().any(|tier| interrupted(&tier.verdict));
        let event = RunEvent::RunFinished {
            state: if is_cut {
                RunState::Partial
            } else {
                RunState::Finished
            },
            verdict: Box::new(verdict),
            tiers,
        };
        Ok(recorder.finish(&event, self.lang))
    }
}
