//! What the searches with a known truth have in common: an engine to vary, its requests, and what
//! a long hold makes of one of them.

use plimsoll_core::slo::Metric;
use plimsoll_core::workload::Workload;
use plimsoll_sim::EngineParams;

/// An engine that nothing but its speed limits.
pub(crate) fn engine() -> EngineParams {
    EngineParams {
        step_base_us: 4_000.0,
        prefill_us_per_token: 10.0,
        sequence_us: 20.0,
        kv_us_per_token: 0.02,
        max_num_seqs: 256,
        max_num_batched_tokens: 2_048,
        kv_blocks: 100_000,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.05,
        prefix_cache: false,
        max_model_len: 8_192,
    }
}

/// Requests of these lengths on the average, 20 % to either side.
pub(crate) fn workload(input_tokens: u32, output_tokens: u32) -> Workload {
    Workload::uniform(input_tokens, output_tokens, 0.2, 1)
}

/// The metric of a request of `tokens` output tokens, in ms; the stamps are in ns.
pub(crate) fn value_ms(metric: Metric, start: u64, first: u64, end: u64, tokens: u32) -> f64 {
    match metric {
        Metric::Ttft => (first - start) as f64 / 1e6,
        Metric::Tpot => (end - first) as f64 / 1e6 / f64::from(tokens - 1),
        _ => unreachable!("no case bounds it"),
    }
}
