//! A number of requests that changes in steps, over a window.

use serde::{Deserialize, Serialize};

use crate::time::Offset;

/// How a number of requests was spread over the time of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Spread {
    /// Mean over time.
    pub mean: f64,
    /// At most this many for half of the time.
    pub p50: u32,
    /// At most this many for 95 % of the time.
    pub p95: u32,
    /// At most this many for 99 % of the time.
    pub p99: u32,
    /// Largest number at any moment.
    pub max: u32,
}

/// The number over time: each step holds from its time to that of the next.
#[derive(Debug)]
pub(super) struct Path {
    steps: Vec<(Offset, u32)>,
    to: Offset,
}

impl Path {
    /// Counts requests from their start to their end, if they have one. `None` where the window has
    /// no length.
    pub(super) fn of(
        requests: impl Iterator<Item = (Offset, Option<Offset>)>,
        from: Offset,
        to: Offset,
    ) -> Option<Self> {
        if to <= from {
            return None;
        }
        let mut changes: Vec<(Offset, i64)> = Vec::new();
        for (start, end) in requests.filter(|(start, _)| *start < to) {
            let start = start.max(from);
            let end = end.unwrap_or(to);
            if end > start {
                changes.push((start, 1));
                changes.push((end.min(to), -1));
            }
        }
        changes.sort_unstable();
        let mut steps = vec![(from, 0)];
        let mut now = 0i64;
        for (at, change) in changes {
            now += change;
            let count = u32::try_from(now).unwrap_or(0);
            match steps.last_mut() {
                Some(last) if last.0 == at => last.1 = count,
                _ => steps.push((at, count)),
            }
        }
        Some(Self { steps, to })
    }

    /// Mean between two shares of the window.
    pub(super) fn mean(&self, from: f64, to: f64) -> f64 {
        let (start, length) = (self.steps[0].0, self.to.since(self.steps[0].0));
        let (from, to) = (start + length.mul_f64(from), start + length.mul_f64(to));
        let area: f64 = self
            .spans()
            .map(|(begin, end, count)| {
                let span = end.min(to).since(begin.max(from));
                span.as_secs_f64() * f64::from(count)
            })
            .sum();
        area / to.since(from).as_secs_f64()
    }

    /// The spread over all of the window.
    pub(super) fn spread(&self) -> Spread {
        let mut spans: Vec<(u32, u64)> = self
            .spans()
            .map(|(begin, end, count)| (count, end.since(begin).as_nanos() as u64))
            .collect();
        spans.sort_unstable();
        let total: u64 = spans.iter().map(|(_, nanos)| nanos).sum();
        let at = |share: f64| {
            let wanted = total as f64 * share;
            let mut passed = 0.0;
            let found = spans.iter().find(|(_, nanos)| {
                passed += *nanos as f64;
                passed >= wanted
            });
            found.map_or(0, |(count, _)| *count)
        };
        Spread {
            mean: self.mean(0.0, 1.0),
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
            max: spans.last().map_or(0, |(count, _)| *count),
        }
    }

    /// Each step with its begin and its end.
    fn spans(&self) -> impl Iterator<Item = (Offset, Offset, u32)> + '_ {
        let ends = self.steps.iter().skip(1).map(|(at, _)| *at);
        let ends = ends.chain(std::iter::once(self.to));
        let steps = self.steps.iter().zip(ends);
        steps.map(|((begin, count), end)| (*begin, end, *count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: u64) -> Offset {
        Offset::from_nanos(s * 1_000_000_000)
    }

    fn path(requests: &[(u64, Option<u64>)]) -> Path {
        let stamps = requests
            .iter()
            .map(|(start, end)| (at(*start), end.map(at)));
        Path::of(stamps, at(10), at(20)).unwrap()
    }

    #[test]
    fn a_path_counts_what_reaches_into_the_window() {
        // One through all of it, one that ends, one that begins, and three outside.
        let path = path(&[
            (0, None),
            (5, Some(15)),
            (18, Some(30)),
            (1, Some(9)),
            (21, None),
            (25, Some(26)),
        ]);
        assert!((path.mean(0.0, 0.5) - 2.0).abs() < 1e-9);
        assert!((path.mean(0.5, 0.8) - 1.0).abs() < 1e-9);
        let spread = path.spread();
        assert!((spread.mean - (5.0 * 2.0 + 3.0 + 2.0 * 2.0) / 10.0).abs() < 1e-9);
        assert_eq!((spread.p50, spread.p95, spread.max), (2, 2, 2));
    }

    #[test]
    fn quantiles_are_of_time_and_not_of_changes() {
        // Ten for one of ten seconds, else none.
        let path = path(&[(12, Some(13)); 10]);
        let spread = path.spread();
        assert_eq!(
            (spread.p50, spread.p95, spread.p99, spread.max),
            (0, 10, 10, 10)
        );
    }

    #[test]
    fn a_window_without_length_has_no_path() {
        assert!(Path::of(std::iter::empty(), at(3), at(3)).is_none());
        let empty = Path::of(std::iter::empty(), at(3), at(4)).unwrap().spread();
        assert_eq!(empty, Spread::default());
    }

    proptest! {
        #[test]
        fn the_mean_is_the_time_of_all_requests_by_the_length(
            lives in prop::collection::vec((0u64..30, 0u64..30), 0..50),
        ) {
            let lives: Vec<_> = lives.iter().map(|(a, b)| (*a, Some(a + b))).collect();
            let inside = |(start, end): &(u64, Option<u64>)| {
                end.unwrap().min(20).saturating_sub((*start).max(10))
            };
            let area: u64 = lives.iter().map(inside).sum();
            prop_assert!((path(&lives).spread().mean - area as f64 / 10.0).abs() < 1e-9);
        }
    }
}
