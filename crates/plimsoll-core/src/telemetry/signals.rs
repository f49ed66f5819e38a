//! Signals by name and kind. Gauges go up and down, so a window has their mean and maximum;
//! counters only rise, so a window has what they rose by. The two are types of their own, so that
//! neither is taken for the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A value that goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gauge {
    /// Requests in the batch.
    Running,
    /// Requests in the queue.
    Waiting,
    /// KV-cache use, 0..1.
    KvUsedRatio,
}

/// No engine has more requests at hand, and its page counts no more of anything than a double keeps
/// apart: what is above is no number of things.
const MOST_REQUESTS: f64 = 1e7;
const MOST_COUNTED: f64 = (1_u64 << 53) as f64;

impl Gauge {
    /// Whether the signal can have this value at all.
    pub fn is_possible(self, value: f64) -> bool {
        let most = match self {
            Self::Running | Self::Waiting => MOST_REQUESTS,
            Self::KvUsedRatio => 1.0,
        };
        (0.0..=most).contains(&value)
    }

    /// One value for several engines behind one source: requests add up, of shares the largest
    /// counts, since that engine is the first to be full.
    pub fn merge(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Running | Self::Waiting => one + other,
            Self::KvUsedRatio => one.max(other),
        }
    }
}

/// A total since its source started, which only rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counter {
    /// Requests that lost their place in the KV cache.
    PreemptionsTotal,
}

impl Counter {
    /// Whether a total can have this value at all.
    pub fn is_possible(self, value: f64) -> bool {
        (0.0..=MOST_COUNTED).contains(&value)
    }
}

/// Signals read at one moment. What a source does not tell, or what cannot be, is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    gauges: BTreeMap<Gauge, f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counters: BTreeMap<Counter, f64>,
    /// Whether the source told a value that cannot be. NaN is none: it stands for no value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_disbelieved: bool,
}

impl Signals {
    /// Notes a gauge; a value that cannot be is left out, and that is noted.
    pub fn set_gauge(&mut self, gauge: Gauge, value: f64) {
        if gauge.is_possible(value) {
            let _ = self.gauges.insert(gauge, value);
        } else {
            self.has_disbelieved |= !value.is_nan();
        }
    }

    /// Notes a counter; a value that cannot be is left out, and that is noted.
    pub fn set_counter(&mut self, counter: Counter, value: f64) {
        if counter.is_possible(value) {
            let _ = self.counters.insert(counter, value);
        } else {
            self.has_disbelieved |= !value.is_nan();
        }
    }

    /// A gauge, if it was told.
    pub fn gauge(&self, gauge: Gauge) -> Option<f64> {
        self.gauges.get(&gauge).copied()
    }

    /// A counter, if it was told.
    pub fn counter(&self, counter: Counter) -> Option<f64> {
        self.counters.get(&counter).copied()
    }

    /// Whether nothing was told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Sample, Source};
    use crate::time::Offset;

    #[test]
    fn what_cannot_be_is_absent() {
        let mut signals = Signals::default();
        signals.set_gauge(Gauge::Running, f64::NAN);
        signals.set_counter(Counter::PreemptionsTotal, f64::NAN);
        assert!(signals.is_empty(), "{signals:?}");
        for value in [f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e308] {
            signals.set_gauge(Gauge::Running, value);
            signals.set_counter(Counter::PreemptionsTotal, value);
        }
        signals.set_gauge(Gauge::KvUsedRatio, 1.5);
        assert_eq!(signals.gauge(Gauge::Running), None);
        assert_eq!(signals.gauge(Gauge::KvUsedRatio), None);
        assert_eq!(signals.counter(Counter::PreemptionsTotal), None);
        assert!(signals.has_disbelieved);
        signals.set_gauge(Gauge::KvUsedRatio, 1.0);
        assert_eq!(signals.gauge(Gauge::KvUsedRatio), Some(1.0));
    }

    #[test]
    fn a_line_has_its_names_and_reads_back_as_itself() {
        let mut signals = Signals::default();
        signals.set_gauge(Gauge::KvUsedRatio, 1.0 / 3.0);
        signals.set_counter(Counter::PreemptionsTotal, 9.0);
        let sample = Sample {
            at: Offset::from_nanos(1_500_000_001),
            source: Source::Server,
            signals,
        };
        let line = serde_json::to_string(&sample).unwrap();
        assert_eq!(
            line,
            r#"{"at_ns":1500000001,"source":"server","gauges":{"kv_used_ratio":0.3333333333333333},"counters":{"preemptions_total":9.0}}"#
        );
        assert_eq!(serde_json::from_str::<Sample>(&line).unwrap(), sample);
        let bare = r#"{"at_ns":2,"source":"server","gauges":{"running":3.0}}"#;
        let bare: Sample = serde_json::from_str(bare).unwrap();
        assert_eq!(bare.signals.gauge(Gauge::Running), Some(3.0));
        assert_eq!(bare.signals.counter(Counter::PreemptionsTotal), None);
    }
}
