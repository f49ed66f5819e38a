//! The interval of growth per doubling against the growth that long holds show.
//!
//! A ramp level is short: its window is a few request times, and where lengths hardly vary it may
//! hold half a round of completions more or less than the average. The interval has to cover that.

use std::time::Duration;

use plimsoll_core::level::{Hold, LevelPlan, LevelSummary, Load, OpenLoop, Purpose};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::scaling::growth;
use plimsoll_core::slo::Slo;
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const LOADS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
const SEEDS: u64 = 10;

/// The levels of a ramp that is held so, over an engine with answers that spread so.
fn ramp(engine: &EngineParams, spread_ratio: f64, seed: u64, hold: Hold) -> Vec<LevelSummary> {
    let workload = Workload::uniform(512, 128, spread_ratio, seed);
    // Never broken, and never decided within the time.
    let slo: Slo = "ttft p99.9 <= 1000 s".parse().expect("there is one");
    let mut runner = VirtualRunner::new(engine.clone(), workload, seed);
    let mut request_time = Duration::from_secs(1);
    let mut levels = Vec::new();
    for (index, streams) in (0..).zip(LOADS) {
        let plan = LevelPlan {
            index,
            purpose: Purpose::Ramp,
            load: Load::Streams(streams),
            open_loop: OpenLoop::default(),
            hold,
            request_time,
            longest_hold: Duration::from_secs(100),
            longest: Duration::from_secs(200),
            settings: plimsoll_core::level::LevelSettings::default(),
        };
        let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
        request_time =
            Duration::from_secs_f64(level.summary.e2e_ms.mean.expect("there is one") / 1e3);
        levels.push(level.summary);
    }
    levels
}

fn check(engine: &EngineParams, spread_ratio: f64) {
    let long = ramp(engine, spread_ratio, 1_000, Hold::Decide);
    let truth: Vec<f64> = long
        .windows(2)
        .map(|pair| {
            pair[1].output_tokens_per_s.expect("there is one")
                / pair[0].output_tokens_per_s.expect("there is one")
        })
        .collect();
    let (mut all, mut covered) = (0, 0);
    for seed in 0..SEEDS {
        let short = ramp(engine, spread_ratio, seed, Hold::Screen);
        for (pair, truth) in short.windows(2).zip(&truth) {
            let found = growth(&pair[0], &pair[1]).expect("there is one");
            let inside = (found.lower_ratio..=found.upper_ratio).contains(&(truth - 1.0));
            (all, covered) = (all + 1, covered + u32::from(inside));
        }
    }
    assert!(covered * 100 >= all * 95, "{covered} of {all}");
}

fn toy() -> EngineParams {
    Profile::named("toy").expect("there is one").engine
}

#[test]
fn with_a_cap_on_sequences() {
    check(&toy(), 0.1);
    check(&toy(), 0.9);
}

#[test]
fn with_long_requests_and_thus_short_windows() {
    let slow = EngineParams {
        max_num_seqs: 48,
        step_base_us: 8_000.0,
        ..toy()
    };
    check(&slow, 0.1);
    check(&slow, 0.9);
}

#[test]
fn with_a_kv_cache_that_is_too_small() {
    let small = EngineParams {
        max_num_seqs: 256,
        kv_blocks: 1_500,
        ..toy()
    };
    check(&small, 0.1);
    check(&small, 0.9);
}
