//! The end of a window against its beginning (statistics.md §8, rule B), and the growth that such a
//! comparison may have missed.
//!
//! Where a rate is carried the difference stays of the order of the root of the number in flight,
//! however long the window; where it is not, the difference grows with it. A test on the slope pays
//! for the noise of the arrivals instead, and sees less.

use serde::{Deserialize, Serialize};

use super::path::Path;

/// The shares of the window that are compared: its first and its last 30 %.
const END: f64 = 0.3;
/// The last must be larger than the first by this factor …
const FACTOR: f64 = 1.5;
/// … and by this many roots of the first.
const ROOTS: f64 = 3.0;
/// In a shorter window, in mean request times, a growth may be a long wave …
const LEAST_REQUEST_TIMES: f64 = 50.0;
/// … unless more is left over than this share of the rate, beyond so many deviations of the walk that
/// a server just at its rate would make.
const OUTRUN: f64 = 0.1;
const BEYOND: f64 = 3.0;
/// Index of dispersion of the completions of a saturated server; the larger of the two measured.
const COMPLETIONS: f64 = 0.45;
/// Variance of the difference of the means of both ends, for a random walk of variance 1 over the
/// whole window: 1 − 2 · END between the ends, and END / 3 within each of them.
const WALK: f64 = 1.0 - 2.0 * END + 2.0 * END / 3.0;
/// One-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.645;

/// Whether the number of requests grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// It grew: the rate is above what the server carries.
    Unstable,
    /// It grew, over fewer than 50 mean request times, and not by so much that a long wave is ruled
    /// out.
    Grew,
    /// It did not, over at least 50 mean request times.
    Steady,
    /// It did not, over fewer than that.
    NoSign,
}

/// The comparison of a window's ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trend {
    /// Mean number of requests over the first 30 % of the window.
    pub first_mean: f64,
    /// Mean number of requests over the last 30 % of the window.
    pub last_mean: f64,
    /// Upper 95 % bound of the growth, as a share of the rate: in a server that carries less than
    /// the rate by this share, so large a growth would have been seen. `None` without arrivals.
    pub growth_upper_ratio: Option<f64>,
}

impl Trend {
    /// Compares the ends of a window with so many arrivals of the given index of dispersion.
    pub(super) fn of(path: &Path, arrivals: u64, dispersion: f64) -> Self {
        let (first_mean, last_mean) = (path.mean(0.0, END), path.mean(1.0 - END, 1.0));
        let n = arrivals as f64;
        let growth_upper_ratio = (arrivals > 0).then(|| {
            let grown = last_mean - first_mean;
            let noise = Z * walk(n, dispersion);
            // The middles of both ends are 1 − END of the window apart.
            ((grown + noise) / ((1.0 - END) * n)).max(0.0)
        });
        Self {
            first_mean,
            last_mean,
            growth_upper_ratio,
        }
    }

    /// Whether the number of requests has grown.
    pub fn grew(&self) -> bool {
        let by = self.last_mean - self.first_mean;
        self.last_mean > FACTOR * self.first_mean && by > ROOTS * self.first_mean.sqrt()
    }

    /// Whether the arrivals outrun the server by so much that a short window shows it.
    fn is_outrun(&self, arrivals: u64, dispersion: f64) -> bool {
        let n = arrivals as f64;
        let least = self.last_mean - self.first_mean - BEYOND * walk(n, dispersion);
        least > OUTRUN * (1.0 - END) * n
    }

    /// What a window of so many mean request times, with so many arrivals, says.
    pub(super) fn drift(&self, request_times: f64, arrivals: u64, dispersion: f64) -> Drift {
        let is_sure = request_times >= LEAST_REQUEST_TIMES || self.is_outrun(arrivals, dispersion);
        match (self.grew(), is_sure) {
            (true, true) => Drift::Unstable,
            (true, false) => Drift::Grew,
            (false, _) if request_times >= LEAST_REQUEST_TIMES => Drift::Steady,
            (false, _) => Drift::NoSign,
        }
    }
}

/// Standard deviation of the difference of both ends, in a server just at its rate.
fn walk(arrivals: f64, dispersion: f64) -> f64 {
    (WALK * (dispersion + COMPLETIONS) * arrivals).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(first_mean: f64, last_mean: f64) -> Trend {
        Trend {
            first_mean,
            last_mean,
            growth_upper_ratio: None,
        }
    }

    #[test]
    fn growth_must_be_large_and_beyond_the_noise() {
        let table = [
            (30.0, 44.0, false),
            (30.0, 47.0, true),
            // 1.5 times of a few is noise.
            (4.0, 9.9, false),
            (4.0, 10.1, true),
            (0.0, 0.1, true),
            (30.0, 10.0, false),
        ];
        for (first, last, grew) in table {
            assert_eq!(trend(first, last).grew(), grew, "{first} to {last}");
        }
    }

    #[test]
    fn a_short_window_is_unstable_only_beyond_doubt() {
        let (steady, grown) = (trend(30.0, 31.0), trend(30.0, 60.0));
        assert_eq!(grown.drift(49.9, 500, 1.0), Drift::Grew);
        assert_eq!(grown.drift(50.0, 500, 1.0), Drift::Unstable);
        assert_eq!(steady.drift(49.9, 500, 1.0), Drift::NoSign);
        assert_eq!(steady.drift(50.0, 500, 1.0), Drift::Steady);
        // A walk of 500 arrivals strays by sqrt(0.6 · 1.45 · 500) = 20.9; a tenth of the rate leaves
        // 35 over: 97.6 are the least that is beyond doubt.
        assert_eq!(trend(30.0, 127.0).drift(5.0, 500, 1.0), Drift::Grew);
        assert_eq!(trend(30.0, 129.0).drift(5.0, 500, 1.0), Drift::Unstable);
    }
}
