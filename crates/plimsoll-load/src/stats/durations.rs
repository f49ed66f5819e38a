//! A distribution of durations that can be added to another one.

use std::time::Duration;

use hdrhistogram::Histogram;
use plimsoll_core::stats::Summary;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Significant digits: the client's own lateness to one part in a hundred.
const DIGITS: u8 = 2;
/// Longest duration, an hour; beyond it values saturate.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// How often which duration was seen. In data it is a list of pairs: nanoseconds, and how often.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Durations(Histogram<u64>);

impl Default for Durations {
    fn default() -> Self {
        // These bounds cannot be refused.
        #[expect(clippy::expect_used, reason = "constant arguments, tested below")]
        Self(Histogram::new_with_max(LONGEST_NS, DIGITS).expect("valid bounds"))
    }
}

impl Durations {
    /// Enters one.
    pub(crate) fn record(&mut self, span: Duration) {
        self.0.saturating_record(nanos(span));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.len()
    }

    /// Enters those of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        let added = self.0.add(&other.0);
        debug_assert!(added.is_ok(), "both sides have the same bounds");
    }

    /// Their summary, in ms.
    pub(crate) fn summary_ms(&self) -> Summary {
        if self.0.is_empty() {
            return Summary::default();
        }
        let at = |q| Some(self.0.value_at_quantile(q) as f64 / 1e6);
        Summary {
            n: self.0.len() as usize,
            mean: Some(self.0.mean() / 1e6),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: Some(self.0.max() as f64 / 1e6),
        }
    }
}

impl Serialize for Durations {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let seen = self.0.iter_recorded();
        to.collect_seq(seen.map(|one| (one.value_iterated_to(), one.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Durations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut read = Self::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(from)? {
            read.0.saturating_record_n(value, count);
        }
        Ok(read)
    }
}

pub(super) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn durations_go_through_json(spans in prop::collection::vec(0..10_000_000_000u64, 0..50)) {
            let mut seen = Durations::default();
            for span in spans {
                seen.record(Duration::from_nanos(span));
            }
            let text = serde_json::to_string(&seen).unwrap();
            let read: Durations = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.summary_ms(), seen.summary_ms());
        }
    }
}
