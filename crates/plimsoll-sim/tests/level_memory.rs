//! The tokens of a level do not stay in memory. This test has a process of its own, whose peak of
//! memory no other test moves.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

use std::time::Duration;

use plimsoll_core::level::{Hold, LevelPlan, LevelSettings, Load, OpenLoop, Purpose};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const STREAMS: u32 = 64;
const OUTPUT_TOKENS: u32 = 512;
/// Some 8 million tokens, of which 8 bytes each would be 64 MB.
const HELD: Duration = Duration::from_secs(1_200);
const LEAST_TOKENS: u64 = 8_000_000;
/// A level keeps less of a request than this, however long its answer was.
const MOST_BYTES_OF_A_REQUEST: u64 = 512;
/// What an allocator may take beside it.
const SLACK_BYTES: u64 = 4 << 20;

/// The largest memory that this process has had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().split_whitespace().next();
    number.unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_level_grows_by_its_requests_and_not_by_their_tokens() {
    let engine = EngineParams {
        max_num_seqs: STREAMS,
        step_base_us: 8_000.0,
        ..Profile::named("toy").unwrap().engine
    };
    let workload = Workload::uniform(16, OUTPUT_TOKENS, 0.1, 1);
    let mut runner = VirtualRunner::new(engine, workload, 1);
    let plan = LevelPlan {
        index: 0,
        purpose: Purpose::Confirm,
        load: Load::Streams(STREAMS),
        settings: LevelSettings::default(),
        open_loop: OpenLoop::default(),
        hold: Hold::Whole,
        request_time: Duration::from_secs(5),
        longest_hold: HELD,
        longest: HELD * 2,
    };
    let slo = "ttft p95 <= 1s, tpot p95 <= 20ms".parse().unwrap();
    let before = peak_bytes();
    let mut tokens = 0;
    let Ok(level) = runner.run_level(plan, &slo, &mut |progress| {
        let events = progress.ended.iter().map(|one| one.events().len() as u64);
        tokens += events.sum::<u64>();
        Go::On
    });
    let grown = peak_bytes() - before;
    assert!(tokens > LEAST_TOKENS, "{tokens} tokens");
    let requests = level.records.len() as u64;
    let most = requests * MOST_BYTES_OF_A_REQUEST + SLACK_BYTES;
    assert!(grown < most, "{grown} bytes for {requests} requests");
    assert!(level.summary.itl_ms.n as u64 > LEAST_TOKENS / 2);
}
