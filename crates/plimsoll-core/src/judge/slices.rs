//! A window in slices of about two mean request times: what the search keeps of a level, so that
//! levels can be put together and their scatter be seen.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Observation;
use crate::schedule::Stretch;
use crate::time::Offset;

/// Length of a slice, in mean request times (statistics.md §4.3.4).
const REQUEST_TIMES: f64 = 2.0;
/// Most slices of a level.
const MOST: usize = 20;

/// Observations of one objective in one stretch of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Slice {
    /// Observations.
    pub n: u32,
    /// Those over the bound.
    pub over: u32,
    /// Mean of those with a value, in the metric's unit.
    pub mean: Option<f64>,
}

/// Cuts a window into equal slices; at least one. `all` is in the order of time.
pub(super) fn slices(
    all: &[Observation],
    from: Offset,
    to: Offset,
    request_time: Duration,
) -> Vec<Slice> {
    let length_s = to.since(from).as_secs_f64();
    let wanted = length_s / (REQUEST_TIMES * request_time.as_secs_f64()).max(1e-9);
    let count = (wanted.round() as usize).clamp(1, MOST);
    let mut rest = all;
    (1..=count)
        .map(|i| {
            let end = from + Duration::from_secs_f64(length_s * i as f64 / count as f64);
            let split = if i == count {
                rest.len()
            } else {
                rest.partition_point(|one| one.at < end)
            };
            let (slice, later) = rest.split_at(split);
            rest = later;
            Slice::of(slice)
        })
        .collect()
}

/// One slice for each draw of the phases.
pub(super) fn of_draws(all: &[Observation], draws: &[Stretch]) -> Vec<Slice> {
    draws
        .iter()
        .map(|draw| Slice::of(draw.among(all, |one| one.at)))
        .collect()
}

impl Slice {
    fn of(observations: &[Observation]) -> Self {
        let values: Vec<f64> = observations.iter().filter_map(|one| one.value).collect();
        Self {
            n: observations.len() as u32,
            over: observations.iter().filter(|one| one.over).count() as u32,
            mean: crate::stats::mean(&values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_hold_every_observation_once_and_in_order() {
        let all: Vec<Observation> = (0..100u64)
            .map(|i| Observation {
                at: Offset::from_nanos(i * 10_000_000),
                value: Some(i as f64),
                over: i >= 50,
            })
            .collect();
        let to = Offset::from_nanos(1_000_000_000);
        let cut = slices(&all, Offset::ZERO, to, Duration::from_millis(125));
        assert_eq!(cut.len(), 4);
        assert_eq!(cut.iter().map(|one| one.n).sum::<u32>(), 100);
        assert_eq!(
            cut.iter().map(|one| one.over).collect::<Vec<_>>(),
            [0, 0, 25, 25]
        );
        assert_eq!(cut[0].mean, Some(12.0));
    }

    #[test]
    fn a_short_window_is_one_slice() {
        let to = Offset::from_nanos(1_000);
        let cut = slices(&[], Offset::ZERO, to, Duration::from_secs(1));
        assert_eq!(
            cut,
            vec![Slice {
                n: 0,
                over: 0,
                mean: None
            }]
        );
    }
}
