//! Where more load stops bringing more throughput. The definition is printed beside the number.

use super::load_of;
use crate::level::{LevelSummary, LevelVerdict};
use crate::verdict::Knee;

/// The share of the highest throughput that marks the knee.
const SHARE: f64 = 0.95;

/// The load at which throughput first reaches 95 % of the highest one measured, interpolated
/// between levels in log load; `None` below two levels with a throughput.
pub(super) fn knee(levels: &[LevelSummary]) -> Option<Knee> {
    let mut points: Vec<(f64, f64)> = levels
        .iter()
        .filter(|level| level.verdict != LevelVerdict::Void)
        .filter_map(|level| Some((f64::from(load_of(level)), level.request_per_s?)))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let wanted = SHARE * highest;
    if points.len() < 2 || highest <= 0.0 {
        return None;
    }
    let reached = points.iter().position(|point| point.1 >= wanted)?;
    let (load, rate) = points[reached];
    let streams = match reached.checked_sub(1).map(|before| points[before]) {
        Some((load_before, rate_before)) if load > load_before => {
            let part = (wanted - rate_before) / (rate - rate_before);
            (load_before.ln() + part * (load / load_before).ln()).exp()
        }
        _ => load,
    };
    Some(Knee {
        streams: streams.round() as u32,
        definition: "95 % of the highest throughput measured".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::level;
    use super::*;

    #[test]
    fn the_knee_lies_where_throughput_flattens() {
        let levels: Vec<LevelSummary> =
            [(1u32, 2.0), (16, 32.0), (32, 60.0), (64, 62.0), (128, 61.0)]
                .iter()
                .map(|&(streams, rate)| LevelSummary {
                    request_per_s: Some(rate),
                    ..level(streams, 0, 100)
                })
                .collect();
        let knee = knee(&levels).unwrap();
        assert!((30..=32).contains(&knee.streams), "{}", knee.streams);
    }

    #[test]
    fn one_level_has_no_knee() {
        assert_eq!(knee(&[level(1, 0, 10)]), None);
    }
}
