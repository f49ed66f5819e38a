//! What the visits of a load showed of one objective.

use crate::judge::{ObjectiveResult, Slice};
use crate::level::{LevelSummary, LevelVerdict};
use crate::slo::Op;
use crate::stats::variance;

/// All visits of one load.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) ln_load: f64,
    pub(super) seen: Seen,
    /// The slices of each visit.
    pub(super) visits: Vec<Vec<Slice>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    /// `over` of `n` observations are bad.
    Share { allowed: f64, over: f64, n: f64 },
    /// (mean − bound)/bound, positive where it is broken, and its standard error.
    Mean { excess: f64, error: f64 },
}

/// What the visits showed of objective `index`, by load; void ones do not count.
pub(super) fn points(levels: &[&LevelSummary], index: usize) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for level in levels {
        if level.verdict == LevelVerdict::Void || level.window.is_none() {
            continue;
        }
        let Some(result) = level.objectives.get(index) else {
            continue;
        };
        let Some(seen) = seen(result) else {
            continue;
        };
        let ln_load = level.load.amount().ln();
        match points.iter_mut().find(|point| same(point.ln_load, ln_load)) {
            Some(point) => point.join(seen, result.slices.clone()),
            None => points.push(Point {
                ln_load,
                seen,
                visits: vec![result.slices.clone()],
            }),
        }
    }
    points
}

/// Loads are whole streams, or rates on a grid of per cents.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

impl Point {
    /// Whether it is a mean that is surely within its bound.
    pub(super) fn is_mean_within(&self) -> bool {
        matches!(self.seen, Seen::Mean { excess, error } if excess < -SURE * error)
    }

    fn join(&mut self, seen: Seen, slices: Vec<Slice>) {
        self.visits.push(slices);
        self.seen = match (self.seen, seen) {
            (
                Seen::Share { allowed, over, n },
                Seen::Share {
                    over: more, n: of, ..
                },
            ) => Seen::Share {
                allowed,
                over: over + more,
                n: n + of,
            },
            (
                Seen::Mean { excess, error },
                Seen::Mean {
                    excess: other,
                    error: its_error,
                },
            ) => {
                // By inverse variance.
                let (weight, its_weight) = (error.powi(-2), its_error.powi(-2));
                let both = weight + its_weight;
                Seen::Mean {
                    excess: (excess * weight + other * its_weight) / both,
                    error: both.powf(-0.5),
                }
            }
            (one, _) => one,
        };
    }
}

fn seen(result: &ObjectiveResult) -> Option<Seen> {
    let objective = &result.objective;
    if let Some(allowed) = objective.allowed_share() {
        // What the client cannot tell is no observation.
        let (over, n) = result.counts_beyond_doubt()?;
        let (over, n) = (over as f64, n as f64);
        return (n > 0.0).then_some(Seen::Share { allowed, over, n });
    }
    let distance = (result.value? - objective.bound) / objective.bound;
    let excess = if objective.op == Op::AtMost {
        distance
    } else {
        -distance
    };
    let means: Vec<f64> = result
        .slices
        .iter()
        .filter_map(|slice| slice.mean)
        .collect();
    let by_slices = variance(&means).map(|spread| (spread / means.len() as f64).sqrt());
    let error = by_slices
        .into_iter()
        .chain(result.standard_error)
        .chain(half_doubt(result))
        .reduce(f64::max)?;
    Some(Seen::Mean {
        excess,
        error: (error / objective.bound).max(LEAST_ERROR),
    })
}

/// Half of what the client does not know of a mean.
fn half_doubt(result: &ObjectiveResult) -> Option<f64> {
    let doubt = result.doubt?;
    Some((doubt.worst.value? - doubt.best.value?).abs() / 2.0)
}

/// No mean is taken as better known than to one per mille of its bound.
const LEAST_ERROR: f64 = 1e-3;
/// Standard errors from which on a mean is surely on one side.
const SURE: f64 = 3.0;
