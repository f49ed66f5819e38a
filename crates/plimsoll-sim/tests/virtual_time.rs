//! The virtual-time runner on levels of its own: who is in flight, who is cut, who waits.

use std::time::Duration;

use plimsoll_core::level::{
    FinishedLevel, Hold, LevelPlan, LevelSettings, LevelVerdict, Load, OpenLoop, Purpose,
};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::workload::{Lengths, ThinkTime, Workload};
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const WORKLOAD: Workload = Workload::uniform(64, 32, 0.2, 1);

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
        settings: LevelSettings::default(),
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
        settings: LevelSettings::default(),
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

/// Lengths follow the request's number within the run, so that each level has fresh ones.
#[test]
fn lengths_follow_the_number_of_the_request() {
    let mut runner = runner(toy());
    for (index, streams) in [(0, 1), (1, 4), (2, 1)] {
        let level = run(&mut runner, index, streams);
        assert!(!level.records.is_empty());
        for record in &level.records {
            let asked = Lengths {
                input_tokens: record.asked_prompt_tokens,
                output_tokens: record.asked_output_tokens,
            };
            assert_eq!(asked, WORKLOAD.lengths(record.id));
        }
    }
}

/// Fifty users who think for 2 s after requests of R: by Little's law they send 50 / (R + 2 s) a
/// second, and R times that are in flight.
#[test]
fn users_who_think_are_there_and_mostly_not_in_flight() {
    let mut runner = runner(toy());
    let plan = LevelPlan {
        index: 0,
        purpose: Purpose::Refine,
        load: Load::Streams(50),
        open_loop: OpenLoop::default(),
        settings: LevelSettings {
            think: Some(ThinkTime {
                mean: Duration::from_secs(2),
                is_fixed: false,
                seed: 9,
            }),
            ..LevelSettings::default()
        },
        hold: Hold::Decide,
        request_time: Duration::from_millis(100),
        longest_hold: Duration::from_secs(600),
        longest: Duration::from_secs(3_600),
    };
    // Takes 400,000 requests: the level is held to its end.
    let slo = "success >= 99.999%".parse().unwrap();
    let level = runner.run_level(plan, &slo, &mut |_| Go::On).unwrap();
    let summary = level.summary;
    assert_ne!(summary.verdict, LevelVerdict::Void, "{:?}", summary.reason);
    let request_time_s = summary.e2e_ms.mean.unwrap() / 1e3;
    let rate = summary.request_per_s.unwrap();
    let expected = 50.0 / (request_time_s + 2.0);
    // Three deviations of the count.
    let n = summary.requests.completed_in_window as f64;
    assert!(
        (rate / expected - 1.0).abs() < 3.0 / n.sqrt(),
        "{rate} {expected} of {n}"
    );
    let in_flight = summary.client.achieved_concurrency.unwrap();
    assert!(
        (in_flight / (rate * request_time_s) - 1.0).abs() < 0.2,
        "{in_flight}"
    );
}
