//! A sample of any size in a bounded space.

use hdrhistogram::Histogram;

use super::Summary;

/// So many values are kept as they are; their quantiles are exact.
const EXACT: usize = 1 << 16;
/// Beyond, quantiles have so many significant digits: what a report shows.
const DIGITS: u8 = 3;
/// A value in ms is counted in ns.
const NS_PER_MS: f64 = 1e6;

/// Durations in ms. Their number, mean and largest are exact; their quantiles are as long as there are
/// 65,536 of them or fewer, and to one part in a thousand beyond.
#[derive(Clone, Debug)]
pub struct Distribution {
    values: Values,
    n: usize,
    sum: f64,
    max: Option<f64>,
}

#[derive(Clone, Debug)]
enum Values {
    All(Vec<f64>),
    Counted(Histogram<u64>),
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            values: Values::All(Vec::new()),
            n: 0,
            sum: 0.0,
            max: None,
        }
    }
}

impl Distribution {
    /// Takes one more, in ms.
    pub fn push(&mut self, value_ms: f64) {
        self.n += 1;
        self.sum += value_ms;
        self.max = Some(self.max.map_or(value_ms, |max| max.max(value_ms)));
        match &mut self.values {
            Values::All(all) if all.len() < EXACT => all.push(value_ms),
            Values::All(all) => {
                let mut counted = empty();
                for value in all.iter().chain([&value_ms]) {
                    record(&mut counted, *value);
                }
                self.values = Values::Counted(counted);
            }
            Values::Counted(counted) => record(counted, value_ms),
        }
    }

    /// Their summary, in ms.
    pub fn summary_ms(&self) -> Summary {
        match &self.values {
            Values::All(all) => Summary::of(all.clone()),
            Values::Counted(counted) => {
                let of = |ns: u64| counted.median_equivalent(ns) as f64 / NS_PER_MS;
                let below_max = |value: f64| self.max.map_or(value, |max| value.min(max));
                let at = |q| Some(below_max(of(counted.value_at_quantile(q))));
                Summary {
                    n: self.n,
                    mean: Some(self.sum / self.n as f64),
                    p50: at(0.5),
                    p90: at(0.9),
                    p95: at(0.95),
                    p99: at(0.99),
                    max: self.max,
                }
            }
        }
    }
}

/// A histogram that grows with the largest value in it.
#[expect(clippy::expect_used, reason = "a constant argument, tested below")]
fn empty() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("a valid number of digits")
}

fn record(counted: &mut Histogram<u64>, value_ms: f64) {
    let recorded = counted.record((value_ms * NS_PER_MS).round() as u64);
    debug_assert!(recorded.is_ok(), "it grows");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: impl Iterator<Item = f64>) -> Distribution {
        let mut distribution = Distribution::default();
        values.for_each(|value| distribution.push(value));
        distribution
    }

    #[test]
    fn few_values_are_summarised_as_they_are() {
        let values = || (0..EXACT).map(|i| ((i * 7_919) % EXACT) as f64 / 100.0);
        assert_eq!(of(values()).summary_ms(), Summary::of(values().collect()));
        assert_eq!(Distribution::default().summary_ms(), Summary::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn many_values_are_summarised_to_one_part_in_a_thousand(scale in 0.001..1e5f64, seed in 1..1_000usize) {
            let values = || (0..2 * EXACT).map(|i| scale * (1.0 + ((i * seed * 7_919) % 10_007) as f64));
            let (found, exact) = (of(values()).summary_ms(), Summary::of(values().collect()));
            prop_assert_eq!((found.n, found.max), (exact.n, exact.max));
            prop_assert!(found.p50 <= found.p90 && found.p90 <= found.p99 && found.p99 <= found.max);
            let pairs = [(found.mean, exact.mean), (found.p50, exact.p50), (found.p90, exact.p90),
                (found.p95, exact.p95), (found.p99, exact.p99)];
            for (one, other) in pairs {
                let (one, other) = (one.unwrap(), other.unwrap());
                prop_assert!((one - other).abs() <= other * 1e-3, "{} {}", one, other);
            }
        }
    }
}
