//! Mean, standard deviation and percentiles with `NumPy`'s defaults.

/// What the report says of one latency. Without values everything is 0, as in vLLM.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    /// Arithmetic mean.
    pub(crate) mean: f64,
    /// Median.
    pub(crate) median: f64,
    /// Standard deviation of the values as a whole population.
    pub(crate) std: f64,
    /// (percentile, value), in the order asked for.
    pub(crate) percentiles: Vec<(f64, f64)>,
}

impl Summary {
    /// Summarises values in any order.
    pub(crate) fn new(mut values: Vec<f64>, percentiles: &[f64]) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        let mean = total(values.iter().copied()) / count;
        let variance = total(values.iter().map(|value| (value - mean).powi(2))) / count;
        Self {
            mean,
            median: percentile(&values, 50.0),
            std: variance.sqrt(),
            percentiles: percentiles
                .iter()
                .map(|p| (*p, percentile(&values, *p)))
                .collect(),
        }
    }
}

/// The sum, 0 without values: that of the standard library is −0 there.
fn total(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// Linear interpolation between the two nearest of sorted values.
fn percentile(sorted: &[f64], percentile: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = percentile / 100.0 * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_numpys() {
        // numpy: mean 2.5, median 2.5, std √1.25, percentile 99 = 3 + 0.97, 25 = 1.75.
        let summary = Summary::new(vec![4.0, 1.0, 3.0, 2.0], &[99.0, 25.0, 0.0, 100.0]);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(summary.mean, 2.5);
        close(summary.median, 2.5);
        close(summary.std, 1.25_f64.sqrt());
        let values: Vec<f64> = summary
            .percentiles
            .iter()
            .map(|(_, value)| *value)
            .collect();
        for (value, expected) in values.iter().zip([3.97, 1.75, 1.0, 4.0]) {
            close(*value, expected);
        }
    }

    #[test]
    fn no_values_are_zeros() {
        let summary = Summary::new(Vec::new(), &[99.0]);
        assert_eq!(
            format!("{:.2} {:.2}", summary.mean, summary.std),
            "0.00 0.00"
        );
        assert_eq!(summary.percentiles, [(99.0, 0.0)]);
    }
}
