//! A server's metrics page: which of its names is which signal.

use super::signals::{Counter, Gauge, Signals};
use crate::wire::{MetricLine, metric_lines};

/// The names that one kind of server has for its signals. A signal has several where the server's
/// versions differ; of those the first that stands on a page counts.
struct Server {
    gauges: &'static [(Gauge, &'static [&'static str])],
    counters: &'static [(Counter, &'static [&'static str])],
}

const SERVERS: [Server; 4] = [VLLM, SGLANG, LLAMA_CPP, TGI];

const VLLM: Server = Server {
    gauges: &[
        (Gauge::Running, &["vllm:num_requests_running"]),
        (Gauge::Waiting, &["vllm:num_requests_waiting"]),
        (
            Gauge::KvUsedRatio,
            &["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
        ),
    ],
    counters: &[(
        Counter::PreemptionsTotal,
        &["vllm:num_preemptions_total", "vllm:num_preemptions"],
    )],
};

const SGLANG: Server = Server {
    gauges: &[
        (Gauge::Running, &["sglang:num_running_reqs"]),
        (Gauge::Waiting, &["sglang:num_queue_reqs"]),
        (Gauge::KvUsedRatio, &["sglang:token_usage"]),
    ],
    counters: &[],
};

const LLAMA_CPP: Server = Server {
    gauges: &[
        (Gauge::Running, &["llamacpp:requests_processing"]),
        (Gauge::Waiting, &["llamacpp:requests_deferred"]),
        (Gauge::KvUsedRatio, &["llamacpp:kv_cache_usage_ratio"]),
    ],
    counters: &[],
};

const TGI: Server = Server {
    gauges: &[
        (Gauge::Running, &["tgi_batch_current_size"]),
        (Gauge::Waiting, &["tgi_queue_size"]),
    ],
    counters: &[],
};

/// Reads the signals of a page; empty if none of the known names stands on it. Several engines
/// behind one page are one; if the value of one of them cannot be, that of all is not known.
pub fn read_metrics_page(page: &str) -> Signals {
    let lines: Vec<MetricLine<'_>> = metric_lines(page).collect();
    let mut signals = Signals::default();
    for (gauge, names) in SERVERS.iter().flat_map(|server| server.gauges) {
        let values = values(&lines, names, |value| gauge.is_possible(value));
        let told = signals.gauge(*gauge);
        let merged = values.map(|values| {
            let all = values.into_iter().chain(told);
            all.reduce(|one, other| gauge.merge(one, other))
        });
        if let Some(value) = merged.unwrap_or_else(Some) {
            signals.set_gauge(*gauge, value);
        }
    }
    for (counter, names) in SERVERS.iter().flat_map(|server| server.counters) {
        let values = values(&lines, names, |value| counter.is_possible(value));
        let total = values.map(|values| values.into_iter().reduce(|one, other| one + other));
        if let Some(total) = total.unwrap_or_else(Some) {
            signals.set_counter(*counter, total);
        }
    }
    signals
}

/// All values under the first of the names that stands on the page.
///
/// # Errors
/// The first of them that is impossible.
fn values(
    lines: &[MetricLine<'_>],
    names: &[&str],
    is_possible: impl Fn(f64) -> bool,
) -> Result<Vec<f64>, f64> {
    let on_page = |name: &&&str| lines.iter().any(|line| line.name == **name);
    let Some(name) = names.iter().find(on_page) else {
        return Ok(Vec::new());
    };
    lines
        .iter()
        .filter(|line| line.name == *name)
        .map(|line| line.value)
        .map(|value| {
            if is_possible(value) {
                Ok(value)
            } else {
                Err(value)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauges(page: &str) -> [Option<f64>; 3] {
        let signals = read_metrics_page(page);
        [Gauge::Running, Gauge::Waiting, Gauge::KvUsedRatio].map(|gauge| signals.gauge(gauge))
    }

    #[test]
    fn engines_behind_one_page_add_up_and_the_fullest_cache_counts() {
        let page = "vllm:num_requests_running{engine=\"0\"} 3\nvllm:num_requests_running{engine=\"1\"} 4\n\
                    vllm:num_requests_waiting{engine=\"0\"} 2\nvllm:kv_cache_usage_perc{engine=\"0\"} 0.5\n\
                    vllm:kv_cache_usage_perc{engine=\"1\"} 0.75\nvllm:num_preemptions_total 9\n";
        assert_eq!(gauges(page), [Some(7.0), Some(2.0), Some(0.75)]);
        let preemptions = read_metrics_page(page).counter(Counter::PreemptionsTotal);
        assert_eq!(preemptions, Some(9.0));
    }

    #[test]
    fn each_server_is_read_by_its_own_names() {
        let sglang =
            "sglang:num_running_reqs 5\nsglang:num_queue_reqs 1\nsglang:token_usage 0.25\n";
        assert_eq!(gauges(sglang), [Some(5.0), Some(1.0), Some(0.25)]);
        let llama = "llamacpp:requests_processing 8\nllamacpp:requests_deferred 1\n";
        assert_eq!(gauges(llama), [Some(8.0), Some(1.0), None]);
        let tgi = "tgi_batch_current_size 6\ntgi_queue_size 0\n";
        assert_eq!(gauges(tgi), [Some(6.0), Some(0.0), None]);
        assert!(read_metrics_page("go_goroutines 4\n").is_empty());
    }

    /// Versions of vLLM that rename a metric show it under both names for a while.
    #[test]
    fn two_names_of_one_signal_are_counted_once() {
        let page = "vllm:num_preemptions_total 4\nvllm:num_preemptions 4\n\
                    vllm:kv_cache_usage_perc 0.5\nvllm:gpu_cache_usage_perc 0.5\n";
        let signals = read_metrics_page(page);
        assert_eq!(signals.counter(Counter::PreemptionsTotal), Some(4.0));
        assert_eq!(signals.gauge(Gauge::KvUsedRatio), Some(0.5));
    }

    #[test]
    fn a_sum_with_an_unknown_part_is_unknown() {
        let page = "vllm:num_requests_running{engine=\"0\"} 3\nvllm:num_requests_running{engine=\"1\"} NaN\n\
                    vllm:num_requests_waiting -1\nvllm:kv_cache_usage_perc 50\n\
                    vllm:num_preemptions_total +Inf\n";
        assert_eq!(gauges(page), [None; 3]);
        let signals = read_metrics_page(page);
        assert_eq!(signals.counter(Counter::PreemptionsTotal), None);
        assert!(signals.has_disbelieved);
        assert!(read_metrics_page("vllm:num_requests_running NaN\n").is_empty());
    }

    #[test]
    fn what_one_kind_tells_is_not_changed_by_what_another_cannot_have() {
        for impossible in ["NaN", "-1", "+Inf"] {
            let page =
                format!("vllm:num_requests_running 3\nsglang:num_running_reqs {impossible}\n");
            assert_eq!(gauges(&page), [Some(3.0), None, None], "{impossible}");
        }
    }
}
