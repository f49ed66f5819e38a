//! Levels of arrivals in virtual time: the schedule is kept, nothing gets lost, and what waits in the
//! client waits at its own cost.

use std::time::Duration;

use plimsoll_core::level::{FinishedLevel, Hold, LevelPlan, LevelVerdict, Load, OpenLoop, Purpose};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{ON_SCHEDULE, RequestRecord};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::stability::Drift;
use plimsoll_core::stats::mean;
use plimsoll_core::time::Offset;
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const WORKLOAD: Workload = Workload::uniform(64, 32, 0.2, 1);
const SLO: &str = "ttft p95 <= 2s";

fn toy() -> EngineParams {
    Profile::named("toy").expect("a listed name").engine
}

fn plan(index: u32, load: Load) -> LevelPlan {
    LevelPlan {
        index,
        purpose: Purpose::Refine,
        load,
        open_loop: OpenLoop {
            seed: 7,
            ..OpenLoop::default()
        },
        hold: Hold::Whole,
        request_time: Duration::from_millis(400),
        longest_hold: Duration::from_secs(30),
        longest: Duration::from_secs(86_400),
        settings: plimsoll_core::level::LevelSettings::default(),
    }
}

fn run(runner: &mut VirtualRunner, plan: LevelPlan) -> FinishedLevel {
    let slo = SLO.parse().expect("an objective");
    let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
    assert!(level.summary.requests.balance(), "{:?}", level.summary);
    level
}

fn runner(engine: EngineParams) -> VirtualRunner {
    VirtualRunner::new(engine, WORKLOAD, 1)
}

#[test]
fn every_arrival_is_sent_when_it_is_due() {
    // Two minutes bring the requests that a pass takes.
    let plan = LevelPlan {
        longest_hold: Duration::from_secs(120),
        ..plan(0, Load::RatePerS(20.0))
    };
    let level = run(&mut runner(toy()), plan.clone());
    let mut dues: Vec<Offset> = level.records.iter().map(|one| one.due).collect();
    dues.extend(level.in_flight.iter().map(|one| one.due));
    dues.sort_unstable();
    let asked = plan.dues().expect("a rate");
    let asked: Vec<Offset> = asked
        .take(dues.len())
        .map(|due| Offset::ZERO + due)
        .collect();
    assert_eq!(dues, asked);
    assert!(level.records.iter().all(|one| one.sent == Some(one.due)));
    assert_eq!(level.summary.verdict, LevelVerdict::Pass);
}

#[test]
fn in_flight_is_the_rate_times_the_request_time() {
    let level = run(&mut runner(toy()), plan(0, Load::RatePerS(20.0)));
    let summary = level.summary;
    let in_flight = summary.client.achieved_concurrency.expect("a window");
    let by_little =
        summary.request_per_s.expect("a rate") * summary.e2e_ms.mean.expect("a time") / 1e3;
    assert!(
        (in_flight / by_little - 1.0).abs() < 0.05,
        "{in_flight} {by_little}"
    );
    assert_eq!(summary.client.waiting_concurrency, Some(0.0));
}

#[test]
fn what_waits_for_a_place_counts_from_its_due_time() {
    let mut capped = plan(0, Load::RatePerS(60.0));
    capped.open_loop.most_in_flight = Some(1);
    let level = run(&mut runner(toy()), capped);
    let summary = &level.summary;
    assert!(summary.client.achieved_concurrency.expect("a window") <= 1.0);
    assert!(summary.client.waiting_concurrency.expect("a window") > 3.0);
    assert!(
        level
            .in_flight
            .iter()
            .filter(|one| one.sent.is_some())
            .count()
            <= 1
    );
    // The client is on time: it is the cap that makes them late.
    assert_eq!(summary.client.send_lag_ms.max, Some(0.0));
    assert_eq!(summary.verdict, LevelVerdict::Fail);
    let late = level.records.iter().filter(|one| one.sent > Some(one.due));
    let waits: Vec<f64> = late.filter_map(RequestRecord::send_lag_ms).collect();
    assert!(
        mean(&waits) < summary.ttft_ms.mean,
        "ttft has the wait in it"
    );
}

#[test]
fn loads_of_both_kinds_follow_each_other() {
    let mut runner = runner(toy());
    let mut carried = 0;
    let loads = [
        Load::Streams(8),
        Load::RatePerS(20.0),
        Load::RatePerS(5.0),
        Load::Streams(4),
    ];
    for (index, load) in (0..).zip(loads) {
        let level = run(&mut runner, plan(index, load));
        assert_eq!(level.summary.requests.carried_in, carried);
        carried = level.summary.requests.carried_out;
        let kind = |stream: u32| (stream == ON_SCHEDULE) == load.rate_per_s().is_some();
        assert!(level.in_flight.iter().all(|one| kind(one.stream)), "{load}");
    }
}

#[test]
fn those_that_still_wait_when_a_level_ends_are_never_sent() {
    let mut runner = runner(toy());
    let mut capped = plan(0, Load::RatePerS(60.0));
    capped.open_loop.most_in_flight = Some(1);
    let first = run(&mut runner, capped);
    let waiting = first
        .in_flight
        .iter()
        .filter(|one| one.sent.is_none())
        .count();
    assert!(waiting > 0);
    let next = run(&mut runner, plan(1, Load::Streams(2)));
    assert_eq!(next.summary.requests.outcomes["never_sent"], waiting as u64);
    let never = next
        .records
        .iter()
        .filter(|one| one.outcome == Outcome::NeverSent);
    assert!(
        never
            .into_iter()
            .all(|one| one.level == 0 && one.sent.is_none())
    );
}

/// The rate that the toy engine carries with 16 running, measured with 48 streams.
fn saturated_per_s(engine: &EngineParams) -> f64 {
    let mut plan = plan(0, Load::Streams(48));
    plan.longest_hold = Duration::from_secs(120);
    let level = run(&mut runner(engine.clone()), plan);
    level.summary.request_per_s.expect("a window")
}

#[test]
fn a_rate_is_stable_below_saturation_and_grows_above() {
    let engine = EngineParams {
        max_num_seqs: 16,
        ..toy()
    };
    let saturated_per_s = saturated_per_s(&engine);
    let drift = |share: f64| {
        let mut plan = plan(0, Load::RatePerS(saturated_per_s * share));
        plan.request_time = Duration::from_secs_f64(16.0 / saturated_per_s);
        plan.longest_hold = plan.request_time * 100;
        let summary = run(&mut runner(engine.clone()), plan).summary;
        (summary.stability.expect("a window"), summary.verdict)
    };
    let (below, verdict) = drift(0.8);
    assert_eq!(below.drift, Drift::Steady);
    assert_ne!(verdict, LevelVerdict::Fail);
    let (above, verdict) = drift(1.3);
    assert!(
        above.trend.grew() && above.ended < above.arrivals,
        "{above:?}"
    );
    assert_eq!(verdict, LevelVerdict::Fail);
}

#[test]
fn refusals_do_not_slow_arrivals_down() {
    let engine = EngineParams {
        max_num_seqs: 2,
        queue_limit: Some(0),
        ..toy()
    };
    let level = run(&mut runner(engine), plan(0, Load::RatePerS(20.0)));
    let arrived = level.summary.requests.due as f64;
    // 20 a second over the level's time, five standard deviations of a Poisson number.
    let asked = 20.0 * level.summary.duration_s;
    assert!(
        (arrived - asked).abs() < 5.0 * asked.sqrt(),
        "{arrived} of {asked}"
    );
    assert_eq!(level.summary.verdict, LevelVerdict::Fail);
}

#[test]
fn the_same_seed_gives_the_same_records() {
    let records = || run(&mut runner(toy()), plan(0, Load::RatePerS(20.0))).records;
    assert_eq!(records(), records());
}
