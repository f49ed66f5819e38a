//! How an objective worsens with the load: the likelihood of what levels showed, given where the
//! edge lies.
//!
//! The share of bad requests at load N is modelled as logit p = logit α + ε·ln(N/C): it is the
//! allowed share α at the capacity C. Two things bend that line. Below the edge there is a floor λ
//! that does not depend on the load: what a cap on sequences looks like. Above it, at a kink, the
//! line turns steep (a smooth edge runs into a cap) or flat (the batch is full). Slopes as measured
//! in statistics.md §1.1; slope, floor and kink are integrated out. A mean is modelled alike, by its
//! distance from the bound.

use super::points::{Point, Seen};

/// Slopes tried, d logit p / d ln N: from nearly flat to a cliff.
const SLOPES: [f64; 9] = [0.7, 1.7, 4.0, 9.0, 20.0, 45.0, 100.0, 250.0, 700.0];
/// Slopes of a mean, d(mean/bound) / d ln N: so many, each larger by a factor than the last.
const MEAN_SLOPES: usize = 26;
const LEAST_MEAN_SLOPE: f64 = 0.03;
const MEAN_SLOPE_FACTOR: f64 = 1.3;
/// How far a mean may be off its line, as a share of its distance from the bound: for the grid of
/// slopes, and for the bend of the curve, which grows with the distance in ln N. Else loads far away,
/// whose means are well known, would lay the line.
const MISFIT: f64 = 0.1;
const BEND: f64 = 1.0;
/// Floors tried below the edge, as a share of the allowed one.
const FLOORS: [f64; 3] = [0.0, 0.2, 0.5];
/// Kinks tried above the edge: how far away in ln N, and the factor of the slope from there on.
const KINKS: [(f64, f64); 5] = [(0.0, 1.0), (0.03, 8.0), (0.1, 8.0), (0.25, 8.0), (0.2, 0.1)];

/// One curve through the edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    slope: usize,
    floor: usize,
    kink: usize,
}

/// The likelihood of all points, given the edge: integrated over the shapes, and the best shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) log_likelihood: f64,
    pub(super) shape: Shape,
}

/// Fits the points for an edge at `ln_edge`, counts divided by `dispersion`.
pub(super) fn fit(points: &[Point], ln_edge: f64, dispersion: f64) -> Fit {
    let mut sums = Vec::with_capacity(SLOPES.len());
    let mut best = (
        f64::NEG_INFINITY,
        Shape {
            slope: 0,
            floor: 0,
            kink: 0,
        },
    );
    let is_mean = |point: &Point| matches!(point.seen, Seen::Mean { .. });
    let (slopes, floors) = if points.iter().any(is_mean) {
        (MEAN_SLOPES, 1)
    } else {
        (SLOPES.len(), FLOORS.len())
    };
    for slope in 0..slopes {
        let likelihood = |shape: Shape, is_below: bool| -> f64 {
            points
                .iter()
                .filter(|point| (point.ln_load <= ln_edge) == is_below)
                .map(|point| shape.log_likelihood(point, ln_edge, dispersion))
                .sum()
        };
        let shape = |floor, kink| Shape { slope, floor, kink };
        let floors: Vec<f64> = (0..floors)
            .map(|floor| likelihood(shape(floor, 0), true))
            .collect();
        let kinks: Vec<f64> = (0..KINKS.len())
            .map(|kink| likelihood(shape(0, kink), false))
            .collect();
        sums.push(log_mean_exp(&floors) + log_mean_exp(&kinks));
        let ((floor, below), (kink, above)) = (largest(&floors), largest(&kinks));
        if below + above > best.0 {
            best = (below + above, Shape { slope, floor, kink });
        }
    }
    Fit {
        log_likelihood: log_mean_exp(&sums),
        shape: best.1,
    }
}

impl Shape {
    /// The modelled share of bad requests at `distance` = ln(N/C).
    pub(super) fn share(self, distance: f64, allowed: f64) -> f64 {
        let floor = if distance <= 0.0 {
            FLOORS[self.floor] * allowed
        } else {
            0.0
        };
        let at_edge = (allowed - floor) / (1.0 - floor);
        let logit = (at_edge / (1.0 - at_edge)).ln() + SLOPES[self.slope] * self.bent(distance);
        floor + (1.0 - floor) / (1.0 + (-logit).exp())
    }

    /// Distance along a line that bends at the kink.
    fn bent(self, distance: f64) -> f64 {
        let (at, factor) = KINKS[self.kink];
        if distance <= at {
            distance
        } else {
            at + (distance - at) * factor
        }
    }

    fn log_likelihood(self, point: &Point, ln_edge: f64, dispersion: f64) -> f64 {
        let distance = point.ln_load - ln_edge;
        match point.seen {
            Seen::Share { allowed, over, n } => {
                let share = self.share(distance, allowed).clamp(1e-9, 1.0 - 1e-9);
                (over * share.ln() + (n - over) * (1.0 - share).ln()) / dispersion
            }
            Seen::Mean { excess, error, df } => {
                let slope = LEAST_MEAN_SLOPE * MEAN_SLOPE_FACTOR.powf(self.slope as f64);
                let expected = slope * self.bent(distance);
                let misfit = (MISFIT + BEND * distance.abs()).min(1.0);
                let wide = error.hypot(expected * misfit);
                let off = ((excess - expected) / wide).abs();
                // However the line bends, below the edge no mean is over the bound, nor within it above.
                let wrong_side = if excess * distance < 0.0 {
                    (excess / error).abs()
                } else {
                    0.0
                };
                // Student's t: the error is itself an estimate.
                -(df + 1.0) / 2.0 * (off.max(wrong_side).powi(2) / df).ln_1p() - wide.ln()
            }
        }
    }
}

fn largest(values: &[f64]) -> (usize, f64) {
    let all = values.iter().copied().enumerate();
    all.fold((0, f64::NEG_INFINITY), |a, b| if b.1 > a.1 { b } else { a })
}

/// ln of the mean of exponentials.
fn log_mean_exp(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|value| (value - most).exp()).sum();
    most + (sum / values.len() as f64).ln()
}
