//! How much more the counts scatter than independent requests would: the factor that every count is
//! divided by.

use super::curve::Fit;
use super::points::{Point, Seen};
use crate::judge::Slice;
use crate::stats::chi2_quantile;

/// No counts are taken as less scattered than this (statistics.md §4.3.4).
const FLOOR: f64 = 1.5;
/// Slices and visits with fewer bad requests expected say nothing of the scatter.
const LEAST_EXPECTED: f64 = 1.0;
/// The curve has taken so many degrees of freedom.
const PARAMETERS: f64 = 3.0;

/// The dispersion, as estimated and as an upper bound (80 %).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dispersion {
    pub(super) point: f64,
    pub(super) upper: f64,
}

impl Dispersion {
    /// Until there is something to measure it by (statistics.md §2.3.3).
    pub(super) const UNKNOWN: f64 = 3.0;

    /// From the residuals around a fitted curve: by slices, and by whole visits, which see what is
    /// correlated for longer than a slice; the larger of the two.
    pub(super) fn around(fit: &Fit, points: &[Point], ln_edge: f64) -> Self {
        let mut by_slice = Residuals::default();
        let mut by_visit = Residuals::default();
        for point in points {
            let Seen::Share { allowed, .. } = point.seen else {
                continue;
            };
            let share = fit.shape.share(point.ln_load - ln_edge, allowed);
            for visit in &point.visits {
                by_visit.add(visit, share);
                for slice in visit {
                    by_slice.add(std::slice::from_ref(slice), share);
                }
            }
        }
        let (slices, visits) = (by_slice.dispersion(), by_visit.dispersion());
        match (slices, visits) {
            (None, None) => Self {
                point: Self::UNKNOWN,
                upper: Self::UNKNOWN,
            },
            (Some(one), None) | (None, Some(one)) => one,
            (Some(a), Some(b)) => Self {
                point: a.point.max(b.point),
                upper: a.upper.max(b.point),
            },
        }
    }
}

/// A sum of squared standardised residuals.
#[derive(Default)]
struct Residuals {
    chi2: f64,
    count: f64,
}

impl Residuals {
    fn add(&mut self, slices: &[Slice], share: f64) {
        let n: f64 = slices.iter().map(|slice| f64::from(slice.n)).sum();
        let over: f64 = slices.iter().map(|slice| f64::from(slice.over)).sum();
        let spread = n * share * (1.0 - share);
        if n * share >= LEAST_EXPECTED && n * (1.0 - share) >= LEAST_EXPECTED {
            self.chi2 += (over - n * share).powi(2) / spread;
            self.count += 1.0;
        }
    }

    fn dispersion(&self) -> Option<Dispersion> {
        let df = self.count - PARAMETERS;
        (df >= 1.0).then(|| Dispersion {
            point: (self.chi2 / df).max(FLOOR),
            upper: (self.chi2 / chi2_quantile(0.2, df)).max(FLOOR),
        })
    }
}
