//! Where the edge lies: the probability of each capacity, given all levels.
//!
//! For each objective the likelihood of every load is integrated over the shapes an edge can have
//! (`curve`), with counts divided by an upper bound of the dispersion that the visits show
//! (`dispersion`), and means with an error from how the slices of all loads around scatter (`spread`).
//! A conjunction holds as long as all of its objectives do: the chance that the
//! capacity lies above a load is the product of theirs.

mod curve;
mod dispersion;
mod points;
mod spread;
#[cfg(test)]
mod tests;

use curve::{Fit, fit};
use points::{Point, points};

use crate::level::LevelSummary;

/// Candidates over the whole range, and then where the capacity can be.
const COARSE: usize = 48;
const FINE: usize = 64;
/// Chance of a capacity outside the fine range, on either side.
const OUTSIDE: f64 = 1e-3;
/// Loads above the first estimate by more than this factor do not shape the second: far beyond the
/// edge a server is in another regime.
const LOCAL: f64 = 1.6;

/// The chance of each capacity.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// Candidates, ascending, ln of the load.
    candidates: Vec<f64>,
    /// P(capacity ≥ candidate).
    above: Vec<f64>,
    /// Index of the objective that is likeliest to break first.
    pub(super) binding: usize,
}

/// One objective: its loads near the edge, and how far its counts scatter.
struct Objective {
    points: Vec<Point>,
    dispersion: f64,
    survival: Vec<f64>,
}

/// Where the edge lies between the loads `low` and `high`; `None` without a level that counts.
pub(super) fn edge(levels: &[&LevelSummary], low: f64, high: f64) -> Option<Edge> {
    let count = levels.first()?.objectives.len();
    let coarse = grid(low.ln(), high.ln(), COARSE);
    let objectives: Vec<Objective> = (0..count)
        .map(|index| Objective::near_edge(points(levels, index), &coarse))
        .collect::<Option<_>>()?;
    let rough = product(objectives.iter().map(|one| &one.survival), COARSE);
    let fine = where_it_can_be(&coarse, &rough);
    let fitted: Vec<Vec<f64>> = objectives
        .iter()
        .map(|one| one.survival_at(&fine))
        .collect();
    let above = product(fitted.iter(), FINE);
    let middle = |one: &Objective| quantile(&one.survival, &coarse, 0.5);
    let binding = (0..count).min_by(|a, b| {
        let (a, b) = (&objectives[*a], &objectives[*b]);
        middle(a).total_cmp(&middle(b))
    })?;
    Some(Edge {
        candidates: fine,
        above,
        binding,
    })
}

impl Objective {
    fn near_edge(mut all: Vec<Point>, candidates: &[f64]) -> Option<Self> {
        if all.is_empty() {
            return None;
        }
        match spread::around(all.iter()) {
            Some(scatter) => spread::set_errors(&mut all, scatter),
            None if all.iter().any(|point| !point.means.is_empty()) => return None,
            None => {}
        }
        if all.iter().all(Point::is_mean_within) {
            // Nothing of it says where it would break: above all loads seen.
            return Some(Self {
                points: Vec::new(),
                dispersion: dispersion::UNKNOWN,
                survival: vec![1.0; candidates.len()],
            });
        }
        let rough = fits(&all, candidates, dispersion::UNKNOWN);
        let middle = quantile(&survival(&rough), candidates, 0.5);
        let is_near = |point: &Point| point.ln_load - middle <= f64::ln(LOCAL);
        let near: Vec<Point> = all.iter().filter(|point| is_near(point)).cloned().collect();
        let mut points = if near.len() >= 2 { near } else { all };
        let is_around = |point: &&Point| (point.ln_load - middle).abs() <= f64::ln(LOCAL);
        if let Some(scatter) = spread::around(points.iter().filter(is_around)) {
            spread::set_errors(&mut points, scatter);
        }
        let fitted = fits(&points, candidates, dispersion::UNKNOWN);
        let (at, best) = likeliest(&fitted, candidates);
        let dispersion = dispersion::upper_bound(best, &points, at);
        Some(Self {
            survival: tempered(&fitted, dispersion::UNKNOWN / dispersion),
            points,
            dispersion,
        })
    }
}

impl Objective {
    /// P(capacity ≥ candidate) by this objective.
    fn survival_at(&self, candidates: &[f64]) -> Vec<f64> {
        if self.points.is_empty() {
            vec![1.0; candidates.len()]
        } else {
            survival(&fits(&self.points, candidates, self.dispersion))
        }
    }
}

fn grid(from: f64, to: f64, count: usize) -> Vec<f64> {
    (0..count)
        .map(|i| from + (to - from) * i as f64 / (count - 1) as f64)
        .collect()
}

fn product<'a>(survivals: impl Iterator<Item = &'a Vec<f64>>, count: usize) -> Vec<f64> {
    survivals.fold(vec![1.0; count], |mut all, one| {
        for (chance, factor) in all.iter_mut().zip(one) {
            *chance *= factor;
        }
        all
    })
}

/// A finer grid over the stretch outside which the capacity hardly lies.
fn where_it_can_be(coarse: &[f64], survival: &[f64]) -> Vec<f64> {
    let last = coarse.len() - 1;
    let from = survival.iter().rposition(|chance| *chance > 1.0 - OUTSIDE);
    let to = survival.iter().position(|chance| *chance < OUTSIDE);
    let from = from.unwrap_or(0).saturating_sub(1);
    let to = to.map_or(last, |to| (to + 1).min(last));
    grid(coarse[from], coarse[to.max(from + 1).min(last)], FINE)
}

fn fits(points: &[Point], candidates: &[f64], dispersion: f64) -> Vec<Fit> {
    candidates
        .iter()
        .map(|at| fit(points, *at, dispersion))
        .collect()
}

fn likeliest<'a>(fits: &'a [Fit], candidates: &[f64]) -> (f64, &'a Fit) {
    let mut best = 0;
    for i in 1..fits.len() {
        if fits[i].log_likelihood > fits[best].log_likelihood {
            best = i;
        }
    }
    (candidates[best], &fits[best])
}

/// P(capacity ≥ candidate) under a prior that is flat in ln N.
fn survival(fits: &[Fit]) -> Vec<f64> {
    tempered(fits, 1.0)
}

/// The same as if the counts had been divided by a dispersion `1/power` times as large.
fn tempered(fits: &[Fit], power: f64) -> Vec<f64> {
    let most = fits
        .iter()
        .map(|fit| fit.log_likelihood)
        .fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = fits
        .iter()
        .map(|fit| ((fit.log_likelihood - most) * power).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    let mut left = total;
    weights
        .iter()
        .map(|weight| {
            let survives = left / total;
            left -= weight;
            survives.clamp(0.0, 1.0)
        })
        .collect()
}

/// The candidate at which the chance of a larger one falls to `1 − q`, in between by a straight line.
fn quantile(survival: &[f64], candidates: &[f64], q: f64) -> f64 {
    let wanted = 1.0 - q;
    match survival.iter().position(|chance| *chance <= wanted) {
        None => candidates[candidates.len() - 1],
        Some(0) => candidates[0],
        Some(after) => {
            let (high, low) = (survival[after - 1], survival[after]);
            let part = if high > low {
                (high - wanted) / (high - low)
            } else {
                1.0
            };
            candidates[after - 1] + part * (candidates[after] - candidates[after - 1])
        }
    }
}

impl Edge {
    /// The capacity that is exceeded with the chance `1 − q`, in the load's unit.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        quantile(&self.above, &self.candidates, q).exp()
    }

    /// Each candidate in the load's unit, with the chance that the capacity is at least that.
    pub(super) fn chances(&self) -> Vec<(f64, f64)> {
        let loads = self.candidates.iter().map(|at| at.exp());
        loads.zip(self.above.iter().copied()).collect()
    }
}
