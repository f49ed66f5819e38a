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

/// The largest load: the guide's workloads have one of their own.
pub(super) fn most_streams(args: &FindArgs) -> u32 {
    let guide = args.lengths.workload.and_then(|named| named.guide);
    args.max_concurrency
        .or(guide.map(|guide| guide.max_concurrency))
        .unwrap_or(MOST_STREAMS)
}
