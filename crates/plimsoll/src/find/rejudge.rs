//! `find --from`: a run of the past under another SLO. No request is sent.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::check::CheckAnswer;
use plimsoll_core::level::{LevelSummary, Load, rejudge};
use plimsoll_core::run::{Goal, Rejudged, Run, RunState, SearchPlan};
use plimsoll_core::search::{Next, Search, SearchConfig};
use plimsoll_core::slo::Slo;
use plimsoll_core::verdict::{Note, Verdict};

use super::plan;
use crate::cli::{FindArgs, Typed};
use crate::exit::Exit;
use crate::fault::{AgainFault, AskFault, Failure, Hint};
use crate::measure::Console;
use crate::measure::report::{exit, report};
use crate::output::Shown;
use crate::store::{Folder, Saved};

/// What means something without a request.
const KNOWN: [&str; 8] = [
    "from",
    "slo",
    "min_success",
    "out",
    "lang",
    "json",
    "details",
    "quiet",
];

/// Judges the run in a folder again, and reports it.
pub(super) fn run(
    path: &Path,
    args: &FindArgs,
    typed: &Typed,
    shown: Shown,
) -> Result<Exit, Failure> {
    if let Some(name) = typed.other_than(&KNOWN) {
        return Err(Failure::from(AskFault::NothingIsSent(name)).hint(Hint::WhatFromTakes));
    }
    let slo = plan::resolve(args, &[])?.plan.slo;
    let saved = Saved::read(path)?;
    let mut run = under(&saved, slo)?;
    answer(&mut run, &saved.run);
    let folder = match &args.show.out {
        Some(out) => Some(save(out, &run, shown)?),
        None => None,
    };
    report(&run, shown)?;
    if let Some(folder) = folder {
        Console::new(shown.quiet, shown.lang).say(&folder.say(&run, shown.lang));
    }
    Ok(exit(&run))
}

fn save(out: &Path, run: &Run, shown: Shown) -> Result<Folder, Failure> {
    let folder = Folder::create(Some(out), (jiff::Timestamp::now(), "find"))?;
    folder.run(run)?;
    if !run.levels.is_empty() {
        folder.figures(run, shown.lang)?;
    }
    Ok(folder)
}

/// Gives the run its answer: a search that of its levels, a load that was held that of its only one.
fn answer(run: &mut Run, before: &Run) {
    if let Some(search) = run.plan.search() {
        let verdict = verdict(run, search, before.verdict.as_ref());
        run.verdict = Some(verdict);
        return;
    }
    let flow = before.check.as_ref().and_then(|check| check.flow);
    let level = run.levels.last();
    run.check = level.map(|level| CheckAnswer::of_level(level, flow));
}

/// The run with its finished levels judged by `slo`, and without a verdict.
fn under(saved: &Saved, slo: Slo) -> Result<Run, Failure> {
    if !saved.keeps_requests() {
        return Err(Failure::from(AskFault::RunHasNoRequests).hint(Hint::KeepRequests));
    }
    let at = |fault| saved.of_requests(fault);
    let mut requests = saved.requests().map_err(at)?;
    let mut levels = Vec::new();
    let finished = saved.run.levels.iter().zip(&saved.in_flight);
    for (level, in_flight) in finished {
        let ended = requests.level(level, slo.judges_gaps()).map_err(at)?;
        levels.push(rejudge(
            level,
            (&slo, saved.run.plan.confidence),
            &ended,
            in_flight,
        ));
    }
    let mut run = saved.run.clone();
    run.rejudged = Some(Rejudged {
        slo: std::mem::replace(&mut run.plan.slo, slo),
    });
    run.plan.slo_given = true;
    run.tiers.clear();
    match &mut run.plan.goal {
        Goal::Search(search) => {
            search.tiers.clear();
            search.rules.growth_stops = false;
            search.rules.resources_stop = false;
        }
        Goal::Hold(_) if levels.is_empty() => {
            return Err(AgainFault::NotHeld.into());
        }
        Goal::Hold(_) => {}
    }
    run.levels = levels;
    run.state = RunState::Finished;
    Ok(run)
}

/// The answer of the levels as they are, with what they leave open.
fn verdict(run: &Run, plan: &SearchPlan, before: Option<&Verdict>) -> Verdict {
    let load_time = load_time(run, before);
    let own = run.rejudged.as_ref().map(|before| &before.slo);
    // Under its own objectives the answer is that of the run, with the time it had. Under others it
    // is open what more time would have shown; but the cap was never to be held for them.
    let elapsed = if own == Some(&run.plan.slo) {
        load_time
    } else {
        Duration::ZERO
    };
    let mut search = Search::new(SearchConfig {
        confirm: false,
        ..plan.config(&run.plan)
    });
    run.levels
        .iter()
        .for_each(|level| search.take(level.clone()));
    let mut verdict = match search.next(elapsed) {
        Next::Done(verdict) => *verdict,
        Next::Run(_) => open(search.interrupted(load_time), &run.levels),
    };
    verdict.load_time_s = load_time.as_secs_f64();
    let of_the_server = before.into_iter().flat_map(|verdict| &verdict.notes);
    verdict
        .notes
        .extend(of_the_server.filter(|note| is_of_the_server(note)).cloned());
    verdict
}

/// An answer to which the search would have run more levels.
fn open(mut verdict: Verdict, levels: &[LevelSummary]) -> Verdict {
    verdict.notes.retain(|note| *note != Note::Interrupted);
    let (low, high) = interval(&verdict).unwrap_or_else(|| {
        let high = verdict.broken_at;
        (held_below(high, levels), high)
    });
    if low.is_none() || low != high {
        verdict.notes.push(Note::NotRefined { low, high });
    }
    verdict
}

/// Both ends of the answer's interval, where it has both.
fn interval(verdict: &Verdict) -> Option<(Option<Load>, Option<Load>)> {
    let found = verdict.answer()?;
    let has_both = found.lower.amount() > 0.0 && found.upper.is_some();
    has_both.then_some((Some(found.lower), found.upper))
}

/// The largest load that is not broken, below `high` where that is known. Where rates were searched
/// for the streams beside them are no edge.
fn held_below(high: Option<Load>, levels: &[LevelSummary]) -> Option<Load> {
    let by_rate = levels.iter().any(|level| level.load.rate_per_s().is_some());
    levels
        .iter()
        .filter(|level| !level.is_broken() && !level.says_nothing())
        .map(|level| level.load)
        .filter(|load| load.rate_per_s().is_some() == by_rate)
        .filter(|load| high.is_none_or(|high| load.amount() < high.amount()))
        .max_by(|one, other| one.amount().total_cmp(&other.amount()))
}

/// What preflight found stands under any SLO.
fn is_of_the_server(note: &Note) -> bool {
    matches!(
        note,
        Note::NoUsage
            | Note::ShortAnswers
            | Note::CalibratedPrompts
            | Note::NoServerMetrics
            | Note::StartedAt { .. }
    )
}

fn load_time(run: &Run, before: Option<&Verdict>) -> Duration {
    let end = |level: &LevelSummary| level.started_s + level.duration_s;
    let last = run.levels.last().map_or(0.0, end);
    let seconds = before.map_or(last, |verdict| verdict.load_time_s);
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
