//! A level judged again from what a run folder keeps says what the level itself said: under its own
//! objectives, and under others that it could have been run with.

use std::time::Duration;

use plimsoll_core::level::{
    FinishedLevel, Hold, LevelPlan, LevelSettings, LevelSummary, Load, OpenLoop, Purpose,
    Shortfall, rejudge,
};
use plimsoll_core::record::{InFlight, RequestLine, RequestRecord, RequestTrace};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::slo::Slo;
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const OBJECTIVES: [&str; 8] = [
    "ttft p95 <= 20ms",
    "ttft p50 <= 9ms, tpot p95 <= 3ms",
    "ttft mean <= 15ms, success >= 90%",
    "e2e p90 <= 60ms",
    "itl p99 <= 3ms",
    "success >= 99%",
    "goodput >= 80%, ttft p95 <= 20ms, tpot p95 <= 3ms",
    "speed mean >= 100",
];

/// A level, and the requests that ended on it.
struct Held {
    level: FinishedLevel,
    requests: Vec<RequestTrace>,
}

/// Twelve slots and a short queue, so that requests wait, and some are refused.
fn engine() -> EngineParams {
    EngineParams {
        max_num_seqs: 12,
        queue_limit: Some(3),
        ..Profile::named("toy").expect("a listed name").engine
    }
}

/// The same load, judged by `slo` while it runs; held for a time that no objective cuts short.
fn levels(slo: &Slo) -> Vec<Held> {
    let workload = Workload::uniform(64, 8, 0.3, 1);
    let mut runner = VirtualRunner::new(engine(), workload, 1);
    let asked = [
        (Purpose::Baseline, Hold::Screen, Load::Streams(1)),
        (Purpose::Ramp, Hold::Screen, Load::Streams(12)),
        (Purpose::Ramp, Hold::Screen, Load::Streams(20)),
        (Purpose::Bisect, Hold::Short, Load::Streams(8)),
        (Purpose::Confirm, Hold::Whole, Load::Streams(14)),
        (Purpose::Confirm, Hold::Whole, Load::RatePerS(300.0)),
    ];
    let level = |(index, (purpose, hold, load)): (u32, (Purpose, Hold, Load))| {
        let plan = LevelPlan {
            index,
            purpose,
            load,
            settings: LevelSettings::default(),
            open_loop: OpenLoop::default(),
            hold,
            request_time: Duration::from_millis(30),
            longest_hold: Duration::from_secs(2),
            longest: Duration::from_secs(60),
        };
        let mut requests = Vec::new();
        let Ok(level) = runner.run_level(plan, slo, &mut |progress| {
            requests.extend_from_slice(progress.ended);
            Go::On
        });
        Held { level, requests }
    };
    (0..).zip(asked).map(level).collect()
}

/// What a folder keeps of a value.
fn saved<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("a value of the run folder");
    serde_json::from_str(&text).expect("what was just written")
}

fn again(held: &Held, slo: &Slo) -> LevelSummary {
    let requests = held.requests.iter();
    let read = |one| RequestTrace::from(saved(&RequestLine::from(one)));
    let ended: Vec<RequestRecord> = requests
        .map(|one| read(one).to_record(slo.judges_gaps()))
        .collect();
    let in_flight: Vec<InFlight> = saved(&held.level.in_flight);
    rejudge(
        &saved(&held.level.summary),
        (slo, plimsoll_core::judge::Confidence::default()),
        &ended,
        &in_flight,
    )
}

#[test]
fn it_says_what_the_level_itself_would_have_said() {
    let slos: Vec<Slo> = OBJECTIVES
        .iter()
        .map(|text| text.parse().expect("objectives"))
        .collect();
    for run_under in &slos {
        for held in levels(run_under) {
            assert_eq!(again(&held, run_under), held.level.summary, "{run_under}");
        }
    }
    // These levels end by their length, so that other objectives see the same requests.
    let other = levels(&slos[1]);
    for slo in &slos {
        let own = levels(slo);
        for (own, other) in own.iter().zip(&other) {
            assert_eq!(again(other, slo), own.level.summary, "{slo}");
        }
    }
}

#[test]
fn a_level_without_its_load_stays_void() {
    let slo: Slo = "ttft p95 <= 20ms".parse().expect("objectives");
    let mut held = levels(&slo).remove(1);
    let level = &mut held.level;
    level.summary.verdict = plimsoll_core::level::LevelVerdict::Void;
    let late = Shortfall::SendLag {
        p99_ms: 8.1,
        bound_ms: 5.0,
    };
    level.summary.reason = Some(late.into());
    let judged = again(&held, &"ttft p95 <= 1ms".parse().expect("objectives"));
    let before = &held.level.summary;
    assert_eq!(judged.verdict, before.verdict);
    assert_eq!(judged.reason, before.reason);
    assert_ne!(judged.objectives, before.objectives);
}
