//! What the visits of a load showed of one objective.

use super::spread::Visit;
use crate::judge::{ObjectiveResult, Slice};
use crate::level::{LevelSummary, LevelVerdict};

/// All visits of one load.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) ln_load: f64,
    pub(super) seen: Seen,
    /// The slices of each visit.
    pub(super) visits: Vec<Vec<Slice>>,
    /// What each visit showed of a mean; empty for a share.
    pub(super) means: Vec<Visit>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    /// `over` of `n` observations are bad.
    Share { allowed: f64, over: f64, n: f64 },
    /// (mean − bound)/bound, positive where it is broken, its standard error, and the degrees of
    /// freedom that the error is known with (`spread`).
    Mean { excess: f64, error: f64, df: f64 },
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
        let Some(point) = Point::of(result, level.load.amount().ln()) else {
            continue;
        };
        match points.iter_mut().find(|one| one.is_at(&point)) {
            Some(one) => one.join(point),
            None => points.push(point),
        }
    }
    points
}

impl Point {
    /// One visit; `None` where it showed nothing.
    fn of(result: &ObjectiveResult, ln_load: f64) -> Option<Self> {
        let (seen, means) = if result.objective.allowed_share().is_some() {
            (share(result)?, Vec::new())
        } else {
            (UNKNOWN, vec![Visit::of(result)?])
        };
        Some(Self {
            ln_load,
            seen,
            visits: vec![result.slices.clone()],
            means,
        })
    }

    /// Loads are whole streams, or rates on a grid of per cents.
    fn is_at(&self, other: &Self) -> bool {
        (self.ln_load - other.ln_load).abs() < 1e-9
    }

    /// Whether it is a mean that is surely within its bound.
    pub(super) fn is_mean_within(&self) -> bool {
        matches!(self.seen, Seen::Mean { excess, error, .. } if excess < -SURE * error)
    }

    fn join(&mut self, other: Self) {
        self.visits.extend(other.visits);
        self.means.extend(other.means);
        if let (
            Seen::Share { over, n, .. },
            Seen::Share {
                over: more, n: of, ..
            },
        ) = (&mut self.seen, other.seen)
        {
            *over += more;
            *n += of;
        }
    }
}

fn share(result: &ObjectiveResult) -> Option<Seen> {
    let allowed = result.objective.allowed_share()?;
    // What the client cannot tell is no observation.
    let (over, n) = result.counts_beyond_doubt()?;
    let (over, n) = (over as f64, n as f64);
    (n > 0.0).then_some(Seen::Share { allowed, over, n })
}

/// A mean before its error is set.
const UNKNOWN: Seen = Seen::Mean {
    excess: 0.0,
    error: f64::INFINITY,
    df: 1.0,
};
/// Standard errors from which on a mean is surely on one side.
const SURE: f64 = 3.0;
