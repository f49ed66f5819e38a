//! `plimsoll check`: one load, held; does it hold, and what does it take? It is a run of one level,
//! and is kept as one.

mod held;

use plimsoll_core::check::{CheckAnswer, CheckDryRun, level};
use plimsoll_core::level::{FinishedLevel, Load};
use plimsoll_core::run::{Goal, HoldPlan, Run, RunEvent, RunPlan, RunState};
use plimsoll_core::search::{OneLevel, drive};
use plimsoll_load::clock::Clock;
use plimsoll_load::preflight::Ready;
use plimsoll_load::target::Target;
use plimsoll_report::check::{before, render_dry_run};
use plimsoll_report::lang::Lang;

use crate::cli::{CheckArgs, Typed};
use crate::exit::Exit;
use crate::fault::{Failure, Fault};
use crate::limits;
use crate::machine;
use crate::measure::asked::{self, MeasureArgs};
use crate::measure::report::{exit, report};
use crate::measure::{Console, Recorded, Recorder, Server, Way, begin, no_effect};
use crate::output::{self, Shown};
use crate::signal::Stop;
use crate::sim;
use crate::store::Folder;

/// Runs a check.
pub(crate) fn run(
    args: &CheckArgs,
    line: &[String],
    lang: Lang,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let started = jiff::Timestamp::now();
    let shown = Shown::of(&args.show, lang);
    let hold = held::held(args)?;
    let typed = Typed::read(line)?;
    let mut plan = plan(args, &hold, &typed.saved())?;
    let way = Way::of(&args.server, &args.connect, &args.requests);
    way.check(&plan)?;
    let console = Console::new(shown.quiet, lang);
    for idle in no_effect::look(&plan, &typed)? {
        console.warn(&idle);
    }
    for odd in asked::odd_objectives(&plan) {
        console.warn(&odd);
    }
    if args.show.dry_run {
        let dry = CheckDryRun::of(&plan, &hold);
        output::show(&dry, shown.json, |dry, out| {
            render_dry_run(dry, lang, Console::width(), out)
        })?;
        return Ok(Exit::Done);
    }
    let engine = sim::embedded(&plan)?;
    let server = Server::of(&plan, &way, engine.as_ref())?;
    plan.proxy = server.proxy();
    let rate = hold.load.rate_per_s().map(|rate| rate.ceil() as u32);
    let load = hold.load.streams().or(rate).unwrap_or(0);
    way.check_meant(load, &server.target)?;
    let most = most_in_flight(&plan, &hold, &server.target)?;
    let folder = Folder::create(args.show.out.as_deref(), (started, "check"))?;
    let ready = server
        .ready(shown, stop)
        .inspect_err(|_| folder.give_up())?;
    let environment = machine::describe(workers(hold.load));
    let run = begin(&folder, started, plan, (environment, ready.info.clone()))?;
    let check = Check {
        hold,
        most,
        server,
        ready,
        folder,
        console,
        stop,
        max_failures: way.max_failures,
    };
    let recorded = check.run(run, lang)?;
    report(&recorded.run, shown)?;
    let run = recorded.kept()?;
    Console::where_it_is(&check.folder.say(&run, lang));
    Ok(exit(&run))
}

/// The plan of a command line, for tests.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn planned(args: &CheckArgs) -> Result<RunPlan, Failure> {
    plan(args, &held::held(args)?, &[])
}

fn plan(args: &CheckArgs, hold: &HoldPlan, typed: &[String]) -> Result<RunPlan, Failure> {
    let shared = MeasureArgs {
        server: &args.server,
        lengths: &args.lengths,
        think: args.think,
        requests: &args.requests,
        body: &args.body,
        show: &args.show,
        connect: &args.connect,
        engine: &args.engine,
        typed,
    };
    let objectives = asked::slo(&args.slo, args.lengths.workload)?;
    Ok(shared.plan(Goal::Hold(hold.clone()), objectives, args.preset))
}

/// How many requests may be in flight: as the user says, or what the machine can hold, where a server
/// that answers nothing within the time limit would exceed that.
///
/// # Errors
/// The machine cannot hold what is asked for.
fn most_in_flight(
    plan: &RunPlan,
    hold: &HoldPlan,
    target: &Target,
) -> Result<Option<u32>, Failure> {
    if let Some(asked) = hold.load.streams().or(hold.most_in_flight) {
        limits::check(asked, target)?;
        return Ok(hold.most_in_flight);
    }
    let at_worst = hold.load.rate_per_s().unwrap_or(0.0) * plan.timeout_s;
    Ok(limits::most(target).filter(|most| f64::from(*most) < at_worst))
}

fn workers(load: Load) -> u32 {
    machine::workers(
        load.streams().unwrap_or(1),
        load.rate_per_s().unwrap_or(1.0),
    )
}

/// A check with all that it needs.
struct Check<'a> {
    hold: HoldPlan,
    most: Option<u32>,
    server: Server,
    ready: Ready,
    folder: Folder,
    console: Console,
    stop: &'a Stop,
    max_failures: Option<u32>,
}

impl Check<'_> {
    /// Holds the load to its end, or until it is stopped.
    fn run(&self, run: Run, lang: Lang) -> Result<Recorded, Failure> {
        for line in before(&run.plan, &self.hold, lang) {
            self.console.say(&line);
        }
        let plan = level(&run.plan, &self.hold, self.most, self.ready.request_time);
        let slo = run.plan.slo.clone();
        let workers = workers(self.hold.load);
        let mut runner = self
            .server
            .runner(&self.ready, Clock::start(), (workers, 0))?;
        let mut recorder = Recorder::new(run, &self.folder, &self.console, self.stop)
            .with_most_failures(self.max_failures);
        drive(&mut OneLevel::new(plan, slo), &mut runner, &mut recorder)?;
        let is_cut = recorder.is_cut;
        recorder.leftover(&runner.stop());
        self.console.clear();
        match recorder.last.take() {
            Some(level) => Ok(recorder.finish(&self.ended(&level, is_cut), lang)),
            None => Err(Fault::Interrupted.into()),
        }
    }

    fn ended(&self, level: &FinishedLevel, is_cut: bool) -> RunEvent {
        RunEvent::CheckFinished {
            state: if is_cut {
                RunState::Partial
            } else {
                RunState::Finished
            },
            answer: Box::new(CheckAnswer::of(&self.hold, level)),
        }
    }
}
