//! How steep the edge is.

use super::super::Search;
use super::super::visits::Known;
use crate::level::LevelSummary;
use crate::slo::Op;
use crate::stats::student_t_quantile;
use crate::verdict::EdgeShape;

/// How much the metric that breaks first moves for 5 % more load: a line through its logarithm over
/// the logarithm of the load, near the edge (statistics.md §1.5.3).
pub(super) fn edge_shape(search: &Search, known: Known) -> Option<EdgeShape> {
    let capacity = search.config.axis.amount(known.rung.max(1));
    let near: Vec<&LevelSummary> = search
        .levels
        .iter()
        .filter(|level| search.rung(level) > 0 && !level.says_nothing())
        .filter(|level| (level.load.amount() / capacity).ln().abs() < EDGE_REACH)
        .collect();
    let result = near.first()?.objectives.get(known.binding)?;
    let points: Vec<(f64, f64)> = near
        .iter()
        .filter_map(|level| {
            let value = level.objectives.get(known.binding)?.value?;
            (value > 0.0).then(|| (level.load.amount().ln(), value.ln()))
        })
        .collect();
    let slope = slope(&points)?;
    // More load is no relief: a slope the other way is luck.
    let worsens = (slope > 0.0) == (result.objective.op == Op::AtMost);
    worsens.then(|| EdgeShape {
        objective: result.objective,
        change_for_5_percent_ratio: (slope * 1.05f64.ln()).exp_m1(),
    })
}

/// Levels within this of the capacity, in ln N, show how steep it is there.
const EDGE_REACH: f64 = 0.25;
/// Two-sided, a slope counts from 95 % on.
const SURE: f64 = 0.975;

/// The slope of the least-squares line; `None` where it is within its noise, or that is not known:
/// below three levels, or at fewer than two loads.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = points.iter().map(|p| (p.0 - x0).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - x0) * (p.1 - y0)).sum();
    if n < 3.0 || sxx < 1e-9 {
        return None;
    }
    let slope = sxy / sxx;
    let squares = points
        .iter()
        .map(|p| (p.1 - y0 - slope * (p.0 - x0)).powi(2));
    let error = (squares.sum::<f64>() / (n - 2.0) / sxx).sqrt();
    (slope.abs() > student_t_quantile(SURE, n - 2.0) * error).then_some(slope)
}

#[cfg(test)]
mod tests {
    use super::super::super::SearchConfig;
    use super::super::super::tests::level;
    use super::*;

    #[test]
    fn a_slope_within_its_noise_is_none() {
        // y = 2x with errors of 0.01, and the same errors around no slope at all.
        let noisy = [(0.0, 0.01), (0.1, 0.19), (0.2, 0.41), (0.3, 0.59)];
        assert!(slope(&noisy).is_some_and(|slope| (1.8..2.1).contains(&slope)));
        let flat = [(0.0, 0.01), (0.1, -0.01), (0.2, 0.01), (0.3, -0.01)];
        assert_eq!(slope(&flat), None);
        assert_eq!(slope(&noisy[..2]), None, "two points have no noise to show");
        assert_eq!(slope(&[(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)]), None);
    }

    /// p95 of TTFT at four loads around 40; what more load makes better is luck, or another thing.
    fn shape(values_ms: [f64; 4]) -> Option<EdgeShape> {
        let mut search = Search::new(SearchConfig::new("ttft p95 <= 1s".parse().unwrap()));
        for (streams, value_ms) in [36, 38, 41, 44].into_iter().zip(values_ms) {
            let mut summary = level(streams, 10, 300);
            summary.objectives[0].value = Some(value_ms);
            search.take(summary);
        }
        let known = Known {
            rung: 40,
            lower: 36,
            upper: 44,
            binding: 0,
        };
        edge_shape(&search, known)
    }

    #[test]
    fn more_load_is_no_relief() {
        let steep = shape([800.0, 890.0, 1_040.0, 1_190.0]).unwrap();
        assert!((0.08..0.13).contains(&steep.change_for_5_percent_ratio));
        assert_eq!(shape([1_190.0, 1_040.0, 890.0, 800.0]), None);
        assert_eq!(shape([1_000.0, 900.0, 1_100.0, 1_000.0]), None);
    }
}
