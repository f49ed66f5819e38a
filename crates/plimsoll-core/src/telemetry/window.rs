//! The figures of a stretch of time, computed from the samples within it.

use serde::{Deserialize, Serialize};

use super::{Counter, Gauge, Sample, Signals, Source};
use crate::stats::mean;
use crate::time::Offset;

/// The server's own signals within the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerWindow {
    /// Samples taken.
    pub samples: usize,
    /// Mean number of running requests.
    pub running_mean: Option<f64>,
    /// Largest number of running requests.
    pub running_max: Option<f64>,
    /// Mean number of waiting requests.
    pub waiting_mean: Option<f64>,
    /// Largest KV-cache use, 0..1.
    pub kv_used_ratio_max: Option<f64>,
    /// Preemptions within the window.
    pub preemptions: Option<f64>,
    /// Samples with a value that cannot be, which is left out.
    #[serde(default)]
    pub samples_disbelieved: usize,
}

impl ServerWindow {
    /// The figures of the server's samples from `from` to `to`, both included; `None` if there are
    /// none. The samples of a source stand in order of time.
    pub fn of(samples: &[Sample], from: Offset, to: Offset) -> Option<Self> {
        let within: Vec<&Signals> = samples
            .iter()
            .filter(|sample| sample.source == Source::Server)
            .filter(|sample| sample.at >= from && sample.at <= to)
            .map(|sample| &sample.signals)
            .collect();
        let gauge = |gauge| -> Vec<f64> {
            let values = within.iter().filter_map(|signals| signals.gauge(gauge));
            values.collect()
        };
        let largest = |values: &[f64]| values.iter().copied().reduce(f64::max);
        let preemptions = within
            .iter()
            .filter_map(|signals| signals.counter(Counter::PreemptionsTotal));
        let running = gauge(Gauge::Running);
        (!within.is_empty()).then(|| Self {
            samples: within.len(),
            running_mean: mean(&running),
            running_max: largest(&running),
            waiting_mean: mean(&gauge(Gauge::Waiting)),
            kv_used_ratio_max: largest(&gauge(Gauge::KvUsedRatio)),
            preemptions: rise(preemptions),
            samples_disbelieved: within.iter().filter(|one| one.has_disbelieved).count(),
        })
    }
}

/// What a counter rose by, from the first reading to the last; `None` below two readings. A counter
/// that fell began anew, since its source was started again: what it then shows it has risen by.
fn rise(readings: impl Iterator<Item = f64>) -> Option<f64> {
    let mut rise = None;
    let mut before = None;
    for reading in readings {
        if let Some(before) = before {
            let step = if reading < before {
                reading
            } else {
                reading - before
            };
            rise = Some(rise.unwrap_or(0.0) + step);
        }
        before = Some(reading);
    }
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_s: u64, running: f64, preemptions: f64) -> Sample {
        let mut signals = Signals::default();
        signals.set_gauge(Gauge::Running, running);
        signals.set_counter(Counter::PreemptionsTotal, preemptions);
        Sample {
            at: at(at_s),
            source: Source::Server,
            signals,
        }
    }

    fn at(s: u64) -> Offset {
        Offset::from_nanos(s * 1_000_000_000)
    }

    #[test]
    fn a_window_is_means_maxima_and_what_counters_rose_by() {
        let samples = [
            sample(1, 90.0, 0.0),
            sample(2, 2.0, 5.0),
            sample(3, 4.0, 8.0),
            sample(4, 90.0, 99.0),
        ];
        let window = ServerWindow::of(&samples, at(2), at(3)).unwrap();
        assert_eq!(
            (window.running_mean, window.running_max),
            (Some(3.0), Some(4.0))
        );
        assert_eq!(
            (window.preemptions, window.waiting_mean, window.samples),
            (Some(3.0), None, 2)
        );
        assert_eq!(ServerWindow::of(&samples, at(5), at(9)), None);
    }

    #[test]
    fn a_counter_that_began_anew_is_counted_on_from_zero() {
        assert_eq!(rise([5.0, 9.0, 2.0, 3.0].into_iter()), Some(7.0));
        assert_eq!(rise([5.0, 0.0].into_iter()), Some(0.0));
    }

    #[test]
    fn one_reading_says_nothing_of_a_rise() {
        assert_eq!(rise([5.0].into_iter()), None);
        assert_eq!(rise([].into_iter()), None);
    }
}
