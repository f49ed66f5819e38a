//! Summaries of a sample. What is missing is `None`, never 0; every summary carries its n.

use serde::{Deserialize, Serialize};

/// Mean and quantiles of a sample, in the unit of the field's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90 % quantile.
    pub p90: Option<f64>,
    /// 95 % quantile.
    pub p95: Option<f64>,
    /// 99 % quantile; below about 400 values it is close to the largest of them.
    pub p99: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
}

impl Summary {
    /// Summarises a sample; the order does not matter.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |q| quantile(&values, q);
        Self {
            n: values.len(),
            mean: mean(&values),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: values.last().copied(),
        }
    }
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The unbiased variance; `None` below two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    let center = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    (values.len() > 1).then(|| squares / (values.len() - 1) as f64)
}

/// The quantile `q` (0..=1) of a sorted sample, by linear interpolation between order statistics
/// (Hyndman & Fan type 7, the default of `NumPy`).
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (position - below as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_has_no_mean_and_no_quantile() {
        let empty = Summary::of(Vec::new());
        assert_eq!(
            empty,
            Summary {
                n: 0,
                ..Summary::default()
            }
        );
        assert_eq!(variance(&[1.0]), None);
    }

    #[test]
    fn quantiles_interpolate_as_numpy_does() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sorted, 0.5), Some(2.5));
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
        assert!((quantile(&sorted, 0.95).unwrap() - 3.85).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_stay_inside(mut values in prop::collection::vec(-1e6f64..1e6, 1..50)) {
            values.sort_by(f64::total_cmp);
            let summary = Summary::of(values.clone());
            let order = [Some(values[0]), summary.p50, summary.p90, summary.p95, summary.p99, summary.max];
            prop_assert!(order.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
