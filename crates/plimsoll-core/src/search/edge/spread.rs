//! How well the mean of a load is known: its standard error.
//!
//! Requests of one window share the server's state, so they say far less than as many independent
//! ones: levels shorter than three request times lay more than three of their own standard errors
//! off a long hold in 25 % (TTFT) and 40 % (TPOT), and in 1 to 3 % with an error from how slices of
//! two request times scatter. A load has few of those. So its variance is that of all loads around,
//! taken for [`PRIOR_DF`] degrees of freedom, together with what its own slices show (a scaled
//! inverse χ² prior: Gelman et al., Bayesian Data Analysis, §2.6). The mean then has Student's t.

use super::points::{Point, Seen};
use crate::judge::{ObjectiveResult, Slice};
use crate::slo::Op;

/// Degrees of freedom that the scatter of the loads around counts for against a load's own: as many
/// as the prior of `dispersion` has. With the scatter around alone the loads below a cliff have the
/// errors of those above it.
const PRIOR_DF: f64 = 4.0;
/// The variance that slices show, over that which the requests of a short level promise, and the
/// degrees of freedom that this counts for until slices are seen: 2.8² in the median of 466 short
/// levels of model engines for TPOT, 1.9² of 204 for TTFT.
const OVER_REQUESTS: f64 = 8.0;
const OVER_REQUESTS_DF: f64 = 2.0;
/// A level with fewer slices has its error from its requests, and not from batches.
const FEW_SLICES: f64 = 4.0;
/// No mean is taken as better known than to one per mille of its bound: a server is not steady to
/// less, however long it is held.
const LEAST_ERROR: f64 = 1e-3;

/// What one visit showed of a mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    /// (mean − bound)/bound, positive where the bound is broken.
    pub(super) excess: f64,
    /// mean/bound.
    pub(super) ratio: f64,
    /// Requests.
    pub(super) n: f64,
    /// How its slices scatter.
    pub(super) scatter: Scatter,
    /// Variance of the mean as its requests alone promise it, over mean², times their number; `None`
    /// where slices tell.
    pub(super) by_requests: Option<f64>,
    /// Half of what the client does not know of it, over the bound.
    pub(super) doubt: f64,
}

/// A sum of squares Σ n·(slice's mean/mean − 1)², in requests, and its degrees of freedom.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scatter {
    pub(super) squares: f64,
    pub(super) df: f64,
}

impl Scatter {
    fn of(slices: &[Slice], mean: f64) -> Self {
        let seen = slices
            .iter()
            .filter_map(|slice| Some(f64::from(slice.n) * (slice.mean? / mean - 1.0).powi(2)));
        let (count, squares) = seen.fold((0.0, 0.0), |(count, sum), one| (count + 1.0, sum + one));
        Self {
            squares,
            df: f64::max(count - 1.0, 0.0),
        }
    }

    /// So many degrees of freedom of a variance.
    fn known(variance: f64, df: f64) -> Self {
        Self {
            squares: variance * df,
            df,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            squares: self.squares + other.squares,
            df: self.df + other.df,
        }
    }

    /// The variance per request; `None` where nothing tells it.
    fn variance(self) -> Option<f64> {
        (self.df > 0.0).then(|| self.squares / self.df)
    }
}

impl Visit {
    /// `None` where no request has a value.
    pub(super) fn of(result: &ObjectiveResult) -> Option<Self> {
        let objective = &result.objective;
        let mean = result.value.filter(|mean| *mean > 0.0)?;
        let ratio = mean / objective.bound;
        let n = result.n as f64;
        let scatter = Scatter::of(&result.slices, mean);
        let is_short = scatter.df + 1.0 < FEW_SLICES;
        Some(Self {
            excess: match objective.op {
                Op::AtMost => ratio - 1.0,
                Op::AtLeast => 1.0 - ratio,
            },
            ratio,
            n,
            scatter,
            by_requests: result
                .standard_error
                .filter(|_| is_short)
                .map(|error| n * (error / mean).powi(2)),
            doubt: half_doubt(result).unwrap_or(0.0) / objective.bound,
        })
    }
}

/// Half of what the client does not know of a mean, in its unit.
fn half_doubt(result: &ObjectiveResult) -> Option<f64> {
    let doubt = result.doubt?;
    Some((doubt.worst.value? - doubt.best.value?).abs() / 2.0)
}

/// The scatter of all visits of some loads; `None` where nothing tells it.
pub(super) fn around<'a>(points: impl Iterator<Item = &'a Point>) -> Option<Scatter> {
    let visits: Vec<Visit> = points
        .flat_map(|point| point.means.iter().copied())
        .collect();
    let promised: Vec<f64> = visits.iter().filter_map(|one| one.by_requests).collect();
    let guess = crate::stats::mean(&promised).map_or(Scatter::default(), |promised| {
        Scatter::known(OVER_REQUESTS * promised, OVER_REQUESTS_DF)
    });
    let all = visits.iter().fold(guess, |sum, one| sum.and(one.scatter));
    (all.df > 0.0).then_some(all)
}

/// Sets the errors of all means, given the scatter of the loads `around`.
pub(super) fn set_errors(points: &mut [Point], around: Scatter) {
    for point in points {
        if let Some(seen) = joined(&point.means, around) {
            point.seen = seen;
        }
    }
}

/// All visits of one load, each by its requests: by their own errors, which are chance, those that
/// happened to scatter little would count for too much.
fn joined(visits: &[Visit], around: Scatter) -> Option<Seen> {
    let n: f64 = visits.iter().map(|one| one.n).sum();
    let mean_of = |of: fn(&Visit) -> f64| visits.iter().map(|one| of(one) * one.n).sum::<f64>() / n;
    let prior = Scatter::known(around.variance()?, PRIOR_DF);
    let scatter = visits.iter().fold(prior, |sum, one| sum.and(one.scatter));
    let variance = scatter.variance().filter(|_| n > 0.0)?;
    let by_scatter = mean_of(|one| one.ratio) * (variance / n).sqrt();
    Some(Seen::Mean {
        excess: mean_of(|one| one.excess),
        error: by_scatter.max(mean_of(|one| one.doubt)).max(LEAST_ERROR),
        df: around.df,
    })
}
