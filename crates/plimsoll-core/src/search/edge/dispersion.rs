//! How much more the counts scatter than independent requests would: the factor that every count is
//! divided by.

use super::curve::Fit;
use super::points::{Point, Seen};
use crate::judge::Slice;
use crate::stats::chi2_quantile;

/// No counts are taken as less scattered than this (statistics.md §4.3.4).
const LEAST: f64 = 1.5;
/// What is taken for granted before anything is measured, and its weight in degrees of freedom.
const PRIOR: f64 = 2.5;
const PRIOR_DF: f64 = 4.0;
/// The upper bound holds with this chance.
const UPPER: f64 = 0.8;
/// Slices and visits with fewer bad requests expected say nothing of the scatter.
const LEAST_EXPECTED: f64 = 1.0;
/// A single residual counts no more than this: it may be the curve that is wrong.
const MOST: f64 = 25.0;
/// The curve has taken so many degrees of freedom.
const PARAMETERS: f64 = 2.0;

/// Before anything is measured (statistics.md §2.3.3).
pub(super) const UNKNOWN: f64 = 3.0;

/// An upper bound of the dispersion: by the slices of each load around its own share, and by whole
/// visits around the curve, which see what is correlated for longer than a slice; the larger one.
pub(super) fn upper_bound(fit: &Fit, points: &[Point], ln_edge: f64) -> f64 {
    let mut by_slice = Residuals::default();
    let mut by_visit = Residuals::default();
    by_visit.df -= PARAMETERS;
    for point in points {
        let Seen::Share { allowed, over, n } = point.seen else {
            continue;
        };
        let modelled = fit.shape.share(point.ln_load - ln_edge, allowed);
        let before = by_slice.df;
        for visit in &point.visits {
            by_visit.add(visit, modelled);
            for slice in visit {
                by_slice.add(std::slice::from_ref(slice), over / n);
            }
        }
        if by_slice.df > before {
            by_slice.df -= 1.0;
        }
    }
    by_slice.upper().max(by_visit.upper()).max(LEAST)
}

/// A sum of squared standardised residuals.
#[derive(Default)]
struct Residuals {
    chi2: f64,
    df: f64,
}

impl Residuals {
    fn add(&mut self, slices: &[Slice], share: f64) {
        let n: f64 = slices.iter().map(|slice| f64::from(slice.n)).sum();
        let over: f64 = slices.iter().map(|slice| f64::from(slice.over)).sum();
        let spread = n * share * (1.0 - share);
        if n * share >= LEAST_EXPECTED && n * (1.0 - share) >= LEAST_EXPECTED {
            self.chi2 += ((over - n * share).powi(2) / spread).min(MOST * PRIOR);
            self.df += 1.0;
        }
    }

    fn upper(&self) -> f64 {
        let df = self.df.max(0.0) + PRIOR_DF;
        (self.chi2 + PRIOR * PRIOR_DF) / chi2_quantile(1.0 - UPPER, df)
    }
}
