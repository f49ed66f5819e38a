//! Growth of throughput per doubling of the load (method.md §5.3, statistics.md §7).

use super::load_of;
use crate::level::{LevelSummary, LevelVerdict};

/// Growth per doubling between two levels: (X₂/X₁)^(ln 2/ln(N₂/N₁)) − 1, as observed and its
/// upper 95 % bound. `None` where a throughput is missing.
pub(super) fn per_doubling(lower: &LevelSummary, upper: &LevelSummary) -> Option<Growth> {
    let (x1, x2) = (lower.request_per_s?, upper.request_per_s?);
    let ratio = f64::from(load_of(upper)) / f64::from(load_of(lower));
    if x1 <= 0.0 || x2 <= 0.0 || ratio <= 1.0 {
        return None;
    }
    let per_doubling = std::f64::consts::LN_2 / ratio.ln();
    let log_growth = (x2 / x1).ln() * per_doubling;
    // Relative error of a completion count n: at most 1/√n, since streams in service are steadier
    // than Poisson (index of dispersion 0.2–0.45, statistics.md §8): the factor is its root.
    let noise =
        |level: &LevelSummary| DISPERSION / (level.requests.completed_in_window.max(1) as f64);
    let error = (noise(lower) + noise(upper)).sqrt() * per_doubling;
    Some(Growth {
        observed: log_growth.exp_m1(),
        upper: (log_growth + 1.645 * error).exp_m1(),
    })
}

/// Index of dispersion of completions of a closed loop; the larger of the two measured.
const DISPERSION: f64 = 0.45;

/// Growth as a ratio: 0.2 is 20 % more throughput for twice the streams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Growth {
    pub(super) observed: f64,
    pub(super) upper: f64,
}

/// The level from which on throughput grows less than `least` per doubling: two steps in a row
/// whose upper bound is below it, at 4 streams or more.
pub(super) fn stalls_from(levels: &[&LevelSummary], least: f64) -> Option<u32> {
    let sound: Vec<&&LevelSummary> = levels
        .iter()
        .filter(|level| level.verdict != LevelVerdict::Void && load_of(level) >= 4)
        .collect();
    sound.windows(3).find_map(|three| {
        let stalls = |pair: &[&&LevelSummary]| {
            per_doubling(pair[0], pair[1]).is_some_and(|growth| growth.upper < least)
        };
        (stalls(&three[..2]) && stalls(&three[1..])).then_some(load_of(three[0]))
    })
}
