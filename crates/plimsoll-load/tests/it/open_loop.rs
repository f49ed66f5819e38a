//! Levels of arrivals over sockets: each is sent when it is due, and nothing gets lost.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::level::{FinishedLevel, LevelVerdict, Load, OpenLoop};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{LoadEvent, ON_SCHEDULE, RequestRecord};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_load::coordinator::SocketRunner;
use plimsoll_sim::Faults;

use super::levels::{plan, runner, slo};
use super::server;

const RATE: f64 = 200.0;

fn run(runner: &mut SocketRunner, index: u32, load: Load, cap: Option<u32>) -> FinishedLevel {
    let mut plan = plan(index, 0);
    plan.load = load;
    plan.open_loop = OpenLoop {
        most_in_flight: cap,
        seed: 3,
        ..OpenLoop::default()
    };
    let finished = runner.run_level(plan, &slo(), &mut |_| Go::On).unwrap();
    let counts = &finished.summary.requests;
    assert!(counts.balance(), "{counts:?}");
    finished
}

#[test]
fn arrivals_come_as_the_schedule_says_over_any_number_of_workers() {
    let server = server(Faults::default());
    for workers in [1, 3] {
        let mut runner = runner(&server, workers);
        let level = run(&mut runner, 0, Load::RatePerS(RATE), None);
        let start = Duration::from_secs_f64(level.summary.started_s);
        let mut dues: Vec<Duration> = level
            .records
            .iter()
            .map(|one| one.due)
            .chain(level.in_flight.iter().map(|one| one.due))
            .map(|due| Duration::from_nanos(due.as_nanos()).saturating_sub(start))
            .collect();
        dues.sort_unstable();
        let mut asked = plan(0, 0);
        (asked.load, asked.open_loop.seed) = (Load::RatePerS(RATE), 3);
        // The start is known to a rounding of its seconds.
        for (found, asked) in dues.iter().zip(asked.dues().unwrap()) {
            assert!(found.abs_diff(asked) < Duration::from_micros(1));
        }
        assert!(level.records.iter().all(|one| one.sent >= Some(one.due)));
        assert!(
            level.summary.verdict == LevelVerdict::Screened || level.summary.is_clients_fault(),
            "{:?}",
            level.summary.reason
        );
        drop(runner.stop());
    }
}

#[test]
fn the_cap_is_kept_over_all_workers_and_the_wait_counts() {
    let server = server(Faults::default());
    let mut runner = runner(&server, 2);
    let level = run(&mut runner, 0, Load::RatePerS(RATE * 4.0), Some(2));
    let client = &level.summary.client;
    assert!(client.achieved_concurrency.unwrap() <= 2.0);
    assert!(client.waiting_concurrency.unwrap() > 1.0);
    let mean = |of: fn(&RequestRecord) -> Option<f64>| {
        let all: Vec<f64> = level.records.iter().filter_map(of).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    assert!(mean(RequestRecord::lateness_ms) < mean(RequestRecord::send_lag_ms) / 2.0);
    assert!(mean(RequestRecord::ttft_ms) > mean(RequestRecord::send_lag_ms));
    drop(runner.stop());
    assert!(server.truth().peak_in_flight <= 2);
}

#[test]
fn levels_of_both_kinds_follow_each_other_and_nothing_gets_lost() {
    let server = server(Faults {
        stall_share: 0.3,
        stall_ms: 100,
        ..Faults::default()
    });
    let mut runner = runner(&server, 2);
    let loads = [
        (Load::Streams(8), None),
        (Load::RatePerS(RATE), None),
        (Load::RatePerS(RATE), Some(3)),
        (Load::Streams(4), None),
        (Load::RatePerS(RATE), Some(2)),
    ];
    let mut ids = BTreeMap::new();
    let mut carried = Vec::new();
    for (index, (load, cap)) in (0..).zip(loads) {
        let level = run(&mut runner, index, load, cap);
        assert_eq!(level.summary.requests.carried_in, carried.len() as u64);
        let kind = |stream: u32| (stream == ON_SCHEDULE) == load.rate_per_s().is_some();
        assert!(level.in_flight.iter().all(|one| kind(one.stream)), "{load}");
        carried = level.in_flight;
        for record in level.records {
            assert!(ids.insert(record.id, record.outcome).is_none());
        }
    }
    for event in runner.stop() {
        if let LoadEvent::Ended(record) = event {
            assert!(ids.insert(record.id, record.outcome).is_none());
        }
    }
    assert!(carried.iter().all(|one| ids.contains_key(&one.id)));
    let lost = (0..ids.len() as u64 / 2).find(|id| !ids.contains_key(id));
    assert_eq!(lost, None);
}

#[test]
fn refusals_do_not_slow_arrivals_down() {
    let server = server(Faults {
        reject_share: 1.0,
        ..Faults::default()
    });
    let mut runner = runner(&server, 1);
    let level = run(&mut runner, 0, Load::RatePerS(RATE), None);
    let summary = &level.summary;
    assert!(summary.verdict == LevelVerdict::Fail || summary.is_clients_fault());
    let window = level.summary.window.unwrap();
    let due = level.records.iter().filter(|one| {
        let at = one.due.as_secs_f64();
        at >= window.from_s && at <= window.to_s
    });
    let (due, asked) = (due.count() as f64, RATE * (window.to_s - window.from_s));
    assert!(
        (due - asked).abs() < 5.0 * asked.sqrt() + 1.0,
        "{due} of {asked}"
    );
}

#[test]
fn those_that_wait_when_the_run_stops_are_never_sent() {
    let server = server(Faults {
        never_answer_share: 1.0,
        ..Faults::default()
    });
    let mut runner = runner(&server, 2);
    let mut plan = plan(0, 0);
    plan.load = Load::RatePerS(RATE);
    plan.open_loop.most_in_flight = Some(2);
    let finished = runner.run_level(plan, &slo(), &mut |progress| {
        if progress.level.ledger().in_flight().len() > 10 {
            Go::Stop
        } else {
            Go::On
        }
    });
    let carried = finished.unwrap().in_flight;
    let outcomes: Vec<Outcome> = runner
        .stop()
        .into_iter()
        .filter_map(|event| match event {
            LoadEvent::Ended(record) => Some(record.outcome),
            _ => None,
        })
        .collect();
    let count = |outcome| outcomes.iter().filter(|one| **one == outcome).count();
    assert!(outcomes.len() >= carried.len());
    // A worker that hears of the stop first may free a place for another one.
    assert!(count(Outcome::CutAtEnd) >= 2 && count(Outcome::NeverSent) > 0);
    let all = count(Outcome::CutAtEnd) + count(Outcome::NeverSent);
    assert_eq!(all, outcomes.len());
}
