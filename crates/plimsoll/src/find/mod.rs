//! `plimsoll find`: preflight, levels, verdict, report.

mod again;
mod answers;
mod ladder;
mod plan;
mod preview;
mod rejudge;
mod repeat;
mod resume;
mod session;
mod start;
mod tiers;

use plimsoll_core::run::{Run, RunPlan, SearchPlan};
use plimsoll_report::lang::Lang;

use crate::cli::{Budget, FindArgs, Typed};
use crate::exit::Exit;
use crate::fault::{AgainFault, AskFault, Failure};
use crate::measure::report::{exit, report};
use crate::measure::{Console, asked, no_effect};
use crate::output::Shown;
use crate::signal::Stop;
use crate::sim;
use plan::Planned;
use session::search;
use start::Start;

/// Runs the main job.
pub(crate) fn run(
    args: &FindArgs,
    line: &[String],
    lang: Lang,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let typed = Typed::read(line)?;
    let shown = Shown::of(&args.show, lang);
    if let Some(folder) = args.resume.as_ref().filter(|one| repeat::is_in(one)) {
        return repeat::resume(folder, args, &typed, shown, stop);
    }
    if let Some(folder) = &args.resume {
        let (planned, start) = resume::open(folder, args, &typed)?;
        if args.show.dry_run {
            return preview::goes_on(&planned, &start, shown);
        }
        return one(planned, &start, shown, stop);
    }
    if let Some(folder) = &args.from {
        return rejudge::run(folder, args, &typed, shown);
    }
    let planned = plan::resolve(args, &typed.saved())?;
    if let Budget::More(time) = args.budget {
        return Err(AskFault::MoreThanNothing(time).into());
    }
    planned.way.check(&planned.plan)?;
    let console = Console::new(shown.quiet, lang);
    for idle in no_effect::look(&planned.plan, &typed)? {
        console.warn(&idle);
    }
    for odd in asked::odd_objectives(&planned.plan) {
        console.warn(&odd);
    }
    if args.show.dry_run {
        return preview::begins(&planned, args.repeat, shown);
    }
    if let Some(times) = args.repeat {
        return repeat::run(times, args.show.out.as_deref(), planned, shown, stop);
    }
    let start = Start::fresh(args.show.out.as_deref())?;
    one(planned, &start, shown, stop)
}

/// The plan of a command line, for tests.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn planned(args: &FindArgs) -> Result<RunPlan, Failure> {
    Ok(plan::resolve(args, &[])?.plan)
}

/// One search, from its start to its report.
fn one(planned: Planned, start: &Start, shown: Shown, stop: &Stop) -> Result<Exit, Failure> {
    let engine = sim::embedded(&planned.plan).inspect_err(|_| start.folder().give_up())?;
    let recorded = search(planned, start, engine.as_ref(), (shown, stop), &|| Ok(()))?;
    report(&recorded.run, shown)?;
    let run = recorded.kept()?;
    say_where(&run, start, shown);
    Ok(exit(&run))
}

/// Where the run is saved.
fn say_where(run: &Run, start: &Start, shown: Shown) {
    Console::where_it_is(&start.folder().say(run, shown.lang));
}

/// What a plan of this command searches for.
fn searched(plan: &RunPlan) -> Result<&SearchPlan, Failure> {
    Ok(plan.search().ok_or(AgainFault::SearchesForNone)?)
}
