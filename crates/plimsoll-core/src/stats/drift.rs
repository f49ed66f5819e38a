//! Whether a series drifts: its first against its last part (Geweke 1992; Schruben 1982).

use super::mser::batch_means;
use super::{mean, student_t_upper, variance};

/// Batches of a series, at most, and at least.
const MOST: usize = 20;
const FEWEST: usize = 10;
/// The share of the batches that is its first part, and its last.
const PART: f64 = 0.3;
/// The chance (two-sided) of a difference that is called a drift: that of three standard errors.
const CHANCE: f64 = 0.0027;

/// A series whose end is not like its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Mean of the first 30 %.
    pub first_mean: f64,
    /// Mean of the last 30 %.
    pub last_mean: f64,
}

/// The drift of a series that is `independent` stretches long, such that values a stretch apart have
/// little to do with each other (a level: its length in mean request times). `None` where there is
/// none, or below 10 stretches.
pub fn drift(series: &[f64], independent: usize) -> Option<Drift> {
    let count = independent.min(MOST);
    if count < FEWEST || series.len() < count {
        return None;
    }
    let batches = batch_means(series, series.len() / count);
    let part = (count as f64 * PART) as usize;
    let (first, last) = (&batches[..part], &batches[batches.len() - part..]);
    let (first_mean, last_mean) = (mean(first)?, mean(last)?);
    let error = ((variance(first)? + variance(last)?) / part as f64).sqrt();
    let distance = (last_mean - first_mean).abs() / error.max(f64::MIN_POSITIVE);
    let df = 2.0 * (part as f64 - 1.0);
    (student_t_upper(distance, df) < CHANCE / 2.0).then_some(Drift {
        first_mean,
        last_mean,
    })
}
#[cfg(test)]
mod tests {
    use super::super::mser::tests::{alarms, autoregression};
    use super::*;

    #[test]
    fn steady_series_raise_no_alarm() {
        // 0.27 % of 200 is half a series; correlation within a stretch costs a little more.
        for (correlation, n) in [(0.0, 200), (0.5, 200), (0.8, 500), (0.9, 1_500)] {
            for independent in [10, 20] {
                let count = alarms(correlation, n, |series| {
                    drift(&series, independent).is_some()
                });
                assert!(
                    count <= 4,
                    "{correlation} {n} {independent}: {count} of 200"
                );
            }
        }
    }

    #[test]
    fn a_trend_of_two_standard_deviations_is_seen() {
        for (correlation, least) in [(0.0, 195), (0.5, 180), (0.8, 110)] {
            let count = alarms(correlation, 500, |mut series| {
                for (i, value) in series.iter_mut().enumerate() {
                    *value += i as f64 / 250.0;
                }
                drift(&series, 20).is_some()
            });
            assert!(count >= least, "{correlation}: {count} of 200");
        }
    }

    #[test]
    fn it_says_from_where_to_where() {
        let mut series = autoregression(0.0, 400, 1);
        series[200..].iter_mut().for_each(|value| *value += 10.0);
        let found = drift(&series, 20).unwrap();
        assert!(found.first_mean.abs() < 0.3, "{found:?}");
        assert!((found.last_mean - 10.0).abs() < 0.3, "{found:?}");
        assert_eq!(drift(&series, 9), None);
    }
}
