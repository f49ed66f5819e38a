//! The fast engine against the engine it abbreviates: without jitter, to the nanosecond.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::level::{Hold, LevelPlan, LevelSettings, Load, OpenLoop, Purpose};
use plimsoll_core::record::RequestRecord;
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::workload::{Lengths, Workload};
use plimsoll_sim::fast::{FastEngine, FastRunner, Trouble};
use plimsoll_sim::{EngineParams, VirtualRunner};

fn engine() -> EngineParams {
    EngineParams {
        step_base_us: 8_000.0,
        prefill_us_per_token: 50.0,
        sequence_us: 60.0,
        kv_us_per_token: 0.02,
        max_num_seqs: 64,
        max_num_batched_tokens: 512,
        kv_blocks: 10_000,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.0,
        prefix_cache: false,
        max_model_len: 32_768,
    }
}

fn plan(streams: u32) -> LevelPlan {
    LevelPlan {
        index: 0,
        purpose: Purpose::Refine,
        load: Load::Streams(streams),
        open_loop: OpenLoop::default(),
        hold: Hold::Decide,
        request_time: Duration::from_secs(2),
        longest_hold: Duration::from_secs(120),
        longest: Duration::from_secs(600),
        settings: LevelSettings::default(),
    }
}

/// Sent, first and done of each request, ns.
fn times(records: &[RequestRecord]) -> Vec<(u64, Option<u64>, u64)> {
    let mut all: Vec<_> = records
        .iter()
        .map(|one| {
            let first = one.first().map(Offset::as_nanos);
            (one.due.as_nanos(), first, one.done.as_nanos())
        })
        .collect();
    all.sort_unstable();
    all
}

fn compare(params: EngineParams, streams: u32) {
    let workload = Workload::uniform(700, 120, 0.5, 3);
    // A bound at which nothing is decided: both run the same time.
    let slo: Slo = "ttft p50 <= 1s".parse().expect("a valid objective");
    let run = |runner: &mut dyn Runner<Error = std::convert::Infallible>| {
        let Ok(level) = runner.run_level(plan(streams), &slo, &mut |_| Go::On);
        (times(&level.records), level.summary.server)
    };
    let lengths: Arc<[Lengths]> = (0..20_000).map(|i| workload.lengths(i)).collect();
    let fast_engine = FastEngine::new(params.clone(), Trouble::default(), 1);
    let (fast, fast_server) = run(&mut FastRunner::new(fast_engine, lengths, 1));
    let (slow, slow_server) = run(&mut VirtualRunner::new(params, workload, 1));
    let shared = fast.len().min(slow.len());
    assert!(shared >= 40, "{shared} requests");
    assert_eq!(fast[..shared], slow[..shared], "{streams} streams");
    let preemptions = |server: Option<plimsoll_core::telemetry::ServerWindow>| {
        server.and_then(|server| server.preemptions)
    };
    assert_eq!(preemptions(fast_server), preemptions(slow_server));
}

#[test]
fn below_and_above_the_sequence_cap_the_times_are_the_same() {
    for streams in [1, 7, 40, 64, 90] {
        compare(engine(), streams);
    }
}

#[test]
fn with_too_few_blocks_the_same_sequences_are_thrown_out() {
    let short = EngineParams {
        kv_blocks: 1_300,
        ..engine()
    };
    for streams in [20, 30, 64] {
        compare(short.clone(), streams);
    }
}

#[test]
fn a_small_budget_and_odd_blocks_change_nothing() {
    let odd = EngineParams {
        max_num_seqs: 48,
        max_num_batched_tokens: 64,
        kv_blocks: 4_000,
        block_tokens: 7,
        queue_limit: Some(4),
        ..engine()
    };
    for streams in [12, 47, 60] {
        compare(odd.clone(), streams);
    }
}
