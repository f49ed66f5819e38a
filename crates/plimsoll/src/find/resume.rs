//! `find --resume`: a run goes on after its last finished level, as it was planned.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::load::Load;
use plimsoll_core::run::{Format, Goal, RunPlan, RunState, SearchPlan, ServerInfo};
use serde::Serialize;
use serde_json::Value;

use super::again;
use super::plan::Planned;
use super::start::Start;
use super::{searched, tiers};
use crate::cli::{Budget, FindArgs, Typed};
use crate::fault::{AgainFault, Failure, Hint};
use crate::store::{Folder, Saved};

/// Reads the run in a folder, to go on with its plan; nothing is written yet.
///
/// # Errors
/// It cannot be gone on with, or what was typed contradicts its plan.
pub(super) fn open(
    path: &Path,
    args: &FindArgs,
    typed: &Typed,
) -> Result<(Planned, Start), Failure> {
    let (planned, start) = open_unasked(path, args, typed)?;
    again::agrees(&planned.plan, args, typed)?;
    Ok((planned, start))
}

/// The same, whatever was typed of the plan.
pub(super) fn open_unasked(
    path: &Path,
    args: &FindArgs,
    typed: &Typed,
) -> Result<(Planned, Start), Failure> {
    let folder = Folder::open(path)?;
    let saved = Saved::read(path)?;
    check_format(&saved, path)?;
    if saved.run.plan.search().is_none() {
        let fault = AgainFault::HoldsOneLoad(path.to_owned());
        return Err(Failure::from(fault).hint(Hint::CheckAgain));
    }
    let budget = typed.has("budget").then_some(args.budget);
    if saved.run.state == RunState::Finished && budget.is_none() {
        return Err(finished(&folder, &saved, path));
    }
    check_version(&saved)?;
    let plan = saved.run.plan.clone();
    let way = again::way(&plan, args, typed);
    way.check_key()?;
    way.has_secrets_of(&plan)?;
    let mut planned = Planned::of_saved(plan, way);
    if let (Some(budget), Goal::Search(search)) = (budget, &mut planned.plan.goal) {
        search.budget_s = total(budget, search, &saved)?;
    }
    let start = Start::Again {
        folder,
        saved: Box::new(saved),
    };
    check_open(&planned.plan, &start, path)?;
    Ok((planned, start))
}

/// Time for all of a run, s.
fn total(budget: Budget, search: &SearchPlan, saved: &Saved) -> Result<f64, Failure> {
    let elapsed = saved.elapsed();
    let planned = Duration::try_from_secs_f64(search.budget_s).unwrap_or(elapsed);
    let total = budget.of_run(planned, elapsed);
    if total <= elapsed {
        let fault = AgainFault::TimeGone { total, elapsed };
        return Err(Failure::from(fault).hint(Hint::MoreBudget));
    }
    Ok(total.as_secs_f64())
}

/// Whether a run that has ended leaves something to do in the time it has now.
fn check_open(plan: &RunPlan, start: &Start, path: &Path) -> Result<(), Failure> {
    let Some(saved) = start.saved() else {
        return Ok(());
    };
    let ended = saved.run.state == RunState::Finished;
    if ended && next(plan, start)?.is_none() {
        return Err(AgainFault::NothingOpen(path.to_owned()).into());
    }
    Ok(())
}

/// The load that a run would go on with.
pub(super) fn next(plan: &RunPlan, start: &Start) -> Result<Option<Load>, Failure> {
    let Some(saved) = start.saved() else {
        return Ok(None);
    };
    let config = searched(plan)?.config(plan);
    let mut searches = tiers::searches(&config, start, &saved.run)?;
    let level = searches.next(saved.elapsed());
    Ok(level.map(|level| level.plan.load))
}

/// A folder has one version: what is added to it could not be read with the rest.
pub(super) fn check_format(saved: &Saved, path: &Path) -> Result<(), Failure> {
    if saved.format == Format::Current {
        return Ok(());
    }
    Err(Failure::from(AgainFault::OlderFormat(path.to_owned())).hint(Hint::ReadOldFormat))
}

/// There is nothing to do, but for a last `run.json` that a crash may have kept from the disk.
fn finished(folder: &Folder, saved: &Saved, path: &Path) -> Failure {
    let finished = Failure::from(AgainFault::Finished(path.to_owned())).hint(Hint::MoreBudget);
    if saved.run_file_is_current {
        return finished;
    }
    match folder.run(&saved.run) {
        Ok(()) => finished.hint(Hint::WrittenAnew(path.join("run.json"))),
        Err(failure) => failure,
    }
}

/// Levels of two versions may be judged differently.
fn check_version(saved: &Saved) -> Result<(), Failure> {
    let now = env!("CARGO_PKG_VERSION");
    let then = saved.run.environment.plimsoll_version.clone();
    if then == now {
        return Ok(());
    }
    Err(Failure::from(AgainFault::OtherVersion { then, now }).hint(Hint::SameVersion))
}

/// Whether the way leads over the same proxy. It is not saved whole, since a password may be in it,
/// and the environment may name another one today.
pub(super) fn check_proxy(saved: &RunPlan, now: Option<String>) -> Result<(), Failure> {
    if saved.proxy == now {
        return Ok(());
    }
    let then = saved.proxy.clone();
    Err(Failure::from(AgainFault::OtherProxy { then, now }).hint(Hint::ProxyAgain))
}

/// Whether the server is what it was. Its address may be another one, and its lengths are measured.
pub(super) fn check_server(saved: &ServerInfo, now: &ServerInfo) -> Result<(), Failure> {
    let now = ServerInfo {
        url: saved.url.clone(),
        prompt_tokens_measured: saved.prompt_tokens_measured,
        honours_output_len: saved.honours_output_len,
        ..now.clone()
    };
    match difference(saved, &now) {
        None => Ok(()),
        Some((field, then, now)) => {
            let fault = AgainFault::OtherServer { field, then, now };
            Err(Failure::from(fault).hint(Hint::OneServer))
        }
    }
}

/// The first field in which two of a kind differ, with both values.
fn difference<T: Serialize>(then: &T, now: &T) -> Option<(String, Value, Value)> {
    let fields = |of: &T| match serde_json::to_value(of) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let mut now = fields(now);
    fields(then).into_iter().find_map(|(field, then)| {
        let now = now.remove(&field).unwrap_or(Value::Null);
        (then != now).then_some((field, then, now))
    })
}
