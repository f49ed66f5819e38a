//! The loads to try, by name or one by one. What is given one by one wins.

use plimsoll_core::preset::{Goal, InView};
use plimsoll_core::search::Ladder;

use crate::cli::FindArgs;
use crate::fault::{AskFault, Failure, Hint};
use crate::measure::asked::example;

/// Largest load where neither an option nor the workload says.
const MOST_STREAMS: u32 = 1_024;

/// The ramp's rungs: given, by the preset, or doubling.
pub(super) fn ladder(args: &FindArgs) -> Result<Ladder, Failure> {
    let Some(preset) = args.preset else {
        return Ok(args.ladder.clone().unwrap_or(Ladder::Doubling));
    };
    match preset.goal(InView::default()) {
        Ok(Goal::Search(guide)) => Ok(args.ladder.clone().unwrap_or(guide)),
        _ => Err(Failure::from(AskFault::PresetHolds(preset))
            .hint(Hint::Command(example(preset, args.server.url.as_deref())))),
    }
}

/// The largest load: the guide's workloads have one of their own, and a ladder that was typed has its
/// last rung.
///
/// # Errors
/// The ladder goes on above the largest load: its rungs there would never be tried.
pub(super) fn most_streams(args: &FindArgs) -> Result<u32, Failure> {
    let guide = args.lengths.workload.and_then(|named| named.guide);
    let guide = guide.map(|guide| guide.max_concurrency);
    let last = last_typed(args);
    if let (Some(last), Some(most)) = (last, args.max_concurrency.or(guide))
        && last > most
    {
        return Err(
            Failure::from(AskFault::LadderAboveMost { last, most }).hint(Hint::RaiseMost { last })
        );
    }
    let most = args.max_concurrency.or(guide);
    Ok(most.unwrap_or(last.unwrap_or(0).max(MOST_STREAMS)))
}

/// The last rung of a ladder of numbers. The guide's is meant as far as it goes.
fn last_typed(args: &FindArgs) -> Option<u32> {
    match args.ladder.as_ref()? {
        steps @ Ladder::Steps(all) if *steps != Ladder::guide() => all.last().copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_report::lang::Lang;

    use super::*;
    use crate::cli::{Cli, Command};

    fn most(words: &str) -> Result<u32, String> {
        let line = ["plimsoll", "find", "h:1"].into_iter();
        let line: Vec<String> = line
            .chain(words.split_whitespace())
            .map(str::to_owned)
            .collect();
        match Cli::parse_in(&line, Lang::En).unwrap().command {
            Command::Find(args) => most_streams(&args).map_err(|failure| failure.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_ladder_that_was_typed_is_climbed_to_its_end_or_refused() {
        assert_eq!(most(""), Ok(1_024));
        assert_eq!(most("--ladder 1,2,5"), Ok(1_024));
        assert_eq!(most("--ladder 1,2000"), Ok(2_000));
        assert_eq!(most("--ladder guide --max-concurrency 50"), Ok(50));
        assert_eq!(most("--ladder guide --workload guide:客服"), Ok(50));
        let cut = most("--ladder 1,2000 --max-concurrency 1000").unwrap_err();
        assert!(cut.contains("--max-concurrency 2000"), "{cut}");
        assert!(most("--ladder 1,500 --workload guide:客服").is_err());
    }
}
