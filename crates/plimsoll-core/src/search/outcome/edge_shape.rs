//! How steep the edge is.

use super::super::Search;
use super::super::visits::Known;
use crate::level::LevelSummary;
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
    Some(EdgeShape {
        objective: result.objective,
        change_for_5_percent_ratio: (slope * 1.05f64.ln()).exp_m1(),
    })
}

/// Levels within this of the capacity, in ln N, show how steep it is there.
const EDGE_REACH: f64 = 0.25;

/// The slope of the least-squares line; `None` below two different loads.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = points.iter().map(|p| (p.0 - x0).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - x0) * (p.1 - y0)).sum();
    (sxx > 1e-9).then(|| sxy / sxx)
}
