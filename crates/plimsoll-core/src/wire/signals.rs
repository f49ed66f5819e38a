//! Server signals out of a metrics page, by the names of vLLM, SGLang, llama.cpp and TGI.

use super::prometheus::parse_samples;
use crate::level::ServerWindow;
use crate::stats::mean;

/// One reading of a server's signals. What the server does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServerSignals {
    /// Requests in the batch.
    pub running: Option<f64>,
    /// Requests in the queue.
    pub waiting: Option<f64>,
    /// KV-cache use, 0..1.
    pub kv_used_ratio: Option<f64>,
    /// Preemptions since the server started.
    pub preemptions_total: Option<f64>,
}

const RUNNING: [&str; 4] = [
    "vllm:num_requests_running",
    "sglang:num_running_reqs",
    "llamacpp:requests_processing",
    "tgi_batch_current_size",
];
const WAITING: [&str; 4] = [
    "vllm:num_requests_waiting",
    "sglang:num_queue_reqs",
    "llamacpp:requests_deferred",
    "tgi_queue_size",
];
const KV_USED: [&str; 4] = [
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "sglang:token_usage",
    "llamacpp:kv_cache_usage_ratio",
];
const PREEMPTIONS: [&str; 2] = ["vllm:num_preemptions_total", "vllm:num_preemptions"];

impl ServerSignals {
    /// Reads a page; `None` if none of the known names stands on it. Several engines behind one
    /// page are added up; of their cache use the largest counts.
    pub fn read(page: &str) -> Option<Self> {
        let mut signals = Self::default();
        for sample in parse_samples(page) {
            if RUNNING.contains(&sample.name) {
                add(&mut signals.running, sample.value);
            } else if WAITING.contains(&sample.name) {
                add(&mut signals.waiting, sample.value);
            } else if KV_USED.contains(&sample.name) {
                signals.kv_used_ratio =
                    Some(signals.kv_used_ratio.unwrap_or(0.0).max(sample.value));
            } else if PREEMPTIONS.contains(&sample.name) {
                add(&mut signals.preemptions_total, sample.value);
            }
        }
        (signals != Self::default()).then_some(signals)
    }

    /// Sums up the readings of a window, in order of time.
    pub fn window(readings: &[&Self]) -> ServerWindow {
        let all = |of: fn(&Self) -> Option<f64>| -> Vec<f64> {
            readings.iter().filter_map(|reading| of(reading)).collect()
        };
        let largest = |values: Vec<f64>| values.into_iter().reduce(f64::max);
        let running = all(|reading| reading.running);
        let preemptions = all(|reading| reading.preemptions_total);
        ServerWindow {
            samples: readings.len(),
            running_mean: mean(&running),
            running_max: largest(running),
            waiting_mean: mean(&all(|reading| reading.waiting)),
            kv_used_ratio_max: largest(all(|reading| reading.kv_used_ratio)),
            preemptions: match (preemptions.first(), preemptions.last()) {
                // A counter that fell belongs to a server that was started again.
                (Some(first), Some(last)) => Some((last - first).max(0.0)),
                _ => None,
            },
        }
    }
}

fn add(sum: &mut Option<f64>, value: f64) {
    *sum = Some(sum.unwrap_or(0.0) + value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_servers_are_read() {
        let vllm = "vllm:num_requests_running{engine=\"0\"} 3\nvllm:num_requests_running{engine=\"1\"} 4\n\
                    vllm:num_requests_waiting{engine=\"0\"} 2\nvllm:kv_cache_usage_perc{engine=\"0\"} 0.5\n\
                    vllm:kv_cache_usage_perc{engine=\"1\"} 0.75\nvllm:num_preemptions_total 9\n";
        let signals = ServerSignals::read(vllm).unwrap();
        assert_eq!((signals.running, signals.waiting), (Some(7.0), Some(2.0)));
        assert_eq!(
            (signals.kv_used_ratio, signals.preemptions_total),
            (Some(0.75), Some(9.0))
        );
        let llama =
            ServerSignals::read("llamacpp:requests_processing 8\nllamacpp:requests_deferred 1\n")
                .unwrap();
        assert_eq!((llama.running, llama.kv_used_ratio), (Some(8.0), None));
        assert_eq!(ServerSignals::read("go_goroutines 4\n"), None);
    }

    #[test]
    fn a_window_is_means_maxima_and_the_counters_rise() {
        let at = |running, preemptions| ServerSignals {
            running: Some(running),
            preemptions_total: Some(preemptions),
            ..ServerSignals::default()
        };
        let window = ServerSignals::window(&[&at(2.0, 5.0), &at(4.0, 8.0)]);
        assert_eq!(
            (window.running_mean, window.running_max),
            (Some(3.0), Some(4.0))
        );
        assert_eq!(
            (window.preemptions, window.waiting_mean, window.samples),
            (Some(3.0), None, 2)
        );
    }
}
