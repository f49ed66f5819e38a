//! How far the mean must stay below a cap, when in-flight fluctuates like a Poisson number
//! (many users with think time; square-root safety, Halfin & Whitt 1981).

/// P(in-flight > cap) for a Poisson number of the given mean.
pub fn poisson_exceeds(cap: u32, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    let mut term = -mean;
    let mut log_sum = f64::NEG_INFINITY;
    for k in 0..=cap {
        if k > 0 {
            term += mean.ln() - f64::from(k).ln();
        }
        let (high, low) = if log_sum > term {
            (log_sum, term)
        } else {
            (term, log_sum)
        };
        log_sum = high + (low - high).exp().ln_1p();
    }
    (1.0 - log_sum.exp()).clamp(0.0, 1.0)
}

/// The largest mean in-flight that exceeds `cap` with at most `probability`, by bisection.
pub fn largest_mean_within(cap: u32, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, f64::from(cap) + 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if poisson_exceeds(cap, middle) <= probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of statistics.md §7: largest mean with P(in-flight > C) ≤ 1 %.
    #[test]
    fn the_published_table_is_met() {
        for (cap, mean) in [
            (4, 1.3),
            (8, 3.5),
            (16, 8.9),
            (32, 21.0),
            (48, 34.0),
            (100, 79.0),
            (200, 170.0),
            (500, 450.0),
        ] {
            let found = largest_mean_within(cap, 0.01);
            assert!((found - mean).abs() / mean < 0.03, "cap {cap}: {found}");
        }
        assert!((poisson_exceeds(8, 6.0) - 0.15).abs() < 0.005);
    }

    #[test]
    fn no_load_never_exceeds() {
        assert!(poisson_exceeds(0, 0.0).abs() < f64::EPSILON);
        assert!(largest_mean_within(0, 0.01) < 0.02);
    }
}
