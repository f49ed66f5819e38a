//! `find --from`: a run of the past under another SLO. No request is sent.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::level::{LevelSummary, rejudge};
use plimsoll_core::run::{Rejudged, Run, RunState};
use plimsoll_core::search::{Next, Rules, Search, SearchConfig};
use plimsoll_core::slo::Slo;
use plimsoll_core::verdict::{Note, Verdict};
use plimsoll_report::sentence::sentence;

use super::folder::{Folder, Saved};
use super::report::{exit, report};
use super::words::Words;
use super::{Shown, plan};
use crate::cli::FindArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// What means something without a request.
const KNOWN: [&str; 7] = ["from", "slo", "min_success", "out", "lang", "json", "quiet"];

/// Judges the run in a folder again, and reports it.
pub(super) fn run(
    path: &Path,
    args: &FindArgs,
    words: &Words,
    shown: Shown,
) -> Result<Exit, Failure> {
    if let Some(name) = words.other_than(&KNOWN) {
        return Err(Failure::usage(format!(
            "`{name}` means nothing with --from: no request is sent"
        ))
        .hint("--from takes --slo, --min-success and --out"));
    }
    let slo = plan::resolve(args)?.plan.slo;
    let saved = Saved::read(path)?;
    let mut run = under(&saved, slo).map_err(|why| {
        Failure::usage(format!(
            "`{}` cannot be judged again: {why}",
            path.display()
        ))
    })?;
    let verdict = verdict(&run, saved.run.verdict.as_ref());
    run.verdict = Some(Verdict {
        sentence: sentence(&run, &verdict, shown.lang),
        ..verdict
    });
    let folder = match &args.out {
        Some(out) => Some(save(out, &run, shown)?),
        None => None,
    };
    report(&run, shown.json, shown.lang)?;
    if let Some(folder) = folder {
        Console::new(shown.quiet, shown.lang).say(&folder.say(&run, shown.lang));
    }
    Ok(exit(&run))
}

fn save(out: &Path, run: &Run, shown: Shown) -> Result<Folder, Failure> {
    let folder = Folder::create(Some(out), jiff::Timestamp::now())?;
    folder.run(run)?;
    if !run.levels.is_empty() {
        folder.figures(run, shown.lang)?;
    }
    Ok(folder)
}

/// The run with its finished levels judged by `slo`, and without a verdict.
fn under(saved: &Saved, slo: Slo) -> Result<Run, String> {
    if !saved.keeps_requests() {
        return Err("it was run with --no-requests, so its requests are not known".to_owned());
    }
    if saved.run.plan.lockstep {
        return Err(
            "its streams ran in lockstep, and when their phases were redrawn is not kept"
                .to_owned(),
        );
    }
    let mut requests = saved.requests()?;
    let mut levels = Vec::new();
    let finished = saved.run.levels.iter().zip(&saved.in_flight);
    for (level, in_flight) in finished {
        let ended = requests.level(level)?;
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
    run.plan.tiers.clear();
    run.tiers.clear();
    run.plan.slo_given = true;
    run.plan.rules = Rules {
        growth_stops: false,
        resources_stop: false,
        ..run.plan.rules
    };
    run.levels = levels;
    run.state = RunState::Finished;
    Ok(run)
}

/// The answer of the levels as they are, with what they leave open.
fn verdict(run: &Run, before: Option<&Verdict>) -> Verdict {
    let load_time = load_time(run, before);
    let mut search = Search::new(SearchConfig::of(&run.plan));
    run.levels
        .iter()
        .for_each(|level| search.take(level.clone()));
    let mut verdict = match search.next(Duration::ZERO) {
        Next::Done(verdict) => *verdict,
        Next::Run(_) => open(search.interrupted(load_time)),
    };
    verdict.load_time_s = load_time.as_secs_f64();
    let of_the_server = before.into_iter().flat_map(|verdict| &verdict.notes);
    verdict
        .notes
        .extend(of_the_server.filter(|note| is_of_the_server(note)).cloned());
    verdict
}

/// An answer to which the search would have run more levels.
fn open(mut verdict: Verdict) -> Verdict {
    verdict.notes.retain(|note| *note != Note::Interrupted);
    verdict.notes.push(Note::NotRefined {
        low: verdict.found(),
        high: verdict.broken_at,
    });
    verdict
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
    Duration::from_secs_f64(before.map_or(last, |verdict| verdict.load_time_s))
}
