//! `plimsoll check`: one load, held; does it hold, and what does it take?

mod held;
mod plan;
mod save;

use std::io::Write;
use std::sync::Arc;

use plimsoll_core::check::{Check, CheckPlan, CheckVerdict};
use plimsoll_core::level::{FinishedLevel, LevelPlan, Load};
use plimsoll_core::run::RunState;
use plimsoll_core::runner::{Go, Runner};
use plimsoll_load::clock::Clock;
use plimsoll_load::coordinator::SocketRunner;
use plimsoll_load::crew::CrewOptions;
use plimsoll_load::dialect::WorkloadSource;
use plimsoll_load::preflight::Ready;
use plimsoll_load::source::RequestSource;
use plimsoll_load::telemetry::Telemetry;
use plimsoll_report::check::{before, render, render_dry_run};
use plimsoll_report::lang::Lang;

use crate::asked;
use crate::cli::CheckArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::fault::{Failure, WriteFault};
use crate::machine;
use crate::preview;
use crate::reach::Asked;
use crate::signal::Stop;
use held::Held;
use save::Folder;

/// Runs a check.
pub(crate) fn run(args: &CheckArgs, lang: Lang, stop: &Stop) -> Result<Exit, Failure> {
    let started = jiff::Timestamp::now();
    let (slo, _) = asked::slo(&args.slo, args.lengths.workload)?;
    let workload = asked::workload(&args.lengths, args.requests.seed);
    let held = Held::of(args)?;
    if args.dry_run {
        let plan = plan::check_plan(args, &held, &workload, slo);
        return preview::show(&plan.dry_run(), args.json, |dry, out| {
            render_dry_run(dry, lang, Console::width(), out)
        });
    }
    let requests = (workload, &args.requests);
    let asked = Asked::new(&args.server, requests, &args.connect, &args.engine)?;
    let most = plan::most_in_flight(&held, args.requests.timeout, &asked.target)?;
    let folder = args.out.as_deref().map(Folder::create).transpose()?;
    let give_up = |_: &Failure| folder.iter().for_each(Folder::give_up);
    let ready = asked.ready(stop).inspect_err(give_up)?;
    let plan = CheckPlan {
        proxy: asked.target.route.proxy.as_ref().map(ToString::to_string),
        ..plan::check_plan(args, &held, &workload, slo)
    };
    let console = Console::new(args.show.quiet || args.json, lang);
    for line in before(&plan, lang) {
        console.say(&line);
    }
    let level = plan::level(args, (&held, &workload), most, ready.request_time);
    let (finished, is_cut) = hold(args, &asked, &ready, level, &plan.slo, (&console, stop))?;
    let state = if is_cut {
        RunState::Partial
    } else {
        RunState::Finished
    };
    let environment = machine::describe(workers(held.load));
    let context = (started.to_string(), environment, ready.info);
    let check = Check::of(plan, context, &finished, state);
    if let Some(folder) = &folder {
        folder.save(&check, &finished.records)?;
    }
    console.clear();
    report(&check, args.json, lang)?;
    Ok(exit(&check))
}

fn workers(load: Load) -> u32 {
    machine::workers(
        load.streams().unwrap_or(1),
        load.rate_per_s().unwrap_or(1.0),
    )
}

/// Holds the load; says whether the user ended it.
fn hold(
    args: &CheckArgs,
    asked: &Asked,
    ready: &Ready,
    plan: LevelPlan,
    slo: &plimsoll_core::slo::Slo,
    (console, stop): (&Console, &Stop),
) -> Result<(FinishedLevel, bool), Failure> {
    let clock = Clock::start();
    let source: Arc<dyn RequestSource> = Arc::new(WorkloadSource {
        dialect: ready.dialect.clone(),
        workload: asked.options.workload,
    });
    let telemetry = Telemetry::of(&ready.info, &ready.target, clock)?;
    let options = CrewOptions {
        workers: workers(plan.load),
        timeout: asked.options.timeout,
        keep_alive: !args.requests.no_keep_alive,
        first_request: 0,
    };
    let mut runner = SocketRunner::start(&ready.target, &source, telemetry, clock, options)?;
    let mut is_cut = false;
    let finished = runner.run_level(plan, slo, &mut |progress| {
        console.show(&progress);
        is_cut = stop.is_set();
        if is_cut { Go::Stop } else { Go::On }
    })?;
    drop(runner.stop());
    Ok((finished, is_cut))
}

fn report(check: &Check, json: bool, lang: Lang) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = if json {
        serde_json::to_string_pretty(check)
            .map_err(std::io::Error::from)
            .and_then(|text| writeln!(out, "{text}"))
    } else {
        render(check, lang, Console::width(), &mut out)
    };
    match written {
        // A reader that has seen enough closed the pipe.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.map_err(WriteFault::Stdout)?),
    }
}

fn exit(check: &Check) -> Exit {
    match check.verdict {
        _ if check.state == RunState::Partial => Exit::Interrupted,
        CheckVerdict::Holds | CheckVerdict::NotContradicted => Exit::Done,
        CheckVerdict::Broken | CheckVerdict::Unstable => Exit::NotMet,
        CheckVerdict::Inconclusive | CheckVerdict::Void => Exit::Inconclusive,
        CheckVerdict::ServerGone => Exit::Unreachable,
    }
}
