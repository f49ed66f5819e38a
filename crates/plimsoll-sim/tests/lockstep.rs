//! Streams whose requests are all of one length keep the phases of their start: a level redraws
//! them, and says how much the draws differ.

use std::time::Duration;

use plimsoll_core::judge::Decision;
use plimsoll_core::level::{
    Alarm, FinishedLevel, Hold, LevelPlan, LevelSettings, LevelVerdict, Load, OpenLoop, Purpose,
};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::workload::Workload;
use plimsoll_sim::{Profile, VirtualRunner};

const STREAMS: u32 = 24;

fn runner(spread_ratio: f64) -> VirtualRunner {
    let workload = Workload::uniform(512, 128, spread_ratio, 1);
    let engine = Profile::named("toy").expect("a listed name").engine;
    VirtualRunner::new(engine, workload, 1)
}

/// A level of 24 streams, held for up to `request_times`, after one that measures them.
fn hold(
    spread_ratio: f64,
    settings: LevelSettings,
    slo: &str,
    request_times: u32,
) -> FinishedLevel {
    let mut runner = runner(spread_ratio);
    let mut run = |index, hold, request_time: Duration, settings| {
        let plan = LevelPlan {
            index,
            purpose: Purpose::Refine,
            load: Load::Streams(STREAMS),
            open_loop: OpenLoop::default(),
            hold,
            request_time,
            longest_hold: request_time * request_times,
            longest: Duration::from_secs(86_400),
            settings,
        };
        let slo = slo.parse().expect("objectives");
        let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
        level
    };
    let first = run(
        0,
        Hold::Screen,
        Duration::from_secs(1),
        LevelSettings::default(),
    );
    let e2e_ms = first.summary.e2e_ms.mean.expect("requests ended");
    run(
        1,
        Hold::Decide,
        Duration::from_secs_f64(e2e_ms / 1e3),
        settings,
    )
}

fn lockstep(level: &FinishedLevel) -> Option<(u32, f64, f64)> {
    level.summary.alarms.iter().find_map(|alarm| match alarm {
        Alarm::Lockstep {
            draws,
            least_ttft_p95_ms,
            most_ttft_p95_ms,
        } => Some((*draws, *least_ttft_p95_ms, *most_ttft_p95_ms)),
        _ => None,
    })
}

const REDRAWN: LevelSettings = LevelSettings {
    think: None,
    keeps_stamps: false,
    burst: false,
    redraw_seed: Some(1),
    confidence: plimsoll_core::judge::Confidence::DEFAULT,
};

#[test]
fn draws_of_the_phases_differ_and_the_level_says_so() {
    let level = hold(0.0, REDRAWN, "ttft p95 <= 50ms", 40);
    assert_ne!(level.summary.verdict, LevelVerdict::Void);
    let (draws, least, most) = lockstep(&level).expect("an alarm");
    assert!((4..=6).contains(&draws), "{draws}");
    assert!(most > least * 1.2, "{least} to {most}");
}

#[test]
fn a_level_is_not_decided_by_few_draws() {
    // Hundreds of requests, none of them over: six draws all the same.
    let few = hold(0.0, REDRAWN, "ttft p95 <= 100s", 40);
    assert!(few.summary.objectives[0].n > 500);
    assert_eq!(few.summary.objectives[0].decision, Decision::Undecided);
    let many = hold(0.0, REDRAWN, "ttft p95 <= 100s", 90);
    assert_eq!(many.summary.objectives[0].decision, Decision::Pass);
    assert_eq!(
        many.summary.objectives[0].slices.len() as u32,
        lockstep(&many).expect("an alarm").0
    );
}

#[test]
fn lengths_that_vary_raise_no_such_alarm() {
    let level = hold(0.2, LevelSettings::default(), "ttft p95 <= 100s", 90);
    assert_eq!(lockstep(&level), None);
}

#[test]
fn a_burst_starts_all_new_streams_at_once() {
    let sent = |burst| {
        let settings = LevelSettings {
            burst,
            ..LevelSettings::default()
        };
        let plan = LevelPlan {
            index: 0,
            purpose: Purpose::Ramp,
            load: Load::Streams(STREAMS),
            open_loop: OpenLoop::default(),
            hold: Hold::Screen,
            request_time: Duration::from_secs(1),
            longest_hold: Duration::from_secs(20),
            longest: Duration::from_secs(86_400),
            settings,
        };
        let slo = "ttft p95 <= 100s".parse().expect("an objective");
        let Ok(level) = runner(0.2).run_level(plan, &slo, &mut |_| Go::On);
        let mut firsts: Vec<_> = level.records.iter().map(|record| record.due).collect();
        firsts.sort_unstable();
        firsts.truncate(STREAMS as usize);
        firsts.dedup();
        firsts.len()
    };
    assert_eq!(sent(true), 1);
    assert!(sent(false) > 20);
}
