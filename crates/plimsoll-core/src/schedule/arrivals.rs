//! Open-loop arrivals as `vllm bench serve` makes them (compat-vllm.md §5): gamma gaps, cumulated,
//! and rescaled so that the last arrival is exactly at n / rate.

use std::time::Duration;

use thiserror::Error;

use super::gaps::Gaps;

/// An open-loop schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrivals {
    /// Number of arrivals.
    pub count: usize,
    /// Requests per second, above 0.
    pub rate_per_s: f64,
    /// Gamma shape: 1 is Poisson, infinity is constant gaps.
    pub burstiness: f64,
    /// Seed of the gaps.
    pub seed: u64,
}

/// The schedule's numbers make no schedule.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ArrivalError {
    /// Rate zero, negative or not a number.
    #[error("the request rate must be above 0, got {0}")]
    Rate(f64),
    /// Burstiness zero, negative or not a number.
    #[error("the burstiness must be above 0, got {0}")]
    Burstiness(f64),
}

/// Due times from the start, ascending.
///
/// # Errors
/// The rate or the burstiness is not above 0.
pub fn arrivals(plan: &Arrivals) -> Result<Vec<Duration>, ArrivalError> {
    if plan.rate_per_s.is_nan() || plan.rate_per_s <= 0.0 {
        return Err(ArrivalError::Rate(plan.rate_per_s));
    }
    if plan.burstiness.is_nan() || plan.burstiness <= 0.0 {
        return Err(ArrivalError::Burstiness(plan.burstiness));
    }
    if plan.rate_per_s.is_infinite() {
        return Ok(vec![Duration::ZERO; plan.count]);
    }
    let gaps: Vec<f64> = Gaps::new(plan.burstiness, plan.seed)
        .take(plan.count)
        .collect();
    let total: f64 = gaps.iter().sum();
    let scale = plan.count as f64 / plan.rate_per_s / total.max(f64::MIN_POSITIVE);
    let mut at = 0.0;
    Ok(gaps
        .into_iter()
        .map(|gap| {
            at += gap * scale;
            Duration::from_secs_f64(at)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(count: usize, rate_per_s: f64, burstiness: f64) -> Arrivals {
        Arrivals {
            count,
            rate_per_s,
            burstiness,
            seed: 7,
        }
    }

    #[test]
    fn an_infinite_rate_is_everything_at_once() {
        assert_eq!(
            arrivals(&plan(3, f64::INFINITY, 1.0)).unwrap(),
            vec![Duration::ZERO; 3]
        );
    }

    #[test]
    fn an_infinite_burstiness_is_constant_gaps() {
        let dues = arrivals(&plan(4, 2.0, f64::INFINITY)).unwrap();
        assert_eq!(dues, [0.5, 1.0, 1.5, 2.0].map(Duration::from_secs_f64));
    }

    #[test]
    fn burstier_arrivals_have_a_larger_spread_of_gaps() {
        let spread = |burstiness| {
            let dues = arrivals(&plan(2_000, 100.0, burstiness)).unwrap();
            let gaps: Vec<f64> = dues
                .windows(2)
                .map(|pair| pair[1].checked_sub(pair[0]).unwrap().as_secs_f64())
                .collect();
            crate::stats::variance(&gaps).unwrap().sqrt() / crate::stats::mean(&gaps).unwrap()
        };
        assert!((spread(1.0) - 1.0).abs() < 0.1);
        assert!((spread(0.25) - 2.0).abs() < 0.3);
        assert!((spread(4.0) - 0.5).abs() < 0.05);
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        assert_eq!(arrivals(&plan(1, 0.0, 1.0)), Err(ArrivalError::Rate(0.0)));
        assert!(arrivals(&plan(1, 1.0, 0.0)).is_err());
    }

    proptest! {
        #[test]
        fn dues_never_fall_and_end_at_n_over_rate(
            count in 1usize..300, rate in 0.1f64..1e4, burstiness in 0.1f64..50.0, seed in any::<u64>(),
        ) {
            let plan = Arrivals { count, rate_per_s: rate, burstiness, seed };
            let dues = arrivals(&plan).unwrap();
            prop_assert_eq!(&dues, &arrivals(&plan).unwrap());
            prop_assert!(dues.windows(2).all(|pair| pair[0] <= pair[1]));
            let end = count as f64 / rate;
            prop_assert!((dues.last().unwrap().as_secs_f64() - end).abs() <= 1e-6 * end + 2e-9);
        }
    }
}
