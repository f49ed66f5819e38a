//! The metrics page, in the Prometheus text format and under vLLM's names.

use crate::engine::Gauges;
use std::fmt::Write as _;

/// Returns the page.
pub(super) fn page(gauges: &Gauges, model: &str) -> String {
    let model = model.replace('\\', r"\\").replace('"', r#"\""#);
    let count = |value: u64| value as f64;
    let rows = [
        (
            "num_requests_running",
            "gauge",
            "Requests in the running batch.",
            gauges.running as f64,
        ),
        (
            "num_requests_waiting",
            "gauge",
            "Requests in the queue.",
            gauges.waiting as f64,
        ),
        (
            "kv_cache_usage_perc",
            "gauge",
            "KV cache in use; 1 is full.",
            gauges.kv_used_ratio,
        ),
        (
            "num_preemptions_total",
            "counter",
            "Preemptions for want of KV blocks.",
            count(gauges.preemptions_total),
        ),
        (
            "prompt_tokens_total",
            "counter",
            "Prompt tokens admitted.",
            count(gauges.prompt_tokens_total),
        ),
        (
            "generation_tokens_total",
            "counter",
            "Output tokens produced.",
            count(gauges.generation_tokens_total),
        ),
        (
            "prefix_cache_queries_total",
            "counter",
            "Tokens looked up in the prefix cache.",
            count(gauges.prefix_queries_total),
        ),
        (
            "prefix_cache_hits_total",
            "counter",
            "Tokens found in the prefix cache.",
            count(gauges.prefix_hits_total),
        ),
    ];
    let mut page = String::new();
    for (name, kind, help, value) in rows {
        writeln!(page, "# HELP vllm:{name} {help}\n# TYPE vllm:{name} {kind}")
            .expect("a string takes everything");
        writeln!(
            page,
            "vllm:{name}{{engine=\"0\",model_name=\"{model}\"}} {value:?}"
        )
        .expect("a string takes everything");
    }
    page
}
