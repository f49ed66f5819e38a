//! Shares of engines with their exact bounds, and what they are held against.

use plimsoll_core::stats::beta_inc;

/// A count among a number of trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) hits: u64,
    pub(super) of: u64,
}

impl Rate {
    /// Those of `all` for which `is` holds.
    pub(super) fn of<T>(all: &[T], is: impl Fn(&T) -> bool) -> Self {
        Self {
            hits: all.iter().filter(|one| is(one)).count() as u64,
            of: all.len() as u64,
        }
    }

    pub(super) fn percent(self) -> f64 {
        100.0 * self.hits as f64 / self.of.max(1) as f64
    }

    /// The exact 95 % interval of the share (Clopper & Pearson 1934), percent.
    pub(super) fn interval(self) -> (f64, f64) {
        let (k, n) = (self.hits as f64, self.of as f64);
        let low = if self.hits == 0 {
            0.0
        } else {
            beta_quantile(k, n - k + 1.0, 0.025)
        };
        let high = if self.hits == self.of {
            1.0
        } else {
            beta_quantile(k + 1.0, n - k, 0.975)
        };
        (100.0 * low, 100.0 * high)
    }

    /// Whether the data exclude that the true share is at least `goal_percent`.
    pub(super) fn misses_at_least(self, goal_percent: f64) -> bool {
        self.interval().1 < goal_percent
    }

    /// Whether the data exclude that the true share is at most `goal_percent`.
    pub(super) fn misses_at_most(self, goal_percent: f64) -> bool {
        self.interval().0 > goal_percent
    }
}

/// The quantile of a beta law, by bisection.
fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if beta_inc(a, b, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The value below which a share `q` of the values lies; NaN of none.
pub(super) fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    plimsoll_core::stats::quantile(&values, q).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 59 of 70: 74 to 92 %, as statistics.md §0 has it.
    #[test]
    fn the_exact_interval_is_the_published_one() {
        let (low, high) = Rate { hits: 59, of: 70 }.interval();
        assert!(
            (low - 73.6).abs() < 0.2 && (high - 91.9).abs() < 0.2,
            "{low} {high}"
        );
        assert!(Rate { hits: 5, of: 5 }.interval().1 > 99.999);
    }

    #[test]
    fn a_gate_fails_only_where_the_goal_is_excluded() {
        assert!(!Rate { hits: 85, of: 100 }.misses_at_least(90.0));
        assert!(Rate { hits: 80, of: 100 }.misses_at_least(90.0));
        assert!(!Rate { hits: 8, of: 100 }.misses_at_most(5.0));
        assert!(Rate { hits: 12, of: 100 }.misses_at_most(5.0));
    }
}
