//! How much longer a search would have to go on until its interval is narrow.

use std::time::Duration;

use super::Capacity;
use crate::level::{LevelSummary, Load, Purpose};
use crate::search::NARROW;

/// An estimate is of no use that is longer than a working day.
const LONGEST: Duration = Duration::from_secs(8 * 3_600);

/// The time at the edge that is missing until the ends of the interval are at the ratio at which a
/// search ends: the width of an interval, in ln N, falls with the root of that time. `None` where it
/// is that narrow, where an end is not known, where no load was held at the edge, and where it would
/// take more than a working day.
pub fn more_time(levels: &[LevelSummary], capacity: &Capacity) -> Option<Duration> {
    let (lower, upper) = (capacity.lower.amount(), capacity.upper?.amount());
    let are_neighbours = matches!(capacity.lower, Load::Streams(_)) && upper - lower <= 1.0;
    if lower <= 0.0 || upper <= lower * NARROW || are_neighbours {
        return None;
    }
    let at_edge = levels.iter().filter(|one| one.purpose == Purpose::Refine);
    let seen_s: f64 = at_edge.map(|one| one.duration_s).sum();
    let too_wide = (upper / lower).ln() / NARROW.ln();
    let missing = Duration::try_from_secs_f64(seen_s * (too_wide.powi(2) - 1.0)).ok()?;
    (!missing.is_zero() && missing <= LONGEST).then_some(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::level;

    fn missing_s(ends: (u32, Option<u32>), held_s: f64) -> Option<u64> {
        let held = LevelSummary {
            purpose: Purpose::Refine,
            duration_s: held_s,
            ..level(40, 0, 300)
        };
        let capacity = Capacity {
            at: Load::Streams(ends.0),
            lower: Load::Streams(ends.0),
            upper: ends.1.map(Load::Streams),
        };
        let ramp = LevelSummary {
            purpose: Purpose::Ramp,
            ..held.clone()
        };
        more_time(&[ramp, held], &capacity).map(|missing| missing.as_secs_f64().round() as u64)
    }

    #[test]
    fn an_interval_twice_as_wide_takes_three_times_as_long_again() {
        // 1.1² = 1.21: twice as wide in ln N as a search leaves it.
        assert_eq!(missing_s((100, Some(121)), 60.0), Some(180));
        let table = [
            ((100, Some(110)), 60.0),
            ((4, Some(5)), 60.0),
            ((0, Some(8)), 60.0),
            ((100, None), 60.0),
            ((100, Some(121)), 0.0),
            ((1, Some(1_000)), 600.0),
        ];
        for (ends, held_s) in table {
            assert_eq!(missing_s(ends, held_s), None, "{ends:?}");
        }
    }
}
