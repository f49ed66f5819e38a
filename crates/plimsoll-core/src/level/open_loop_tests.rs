//! Levels of arrivals on events made by hand: one every 10 ms, each 100 ms long.

use std::time::Duration;

use super::*;
use crate::record::ON_SCHEDULE;
use crate::record::tests::{end_of, record};

const GAP: u64 = 10;
const R: u64 = 100;

fn at(ms: u64) -> Offset {
    Offset::from_nanos(ms * 1_000_000)
}

fn plan(hold: Hold, cap: Option<u32>) -> LevelPlan {
    LevelPlan {
        index: 0,
        purpose: Purpose::Refine,
        load: Load::RatePerS(1e3 / GAP as f64),
        open_loop: OpenLoop {
            most_in_flight: cap,
            ..OpenLoop::default()
        },
        hold,
        request_time: Duration::from_millis(R),
        longest_hold: Duration::from_secs(2),
        longest: Duration::from_secs(86_400),
        settings: LevelSettings::default(),
    }
}

fn arrival(id: u64, due: u64) -> InFlight {
    InFlight {
        id,
        level: 0,
        stream: ON_SCHEDULE,
        due: at(due),
        ready: at(due),
        sent: None,
        first: None,
        heard: None,
        doubt: crate::record::Doubt::default(),
    }
}

/// Runs a level whose arrivals wait `wait` ms in the client and get their first token 20 ms later.
/// If they had to, for a place or a connection, they were ready when they were sent.
fn run(
    plan: LevelPlan,
    slo: &str,
    (wait, had_to): (u64, bool),
    client: ClientHealth,
) -> FinishedLevel {
    let mut level = Level::start(plan, slo.parse().unwrap(), at(0), Vec::new());
    let mut now: u64 = 0;
    loop {
        now += 1;
        let due = |ago: u64| now.checked_sub(ago).filter(|due| due % GAP == 0);
        if let Some(due) = due(0) {
            level.apply(&LoadEvent::Due(arrival(due, due)));
        }
        if let Some(due) = due(wait) {
            let sent = Some(at(now));
            let ready = at(if had_to { now } else { due });
            level.apply(&LoadEvent::Sent(InFlight {
                ready,
                sent,
                ..arrival(due, due)
            }));
        }
        if let Some(due) = due(wait + R) {
            let mut ended = record(due + wait, &[due + wait + 20, now]);
            (ended.id, ended.stream, ended.due) = (due, ON_SCHEDULE, at(due));
            ended.ready = at(if had_to { due + wait } else { due });
            level.apply(&end_of(ended));
        }
        if level.tick(at(now)) == Step::End {
            let finished = level.finish(at(now), client, None);
            assert!(finished.summary.requests.balance());
            return finished;
        }
    }
}

#[test]
fn the_window_begins_when_the_server_is_full_and_settled() {
    let finished = run(
        plan(Hold::Whole, None),
        "ttft p95 <= 50ms",
        (0, false),
        ClientHealth::default(),
    );
    let window = finished.summary.window.unwrap();
    // One R to fill, one to settle.
    assert!((0.2..0.21).contains(&window.from_s), "{window:?}");
    assert!((window.to_s - window.from_s - 2.0).abs() < 1e-9);
    let in_flight = finished.summary.client.achieved_concurrency.unwrap();
    assert!((in_flight - 10.0).abs() < 0.2, "{in_flight}");
    assert_eq!(finished.summary.ttft_ms.mean, Some(20.0));
}

#[test]
fn a_level_that_is_held_whole_is_not_ended_by_a_fail() {
    let ttft = "ttft p95 <= 10ms";
    let whole = run(
        plan(Hold::Whole, None),
        ttft,
        (0, false),
        ClientHealth::default(),
    );
    let failed = run(
        plan(Hold::Confirm, None),
        ttft,
        (0, false),
        ClientHealth::default(),
    );
    let length = |finished: &FinishedLevel| finished.summary.window.unwrap().request_times;
    assert!((length(&whole) - 20.0).abs() < 0.1);
    assert!(length(&failed) < 10.0, "the first looks see it");
    for finished in [whole, failed] {
        assert_eq!(finished.summary.verdict, LevelVerdict::Fail);
    }
}

#[test]
fn what_the_client_itself_holds_back_voids_the_level() {
    let ttft = "ttft p95 <= 50ms";
    let void = run(
        plan(Hold::Whole, None),
        ttft,
        (30, false),
        ClientHealth::default(),
    );
    assert_eq!(void.summary.verdict, LevelVerdict::Void);
    // The same wait, under a cap or for a connection, is time of the request.
    let capped = run(
        plan(Hold::Whole, Some(10)),
        ttft,
        (30, true),
        ClientHealth::default(),
    );
    let connecting = ClientHealth {
        connecting_concurrency: Some(3.0),
        ..ClientHealth::default()
    };
    let accepted = run(plan(Hold::Whole, None), ttft, (30, true), connecting);
    for finished in [capped, accepted] {
        let summary = finished.summary;
        assert_eq!(summary.reason, None, "neither void nor failed");
        assert_eq!(summary.ttft_ms.mean, Some(50.0));
        assert!((summary.client.waiting_concurrency.unwrap() - 3.0).abs() < 0.1);
    }
}

#[test]
fn streams_of_the_last_level_must_be_gone() {
    let mut of_stream = arrival(900, 0);
    (of_stream.stream, of_stream.sent) = (0, Some(at(0)));
    let slo = "ttft p95 <= 50ms".parse().unwrap();
    let mut level = Level::start(plan(Hold::Whole, None), slo, at(0), vec![of_stream]);
    assert_eq!(level.tick(at(300)), Step::Hold);
    assert_eq!(level.phase(), Phase::Handover);
    let mut ended = record(0, &[10, 310]);
    ended.id = 900;
    level.apply(&end_of(ended));
    assert_eq!(level.tick(at(311)), Step::Hold);
    assert_eq!(level.phase(), Phase::Settle);
}
