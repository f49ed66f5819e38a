//! The virtual-time runner on levels of its own: who is in flight, who is cut, who waits.

use std::time::Duration;

use plimsoll_core::level::{FinishedLevel, Hold, LevelPlan, Load, OpenLoop, Purpose};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const WORKLOAD: Workload = Workload {
    input_tokens: 64,
    output_tokens: 32,
    spread_ratio: 0.2,
    seed: 1,
};

fn toy() -> EngineParams {
    Profile::named("toy").expect("a listed name").engine
}

fn runner(engine: EngineParams) -> VirtualRunner {
    VirtualRunner::new(engine, WORKLOAD, 1)
}

fn run(runner: &mut VirtualRunner, index: u32, streams: u32) -> FinishedLevel {
    let plan = LevelPlan {
        index,
        purpose: Purpose::Ramp,
        load: Load::Streams(streams),
        open_loop: OpenLoop::default(),
        hold: Hold::Screen,
        request_time: Duration::from_millis(100),
        longest_hold: Duration::from_secs(20),
        longest: Duration::from_secs(86_400),
    };
    let slo = "ttft p95 <= 10s".parse().expect("an objective");
    let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
    assert!(level.summary.requests.balance());
    level
}

fn cut(level: &FinishedLevel) -> usize {
    let is_cut = |outcome| outcome == Outcome::CutAtEnd;
    level
        .records
        .iter()
        .filter(|record| is_cut(record.outcome))
        .count()
}

#[test]
fn streams_never_pause_and_requests_straddle_levels() {
    let mut runner = runner(toy());
    let first = run(&mut runner, 0, 8);
    let achieved = first.summary.client.achieved_concurrency;
    assert!((achieved.expect("a window") - 8.0).abs() < 1e-9);
    assert_eq!(first.in_flight.len(), 8);
    let second = run(&mut runner, 1, 12);
    assert_eq!(second.summary.requests.carried_in, 8);
    let straddling = second.records.iter().filter(|record| record.level == 0);
    assert_eq!(straddling.count(), 8);
    assert_eq!((cut(&first), cut(&second)), (0, 0));
    assert_eq!(second.summary.ttft_ms.n, second.summary.objectives[0].n);
}

#[test]
fn on_the_way_down_only_those_without_a_token_are_cut() {
    let mut runner = runner(EngineParams {
        max_num_seqs: 4,
        ..toy()
    });
    let full = run(&mut runner, 0, 12);
    let no_token = |level: &FinishedLevel| {
        let surplus = level.in_flight.iter().filter(|request| request.stream >= 3);
        surplus.filter(|request| request.first.is_none()).count()
    };
    assert!(no_token(&full) >= 5);
    let down = run(&mut runner, 1, 3);
    assert_eq!(cut(&down), no_token(&full));
    assert!(down.in_flight.iter().all(|request| request.stream < 3));
    assert_eq!(down.in_flight.len(), 3);
    let late = down.records.iter().filter(|record| record.level == 1);
    assert!(late.into_iter().all(|record| record.stream < 3));
    let server = down.summary.server.expect("the engine has gauges");
    assert_eq!(
        (server.running_max, server.waiting_mean),
        (Some(3.0), Some(0.0))
    );
}

#[test]
fn a_refused_stream_backs_off_by_a_request_time() {
    let mut runner = runner(EngineParams {
        max_num_seqs: 2,
        queue_limit: Some(0),
        ..toy()
    });
    let level = run(&mut runner, 0, 4);
    let refused = Outcome::HttpStatus { status: 429 };
    let mut sends: Vec<_> = level
        .records
        .iter()
        .filter(|record| record.outcome == refused)
        .map(|record| (record.stream, record.due))
        .collect();
    assert!(sends.len() > 5);
    sends.sort_unstable();
    let pauses = sends.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    for pair in pauses {
        assert!(pair[1].1.since(pair[0].1) >= Duration::from_millis(50));
    }
}

#[test]
fn the_same_seed_gives_the_same_records() {
    let records = || {
        let mut runner = runner(toy());
        let first = run(&mut runner, 0, 3).records;
        (first, run(&mut runner, 1, 6).records)
    };
    assert_eq!(records(), records());
}

#[test]
fn a_listener_can_end_a_level() {
    let mut runner = runner(toy());
    let plan = LevelPlan {
        index: 0,
        purpose: Purpose::Baseline,
        load: Load::Streams(1),
        open_loop: OpenLoop::default(),
        hold: Hold::Decide,
        request_time: Duration::from_secs(1),
        longest_hold: Duration::from_secs(60),
        longest: Duration::from_secs(86_400),
    };
    let slo = "ttft p95 <= 10s".parse().expect("an objective");
    let Ok(level) = runner.run_level(plan, &slo, &mut |progress| {
        if progress.now.as_nanos() > 1_000_000_000 {
            Go::Stop
        } else {
            Go::On
        }
    });
    assert!((1.0..1.3).contains(&level.summary.duration_s));
    assert!(level.summary.requests.balance());
}
