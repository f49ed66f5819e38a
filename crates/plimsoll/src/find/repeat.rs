//! `find --repeat`: the whole search several times, each in a folder of its own with a seed of its
//! own, and their answers side by side. Each is a run like any other.

use std::path::Path;

use plimsoll_core::repeat::{Repeats, Repetition};
use plimsoll_core::run::{Run, RunState};
use plimsoll_report::lang::Lang;
use plimsoll_report::repeat::render;
use plimsoll_report::run_file::sentence;
use plimsoll_sim::SimServer;

use super::plan::Planned;
use super::session::{Begun, search};
use super::start::Start;
use super::{again, preview, resume as resume_one, say_where};
use crate::cli::{FindArgs, Typed};
use crate::exit::Exit;
use crate::fault::{AgainFault, Failure};
use crate::measure::Console;
use crate::measure::report::exit;
use crate::output::{self, Shown};
use crate::signal::Stop;
use crate::sim;
use crate::store::{Folder, Saved};

/// Whether a folder holds several runs.
pub(super) fn is_in(folder: &Path) -> bool {
    Folder::has_repeats(folder)
}

/// Searches so many times.
pub(super) fn run(
    times: u32,
    out: Option<&Path>,
    planned: Planned,
    shown: Shown,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let series = Series {
        times,
        folder: Folder::create(out, (jiff::Timestamp::now(), "find"))?,
        engine: sim::embedded(&planned.plan)?,
        planned,
        typed: None,
        shown,
        stop,
    };
    series.run()
}

/// Goes on with the first run that has not come to its end.
pub(super) fn resume(
    folder: &Path,
    args: &FindArgs,
    typed: &Typed,
    shown: Shown,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let first = Saved::read(&folder.join("1"))?;
    resume_one::check_format(&first, folder)?;
    let first = first.run.plan;
    let (folder, repeats) = Folder::open_repeats(folder)?;
    if repeats.runs.len() >= repeats.asked as usize {
        return Err(AgainFault::AllFinished.into());
    }
    if typed.has("budget") {
        return Err(AgainFault::OneBudget.into());
    }
    again::agrees(&first, args, typed)?;
    let way = again::way(&first, args, typed);
    way.has_secrets_of(&first)?;
    if args.show.dry_run {
        let number = repeats.runs.len() as u32 + 1;
        let planned = Planned::of_saved(first, way);
        return preview_of(
            &folder,
            (number, repeats.asked),
            &planned,
            (args, typed),
            shown,
        );
    }
    let series = Series {
        times: repeats.asked,
        folder,
        engine: sim::embedded(&first)?,
        planned: Planned::of_saved(first, way),
        typed: Some((args, typed)),
        shown,
        stop,
    };
    series.run()
}

/// What would be done of a series, from the run of this number on.
fn preview_of(
    folder: &Folder,
    (number, times): (u32, u32),
    planned: &Planned,
    (args, typed): (&FindArgs, &Typed),
    shown: Shown,
) -> Result<Exit, Failure> {
    let (path, has_run) = folder.below(number);
    if has_run {
        let (planned, start) = resume_one::open_unasked(&path, args, typed)?;
        return preview::goes_on(&planned, &start, shown);
    }
    preview::begins(&planned.numbered(number), Some(times + 1 - number), shown)
}

/// Several runs of one search.
struct Series<'a> {
    times: u32,
    folder: Folder,
    /// The first run. Each has the next seeds, so that no cache knows its prompts.
    planned: Planned,
    /// One server for all of them.
    engine: Option<SimServer>,
    /// What was typed now, where the series goes on.
    typed: Option<(&'a FindArgs, &'a Typed)>,
    shown: Shown,
    stop: &'a Stop,
}

impl Series<'_> {
    fn run(&self) -> Result<Exit, Failure> {
        let mut runs = Vec::new();
        while runs.len() < self.times as usize && !self.stop.is_set() {
            let begun = || self.folder.repeats(&self.side_by_side(&runs));
            let run = self.one(runs.len() as u32 + 1, &begun);
            // Nothing is in it where not even the first has begun.
            let run = run.inspect_err(|_| self.folder.give_up())?;
            if run.state != RunState::Finished {
                break;
            }
            runs.push(run);
            self.folder.repeats(&self.side_by_side(&runs))?;
        }
        self.report(&self.side_by_side(&runs))?;
        let all = runs.len() == self.times as usize;
        let odd = runs.iter().map(exit).find(|exit| *exit != Exit::Done);
        Ok(match (all, odd) {
            (false, _) => Exit::Interrupted,
            (true, odd) => odd.unwrap_or(Exit::Done),
        })
    }

    /// The run of this number, begun or gone on with, or read back where it is finished.
    fn one(&self, number: u32, begun: Begun<'_>) -> Result<Run, Failure> {
        let (path, has_run) = self.folder.below(number);
        let console = Console::new(self.shown.quiet, self.shown.lang);
        console.say(&self.heading(number));
        let (planned, start) = if let (true, Some((args, typed))) = (has_run, self.typed) {
            let saved = Saved::read(&path)?;
            if saved.run.state == RunState::Finished {
                return Ok(saved.run);
            }
            // What was typed is that of the first run: it was compared with its plan.
            resume_one::open_unasked(&path, args, typed)?
        } else {
            (self.planned.numbered(number), Start::fresh(Some(&path))?)
        };
        let recorded = search(
            planned,
            &start,
            self.engine.as_ref(),
            (self.shown, self.stop),
            begun,
        )?;
        if recorded.run.verdict.is_some() {
            console.say(&sentence(&recorded.run, self.shown.lang));
        }
        let run = recorded.kept()?;
        say_where(&run, &start, self.shown);
        Ok(run)
    }

    fn heading(&self, number: u32) -> String {
        let times = self.times;
        match self.shown.lang {
            Lang::En => format!("\nRun {number} of {times}"),
            Lang::Zh => format!("\n第 {number} 遍，共 {times} 遍"),
        }
    }

    fn side_by_side(&self, runs: &[Run]) -> Repeats {
        let runs = (1..).zip(runs);
        Repeats::of(self.times, runs.filter_map(repetition).collect())
    }

    fn report(&self, repeats: &Repeats) -> Result<(), Failure> {
        output::show(repeats, self.shown.json, |repeats, out| {
            writeln!(out)?;
            render(repeats, self.shown.lang, Console::width(), out)
        })
    }
}

fn repetition((number, run): (u32, &Run)) -> Option<Repetition> {
    let verdict = run.verdict.as_ref()?;
    Some(Repetition {
        folder: number.to_string(),
        seed: run.plan.seed,
        started_utc: run.started_utc.clone(),
        load_time_s: verdict.load_time_s,
        kind: verdict.kind,
        capacity: verdict.answer(),
    })
}
