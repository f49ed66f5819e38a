//! `plimsoll find`: preflight, levels, verdict, report.

mod answers;
mod asked;
mod plan;
mod rejudge;
mod repeat;
mod report;
mod resume;
mod session;
mod tiers;
mod words;

use std::path::Path;

use plimsoll_core::dry_run::dry_run;
use plimsoll_core::run::Run;
use plimsoll_load::preflight::{PreflightOptions, Ready, preflight};
use plimsoll_load::target::Target;
use plimsoll_report::dry_run::render as render_dry_run;
use plimsoll_report::lang::Lang;
use plimsoll_report::sentence::sentence;
use plimsoll_sim::SimServer;

use crate::background::unless_stopped;
use crate::cli::FindArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::fault::{Failure, Fault};
use crate::limits;
use crate::preview;
use crate::signal::Stop;
use crate::sim;
use crate::store::{Folder, Saved};
use plan::Resolved;
use report::{exit, report};
use session::Session;
use words::Words;

/// Runs the main job.
pub(crate) fn run(
    args: &FindArgs,
    line: &[String],
    lang: Lang,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let words = Words::read(line)?;
    if let Some(folder) = args.resume.as_ref().filter(|one| repeat::is_in(one)) {
        return repeat::resume(folder, args, &words, lang, stop);
    }
    if let Some(folder) = &args.resume {
        let (then, resolved, start) = resume::open(folder, &words)?;
        let engine = engine(&then)?;
        let shown = Shown::of(args, lang);
        let run = search(&then, resolved, start, engine.as_ref(), shown, stop)?;
        return Ok(exit(&run));
    }
    if let Some(folder) = &args.from {
        return rejudge::run(folder, args, &words, Shown::of(args, lang));
    }
    if let Some(times) = args.repeat {
        return repeat::run(times, args, &words, lang, stop);
    }
    let mut resolved = plan::resolve(args)?;
    if args.dry_run {
        return preview::show(&dry_run(&resolved.plan), args.json, |dry, out| {
            render_dry_run(dry, lang, Console::width(), out)
        });
    }
    resolved.plan.arguments = words.saved();
    let engine = engine(args)?;
    let start = Start::fresh(args.out.as_deref())?;
    let shown = Shown::of(args, lang);
    let run = search(args, resolved, start, engine.as_ref(), shown, stop)?;
    Ok(exit(&run))
}

/// The built-in engine, if it is asked for. It lives as long as the run does.
fn engine(args: &FindArgs) -> Result<Option<SimServer>, Failure> {
    let engine = args.sim.then(|| sim::embedded(&args.engine, args.seed));
    engine.transpose()
}

/// Where a run begins.
enum Start {
    /// At its first level.
    Fresh { folder: Folder, at: jiff::Timestamp },
    /// After its last finished level.
    Again { folder: Folder, saved: Box<Saved> },
}

impl Start {
    fn fresh(out: Option<&Path>) -> Result<Self, Failure> {
        let at = jiff::Timestamp::now();
        Ok(Self::Fresh {
            folder: Folder::create(out, (at, "find"))?,
            at,
        })
    }

    fn folder(&self) -> &Folder {
        match self {
            Self::Fresh { folder, .. } | Self::Again { folder, .. } => folder,
        }
    }

    fn saved(&self) -> Option<&Saved> {
        match self {
            Self::Fresh { .. } => None,
            Self::Again { saved, .. } => Some(saved),
        }
    }
}

/// How a run is shown.
#[derive(Clone, Copy)]
struct Shown {
    lang: Lang,
    json: bool,
    quiet: bool,
    /// Whether the report is of several runs, and each says its sentence alone.
    is_one_of_several: bool,
}

impl Shown {
    fn of(args: &FindArgs, lang: Lang) -> Self {
        Self {
            lang,
            json: args.json,
            quiet: args.quiet || args.json,
            is_one_of_several: false,
        }
    }
}

/// One search, from its start to its report.
fn search(
    args: &FindArgs,
    mut resolved: Resolved,
    start: Start,
    engine: Option<&SimServer>,
    shown: Shown,
    stop: &Stop,
) -> Result<Run, Failure> {
    let url = engine.map(SimServer::url);
    let (target, ready) = prepare(args, &mut resolved, &start, url.as_deref(), stop)
        .inspect_err(|_| start.folder().give_up())?;
    let session = Session {
        resolved,
        target,
        ready,
        start,
        console: Console::new(shown.quiet, shown.lang),
        lang: shown.lang,
        stop,
    };
    let run = session.run()?;
    session.console.say("");
    match &run.verdict {
        Some(verdict) if shown.is_one_of_several => {
            session.console.say(&sentence(&run, verdict, shown.lang));
        }
        _ => report(&run, shown.json, shown.lang)?,
    }
    let folder = session.folder();
    session.console.say(&folder.say(&run, shown.lang));
    Ok(run)
}

/// The server to load, after all that can be found out before the load.
fn prepare(
    args: &FindArgs,
    resolved: &mut Resolved,
    start: &Start,
    engine: Option<&str>,
    stop: &Stop,
) -> Result<(Target, Ready), Failure> {
    let target = match engine {
        Some(url) => {
            let mut target = Target::parse(url)?;
            target.http = args.connect.http.choice();
            target
        }
        None => plan::target(args)?,
    };
    resolved.plan.proxy = target.route.proxy.as_ref().map(ToString::to_string);
    if let Some(saved) = start.saved() {
        resolved.start_as(&saved.run.plan);
        resume::check_plan(&saved.run.plan, &resolved.plan)?;
    }
    limits::check(resolved.search.most_streams, &target)?;
    let ready = ready(&target, &resolved.preflight, stop)?;
    resolved.know(ready.request_time);
    if let Some(saved) = start.saved() {
        resume::check_server(&saved.run.server, &ready.info)?;
    }
    Ok((ready.target.clone(), ready))
}

/// Preflight, which waits for the server's answers as long as `--timeout` says.
fn ready(target: &Target, options: &PreflightOptions, stop: &Stop) -> Result<Ready, Failure> {
    let (target, options) = (target.clone(), options.clone());
    match unless_stopped(move || preflight(&target, &options), || stop.is_set())? {
        Some(ready) => Ok(ready?),
        None => Err(Fault::Interrupted.into()),
    }
}

/// The plan that a command line asks for.
#[cfg(test)]
pub(crate) fn plan_of(line: &[String]) -> Result<plimsoll_core::run::RunPlan, Failure> {
    let words = Words::read(line)?;
    let mut plan = plan::resolve(&words.meaning()?)?.plan;
    plan.arguments = words.saved();
    Ok(plan)
}
