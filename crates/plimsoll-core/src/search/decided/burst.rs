//! A burst of arrivals decides against a rate, and longer visits of the same rate outweigh it.
//!
//! A busy period near saturation is far longer than a request time, so that a short visit within
//! one fails (statistics.md §8). A later visit that is as long or longer, and a share over the bound
//! that is allowed over all of them together, the burst included, take that back.

use crate::judge::ObjectiveResult;
use crate::level::{LevelSummary, LevelVerdict, Window};
use crate::slo::Objective;

/// Whether the latest fail among the levels of one rate, in the order run, is outweighed by those
/// after it.
pub(super) fn is_outweighed(levels: &[&LevelSummary]) -> bool {
    let fails = |level: &&LevelSummary| level.verdict == LevelVerdict::Fail;
    let Some(latest) = levels.iter().rposition(fails) else {
        return false;
    };
    let since = &levels[latest..];
    let (burst, later) = (since[0], &since[1..]);
    let is_long = |level: &&LevelSummary| {
        length_s(level) >= length_s(burst) && !level.is_unstable() && !level.is_broken()
    };
    later.iter().any(is_long)
        && (burst.objectives.iter()).all(|one| is_within(&one.objective, since) == Some(true))
}

fn length_s(level: &LevelSummary) -> f64 {
    level.window.map_or(0.0, Window::length_s)
}

/// Whether the share over an objective's bound, over all levels, is allowed; `None` where it is no
/// share of requests, or a level lacks it.
fn is_within(objective: &Objective, levels: &[&LevelSummary]) -> Option<bool> {
    let allowed = objective.allowed_share()?;
    let (mut over, mut n) = (0, 0);
    for level in levels {
        let same = |one: &&ObjectiveResult| one.objective == *objective;
        let result = level.objectives.iter().find(same)?;
        over += result.over?;
        n += result.n;
    }
    (n > 0).then_some(over as f64 <= allowed * n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::level;

    /// A level of one rate that was held for so long.
    fn held(seconds: f64, over: usize, n: usize, verdict: LevelVerdict) -> LevelSummary {
        let mut summary = level(20, over, n);
        summary.verdict = verdict;
        if let Some(window) = &mut summary.window {
            window.to_s = window.from_s + seconds;
        }
        summary
    }

    /// 42 of 123 requests over a p95 in 5 s of an engine that keeps it up to 24.7 requests per
    /// second, at 21.7; then 4 of 990 in 45 s.
    #[test]
    fn a_short_burst_is_outweighed_by_a_longer_visit_that_holds() {
        use LevelVerdict::{Fail, Undecided};
        let burst = held(5.3, 42, 123, Fail);
        let quiet = held(45.0, 4, 990, Undecided);
        assert!(is_outweighed(&[&burst, &quiet]));
        assert!(is_outweighed(&[&quiet, &burst, &quiet]));
        for stands in [
            vec![&burst],
            // What came before it was known when it was decided.
            vec![&quiet, &burst],
            vec![&quiet],
            vec![&burst, &held(4.0, 4, 990, Undecided)],
            vec![&burst, &held(45.0, 30, 990, Undecided)],
            vec![&burst, &held(45.0, 0, 0, Undecided)],
            vec![&burst, &quiet, &burst],
        ] {
            assert!(!is_outweighed(&stands), "{stands:?}");
        }
    }
}
