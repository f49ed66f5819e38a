//! `plimsoll find`: preflight, levels, verdict, report.

mod asked;
mod folder;
mod plan;
mod preview;

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use plimsoll_core::level::FinishedLevel;
use plimsoll_core::run::{Run, RunEvent, RunPlan, RunState, SCHEMA_VERSION, ServerInfo};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Next, Search};
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Note, Verdict, VerdictKind};
use plimsoll_load::clock::Clock;
use plimsoll_load::completions::CompletionSource;
use plimsoll_load::preflight::{PreflightOptions, Ready, preflight};
use plimsoll_load::runner::{RunnerOptions, SocketRunner};
use plimsoll_load::scrape::Scraper;
use plimsoll_load::source::RequestSource;
use plimsoll_load::target::Target;
use plimsoll_report::console::render;
use plimsoll_report::lang::Lang;
use plimsoll_report::sentence::sentence;
use plimsoll_report::table::level_header;

use crate::background::unless_stopped;
use crate::cli::FindArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::limits;
use crate::machine;
use crate::signal::Stop;
use crate::sim;
use folder::Folder;
use plan::Resolved;

/// Runs the main job.
pub(crate) fn run(args: &FindArgs, lang: Lang, stop: &Stop) -> Result<Exit, Failure> {
    let started = jiff::Timestamp::now();
    let mut resolved = plan::resolve(args)?;
    if args.dry_run {
        return preview::show(&resolved, args.json, lang);
    }
    let folder = Folder::create(args.out.as_deref(), started)?;
    let console = Console::new(args.quiet || args.json, lang);
    // The engine lives as long as the run does.
    let engine = if args.sim {
        Some(sim::embedded(&args.engine, args.seed)?)
    } else {
        None
    };
    let target = match &engine {
        Some(engine) => {
            let mut target =
                Target::parse(&engine.url()).map_err(|error| Failure::usage(error.to_string()))?;
            target.http = args.connect.http.choice();
            target
        }
        None => plan::target(args)?,
    };
    resolved.plan.proxy = target.route.proxy.as_ref().map(ToString::to_string);
    limits::check(resolved.search.most_streams, &target)
        .map_err(Failure::usage)
        .inspect_err(|_| folder.give_up())?;
    let ready = ready(&target, &resolved.preflight, stop).inspect_err(|_| folder.give_up())?;
    resolved.know(ready.request_time);
    let session = Session {
        resolved,
        target,
        ready,
        folder,
        console,
        lang,
        stop,
    };
    let run = session.run(started)?;
    session.report(&run, args.json)?;
    Ok(exit(&run))
}

/// Preflight, which waits for the server's answers as long as `--timeout` says.
fn ready(target: &Target, options: &PreflightOptions, stop: &Stop) -> Result<Ready, Failure> {
    let (target, options) = (target.clone(), options.clone());
    match unless_stopped(move || preflight(&target, &options), || stop.is_set())? {
        Some(ready) => Ok(ready?),
        None => Err(Failure::interrupted()),
    }
}

fn exit(run: &Run) -> Exit {
    match (run.state, run.verdict.as_ref().map(|verdict| verdict.kind)) {
        (RunState::Finished, Some(VerdictKind::BelowFirst)) => Exit::NotMet,
        (
            RunState::Finished,
            Some(VerdictKind::Inconclusive | VerdictKind::ClientLimited) | None,
        ) => Exit::Inconclusive,
        (RunState::Finished, Some(VerdictKind::ServerGone)) => Exit::Unreachable,
        (RunState::Finished, Some(_)) => Exit::Done,
        _ => Exit::Interrupted,
    }
}

/// A run with all that it needs.
struct Session<'a> {
    resolved: Resolved,
    target: Target,
    ready: Ready,
    folder: Folder,
    console: Console,
    lang: Lang,
    stop: &'a Stop,
}

impl Session<'_> {
    fn run(&self, started: jiff::Timestamp) -> Result<Run, Failure> {
        let clock = Clock::start();
        let mut run = self.begin(started)?;
        let mut search = Search::new(self.resolved.search.clone());
        let mut runner = self.runner(clock)?;
        let verdict = loop {
            match search.next(elapsed(&runner)) {
                Next::Done(verdict) => break *verdict,
                Next::Run(_) if self.stop.is_set() => break search.interrupted(elapsed(&runner)),
                Next::Run(plan) => {
                    let at_s = runner.now().as_secs_f64();
                    self.event(
                        &mut run,
                        RunEvent::LevelStarted {
                            index: plan.index,
                            purpose: plan.purpose,
                            load: plan.load,
                            at_s,
                        },
                    )?;
                    let finished =
                        runner.run_level(plan, &search.config().slo, &mut |progress| {
                            self.console.show(&progress);
                            if self.stop.is_set() { Go::Stop } else { Go::On }
                        })?;
                    self.keep(&mut run, &finished)?;
                    // A level that was interrupted was not held as planned: it is kept, not judged.
                    if !self.stop.is_set() {
                        search.take(finished.summary);
                    }
                }
            }
        };
        let last = runner.stop();
        if self.resolved.keeps_requests {
            let ended = last.iter().filter_map(folder::ended);
            self.folder.requests(ended)?;
        }
        self.finish(&mut run, verdict)?;
        Ok(run)
    }

    fn begin(&self, started: jiff::Timestamp) -> Result<Run, Failure> {
        let info = &self.ready.info;
        self.console.say(&format!(
            "{} · {} · {}",
            self.resolved.plan.target, info.model, self.resolved.plan.slo
        ));
        self.console.say(&level_header(self.lang));
        let event = RunEvent::RunStarted {
            schema_version: SCHEMA_VERSION,
            started_utc: started.to_string(),
            plan: Box::new(self.plan()),
            environment: machine::describe(self.resolved.workers),
            server: Box::new(self.server()),
        };
        self.folder.event(&event)?;
        Run::begin(event)
            .context("a run starts with its first event")
            .map_err(Failure::from)
    }

    fn plan(&self) -> RunPlan {
        self.resolved.plan.clone()
    }

    fn server(&self) -> ServerInfo {
        self.ready.info.clone()
    }

    fn runner(&self, clock: Clock) -> Result<SocketRunner, Failure> {
        let source: Arc<dyn RequestSource> = Arc::new(CompletionSource {
            dialect: self.ready.dialect.clone(),
            workload: self.resolved.preflight.workload,
        });
        let scraper = if self.ready.info.has_metrics {
            Some(Scraper::start(&self.target, clock)?)
        } else {
            None
        };
        let options = RunnerOptions {
            workers: self.resolved.workers,
            timeout: self.resolved.preflight.timeout,
            keep_alive: self.resolved.keep_alive,
        };
        Ok(SocketRunner::start(
            &self.target,
            &source,
            scraper,
            clock,
            options,
        )?)
    }

    /// A level is on disk as soon as it ends.
    fn keep(&self, run: &mut Run, finished: &FinishedLevel) -> Result<(), Failure> {
        if self.resolved.keeps_requests {
            self.folder.requests(finished.records.iter())?;
        }
        self.console.level(&finished.summary);
        self.event(
            run,
            RunEvent::LevelFinished {
                level: Box::new(finished.summary.clone()),
            },
        )?;
        self.folder.run(run)
    }

    fn event(&self, run: &mut Run, event: RunEvent) -> Result<(), Failure> {
        self.folder.event(&event)?;
        run.apply(event);
        Ok(())
    }

    fn finish(&self, run: &mut Run, mut verdict: Verdict) -> Result<(), Failure> {
        verdict.notes.extend(self.notes(run));
        verdict.sentence = sentence(run, &verdict, self.lang);
        let interrupted = verdict.notes.contains(&Note::Interrupted);
        let state = if interrupted {
            RunState::Partial
        } else {
            RunState::Finished
        };
        self.event(
            run,
            RunEvent::RunFinished {
                state,
                verdict: Box::new(verdict),
            },
        )?;
        self.folder.run(run)?;
        if run.levels.is_empty() {
            return Ok(());
        }
        self.folder.figures(run, self.lang)
    }

    /// What preflight found that the reader must know.
    fn notes(&self, run: &Run) -> Vec<Note> {
        let info = &self.ready.info;
        let mut notes = Vec::new();
        if !info.reports_usage {
            notes.push(Note::NoUsage);
        }
        if !info.honours_output_len {
            notes.push(Note::ShortAnswers);
        }
        if self.ready.dialect.calibration.is_some() {
            notes.push(Note::CalibratedPrompts);
        }
        if !info.has_metrics {
            notes.push(Note::NoServerMetrics);
        }
        if run.plan.start > 2 {
            notes.push(Note::StartedAt {
                streams: run.plan.start,
            });
        }
        notes
    }

    fn report(&self, run: &Run, json: bool) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = if json {
            serde_json::to_string_pretty(run)
                .map_err(std::io::Error::from)
                .and_then(|text| writeln!(out, "{text}"))
        } else {
            self.console.say("");
            render(run, self.lang, Console::width(), &mut out)
        };
        match written {
            // A reader that has seen enough closed the pipe.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written
                .context("failed to write the report")
                .map_err(Failure::from),
        }?;
        self.console.say(&self.folder.say(run, self.lang));
        Ok(())
    }
}

fn elapsed(runner: &SocketRunner) -> std::time::Duration {
    runner.now().since(Offset::ZERO)
}
