//! The guide's growth rule: the ramp stops where more streams bring no more throughput
//! (method.md §5.3, statistics.md §7).

use crate::level::{LevelSummary, LevelVerdict};
use crate::scaling::{Growth, growth};

/// Where a batch is full all streams beyond it wait; what is measured of that scatters.
const MOST_OF_ADDED: f64 = 0.75;

/// Streams of a level; 0 of an open loop.
fn streams(level: &LevelSummary) -> u32 {
    level.load.streams().unwrap_or(0)
}

/// The level from which on throughput grows less than `least` per doubling: two steps in a row
/// whose upper bound is below it, at 4 streams or more.
pub(super) fn stalls_from(levels: &[&LevelSummary], least: f64) -> Option<u32> {
    let is_below = |growth: Growth| growth.upper_ratio < least;
    first_of_three(levels, |[low, middle, high]| {
        growth(low, middle).is_some_and(is_below) && growth(middle, high).is_some_and(is_below)
    })
}

/// The level from which on the batch is full: over two doublings throughput grows by less than
/// `least` each, at the upper bound of both together, and neither of them looks like more. To be as
/// sure of each doubling alone takes four times the requests, and where all but a batch of streams
/// wait a level of twice the streams takes twice the time.
pub(super) fn is_full_from(levels: &[&LevelSummary], least: f64) -> Option<u32> {
    let looks_below = |growth: Growth| growth.per_doubling_ratio < least;
    first_of_three(levels, |[low, middle, high]| {
        growth(low, middle).is_some_and(looks_below)
            && growth(middle, high).is_some_and(looks_below)
            && growth(low, high).is_some_and(|growth| growth.upper_ratio < least)
            && added_streams_wait(low, high)
    })
}

/// Whether most of the streams that a level has more than another wait for their first token: by
/// Little's law, of the streams in flight as many wait as TTFT has a part in the request time. Where
/// throughput ends although all are served, each of them gets slower, and may break an objective.
fn added_streams_wait(low: &LevelSummary, high: &LevelSummary) -> bool {
    let waiting = |level: &LevelSummary| {
        let share = level.ttft_ms.mean? / level.e2e_ms.mean?;
        Some(share * f64::from(streams(level)))
    };
    let added = f64::from(streams(high)) - f64::from(streams(low));
    let waits = waiting(high)
        .zip(waiting(low))
        .map(|(high, low)| high - low);
    waits.is_some_and(|waits| waits >= MOST_OF_ADDED * added)
}

/// Streams of the first of three levels in a row, at 4 streams or more, of which `is` holds.
fn first_of_three(
    levels: &[&LevelSummary],
    is: impl Fn([&LevelSummary; 3]) -> bool,
) -> Option<u32> {
    let sound: Vec<&LevelSummary> = levels
        .iter()
        .copied()
        .filter(|level| level.verdict != LevelVerdict::Void && streams(level) >= 4)
        .collect();
    let mut threes = sound.windows(3);
    threes.find_map(|three| match *three {
        [low, middle, high] => is([low, middle, high]).then(|| streams(low)),
        _ => None,
    })
}
