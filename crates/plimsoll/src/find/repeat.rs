//! `find --repeat`: the whole search several times, each in a folder of its own with a seed of its
//! own, and their answers side by side. Each is a run like any other.

use std::path::Path;

use plimsoll_core::repeat::{Repeats, Repetition};
use plimsoll_core::run::{Run, RunState};
use plimsoll_report::lang::Lang;
use plimsoll_report::repeat::render;
use plimsoll_sim::SimServer;

use super::report::{exit, print, print_json};
use super::words::Words;
use super::{Shown, Start, engine, plan, resume as resume_one, search};
use crate::cli::FindArgs;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::signal::Stop;
use crate::store::{Folder, Saved};

/// Whether a folder holds several runs.
pub(super) fn is_in(folder: &Path) -> bool {
    Folder::has_repeats(folder)
}

/// Searches so many times.
pub(super) fn run(
    times: u32,
    args: &FindArgs,
    words: &Words,
    lang: Lang,
    stop: &Stop,
) -> Result<Exit, Failure> {
    // What makes no sense is said before there is a folder.
    drop(plan::resolve(args)?);
    let series = Series {
        times,
        folder: Folder::create(args.out.as_deref(), (jiff::Timestamp::now(), "find"))?,
        seed: args.seed,
        engine: engine(args)?,
        words,
        typed: words,
        shown: shown(args, lang),
        stop,
    };
    series.run()
}

/// Goes on with the first run that has not come to its end.
pub(super) fn resume(
    folder: &Path,
    args: &FindArgs,
    typed: &Words,
    lang: Lang,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let first = Saved::read(&folder.join("1"))?;
    resume_one::check_format(&first, folder)?;
    let (folder, repeats) = Folder::open_repeats(folder)?;
    if repeats.runs.len() >= repeats.asked as usize {
        return Err(Failure::usage("all runs are finished; nothing to resume"));
    }
    let words = Words::of_saved(&first.run.plan.arguments)?.with(typed)?;
    let series = Series {
        times: repeats.asked,
        folder,
        seed: first.run.plan.seed,
        engine: engine(&words.meaning()?)?,
        words: &words,
        typed,
        shown: shown(args, lang),
        stop,
    };
    series.run()
}

fn shown(args: &FindArgs, lang: Lang) -> Shown {
    Shown {
        is_one_of_several: true,
        ..Shown::of(args, lang)
    }
}

/// Several runs of one search.
struct Series<'a> {
    times: u32,
    folder: Folder,
    /// Of the first run; each has the next one, so that no cache knows its prompts.
    seed: u64,
    /// One server for all of them.
    engine: Option<SimServer>,
    words: &'a Words,
    /// What was typed now, where a run goes on.
    typed: &'a Words,
    shown: Shown,
    stop: &'a Stop,
}

impl Series<'_> {
    fn run(&self) -> Result<Exit, Failure> {
        let mut runs = Vec::new();
        self.folder.repeats(&self.side_by_side(&runs))?;
        while runs.len() < self.times as usize && !self.stop.is_set() {
            let run = self.one(runs.len() as u32 + 1)?;
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
    fn one(&self, number: u32) -> Result<Run, Failure> {
        let (path, has_run) = self.folder.below(number);
        let console = Console::new(self.shown.quiet, self.shown.lang);
        console.say(&self.heading(number));
        let (args, resolved, start) = if has_run {
            let saved = Saved::read(&path)?;
            if saved.run.state == RunState::Finished {
                return Ok(saved.run);
            }
            resume_one::open(&path, self.typed)?
        } else {
            let seed = self.seed.wrapping_add(u64::from(number) - 1);
            let words = self.words.with_seed(seed)?;
            let args = words.meaning()?;
            let mut resolved = plan::resolve(&args)?;
            resolved.plan.arguments = words.saved();
            (args, resolved, Start::fresh(Some(&path))?)
        };
        let engine = self.engine.as_ref();
        search(&args, resolved, start, engine, self.shown, self.stop)
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
        if self.shown.json {
            return print_json(repeats);
        }
        print(|out| {
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
        capacity: verdict.capacity,
    })
}
