//! Ways in for the fuzz targets, which have bytes and no command line: what the command does with what
//! it is given, up to where it would send, write or wait.

use std::fs;
use std::path::Path;

use plimsoll_core::check::CheckDryRun;
use plimsoll_core::dry_run::dry_run;
use plimsoll_core::run::{Goal, RunPlan};
use plimsoll_report::lang::Lang;

use crate::cli::{self, Cli, Command, Typed};
use crate::exit::Exit;
use crate::fault::{Failure, UsageFault};
use crate::measure::{asked, no_effect};
use crate::store::{EVENTS, REQUESTS, Saved};
use crate::{bench, bench_arguments, check, find, plan};

/// Reads a whole command line, the program's name first, up to the plan that it stands for. No file is
/// read.
///
/// # Panics
/// It is refused otherwise than as a usage error, or its plan cannot be shown.
pub fn arguments(line: &[String]) {
    if let Some(rest) = bench_arguments(line) {
        return bench::read(rest);
    }
    let line = &cli::with_negatives(line);
    let cli = match Cli::parse_in(line, cli::language(line)) {
        Ok(cli) => cli,
        Err(error) => return is_refused(error, line),
    };
    let planned = match cli.command {
        Command::Find(args) => find::planned(&args).and_then(|plan| is_shown(&plan, line)),
        Command::Check(args) => check::planned(&args).and_then(|plan| is_shown(&plan, line)),
        Command::Plan(args) if args.from.is_none() => plan::planned(&args, None).map(drop),
        _ => return,
    };
    if let Err(failure) = planned {
        assert_eq!(failure.exit, Exit::Usage, "{line:?}: {failure}");
        has_words(&failure);
    }
}

fn is_refused(error: clap::Error, line: &[String]) {
    assert!(!error.to_string().is_empty(), "{line:?}");
    if let Some(failure) = cli::of_vllm(&error, line) {
        has_words(&failure);
    }
    has_words(&UsageFault::from(error).into());
}

fn has_words(failure: &Failure) {
    for lang in [Lang::En, Lang::Zh] {
        assert!(!failure.words(lang).is_empty());
    }
}

/// What a dry run and the run's folder say of a plan, and what is warned of.
fn is_shown(plan: &RunPlan, line: &[String]) -> Result<(), Failure> {
    drop(no_effect::look(plan, &Typed::read(line)?)?);
    drop(asked::odd_objectives(plan));
    let said = match &plan.goal {
        Goal::Search(search) => serde_json::to_string(&dry_run(plan, search)),
        Goal::Hold(hold) => serde_json::to_string(&CheckDryRun::of(plan, hold)),
    };
    assert!(
        said.is_ok() && serde_json::to_string(plan).is_ok(),
        "{line:?}"
    );
    Ok(())
}

/// Between the log and the requests.
const BETWEEN: &[u8] = b"\n----\n";

/// Puts a log and requests into a folder, and reads it as what goes on with a run or judges it again
/// does. Whether there is a run in it that can be trusted.
///
/// # Panics
/// Such a run does not balance, or has other requests than it says; or the folder cannot be written.
pub fn run_folder(folder: &Path, bytes: &[u8]) -> bool {
    let between = bytes.windows(BETWEEN.len()).position(|at| at == BETWEEN);
    // The log keeps the end of its last line.
    let (log, requests) = match between {
        Some(at) => (&bytes[..=at], &bytes[at + BETWEEN.len()..]),
        None => (bytes, &[][..]),
    };
    for (name, bytes) in [(EVENTS, log), (REQUESTS, requests)] {
        assert!(fs::write(folder.join(name), bytes).is_ok(), "{name}");
    }
    let saved = match Saved::read(folder) {
        Ok(saved) => saved,
        Err(failure) => {
            has_words(&failure);
            return false;
        }
    };
    let _ = (
        saved.clock_goes_on_at(),
        saved.elapsed(),
        saved.first_request(),
    );
    let levels = saved.run.levels.iter().take(saved.levels as usize);
    let mut requests = saved.keeps_requests().then(|| saved.requests()).transpose();
    assert!(requests.is_ok() || saved.levels == 0, "they are there");
    for level in levels {
        assert!(level.requests.balance(), "level {}", level.index);
        if let Ok(Some(requests)) = &mut requests {
            let ended = requests.level(level, false).map(|ended| ended.len() as u64);
            assert_eq!(ended.ok(), Some(level.requests.outcomes.values().sum()));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_are_runs() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/run_folder");
        for seed in fs::read_dir(seeds).unwrap() {
            let seed = seed.unwrap().path();
            let folder = tempfile::tempdir().unwrap();
            let bytes = fs::read(&seed).unwrap();
            assert!(run_folder(folder.path(), &bytes), "{}", seed.display());
        }
    }
}
