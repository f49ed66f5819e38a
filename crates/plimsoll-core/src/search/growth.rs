//! The guide's growth rule: the ramp stops where more streams bring no more throughput
//! (method.md §5.3, statistics.md §7).

use crate::level::{LevelSummary, LevelVerdict};
use crate::scaling::growth;

/// Streams of a level; 0 of an open loop.
fn streams(level: &LevelSummary) -> u32 {
    level.load.streams().unwrap_or(0)
}

/// The level from which on throughput grows less than `least` per doubling: two steps in a row
/// whose upper bound is below it, at 4 streams or more.
pub(super) fn stalls_from(levels: &[&LevelSummary], least: f64) -> Option<u32> {
    let sound: Vec<&&LevelSummary> = levels
        .iter()
        .filter(|level| level.verdict != LevelVerdict::Void && streams(level) >= 4)
        .collect();
    sound.windows(3).find_map(|three| {
        let stalls = |pair: &[&&LevelSummary]| {
            growth(pair[0], pair[1]).is_some_and(|growth| growth.upper_ratio < least)
        };
        (stalls(&three[..2]) && stalls(&three[1..])).then_some(streams(three[0]))
    })
}
