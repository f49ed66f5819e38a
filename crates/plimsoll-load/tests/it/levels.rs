//! Levels over sockets: hand-over, conservation, what the client achieves.

use std::time::Duration;

use plimsoll_core::level::{Hold, LevelPlan, LevelSettings, LevelVerdict, Load, OpenLoop, Purpose};
use plimsoll_core::protocol::Protocol;
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::workload::ThinkTime;
use plimsoll_load::clock::Clock;
use plimsoll_load::coordinator::SocketRunner;
use plimsoll_load::crew::CrewOptions;
use plimsoll_load::telemetry::{MetricsPage, SignalSource, Telemetry};
use plimsoll_sim::{Faults, SimServer};

use super::{PATIENCE, server, source, target, workload};

pub(crate) fn plan(index: u32, streams: u32) -> LevelPlan {
    LevelPlan {
        index,
        purpose: Purpose::Ramp,
        load: Load::Streams(streams),
        open_loop: OpenLoop::default(),
        hold: Hold::Screen,
        request_time: Duration::from_millis(30),
        longest_hold: Duration::from_secs(20),
        longest: Duration::from_secs(86_400),
        settings: LevelSettings::default(),
    }
}

pub(crate) fn slo() -> Slo {
    "ttft p95 <= 5s, success >= 90%".parse().unwrap()
}

pub(crate) fn runner(server: &SimServer, workers: u32) -> SocketRunner {
    let clock = Clock::start();
    let target = target(server);
    let page = MetricsPage::of(&target).unwrap();
    let telemetry = Telemetry::start(vec![SignalSource::MetricsPage(page)], clock).unwrap();
    let options = CrewOptions {
        workers,
        timeout: PATIENCE,
        keep_alive: true,
        first_request: 0,
    };
    SocketRunner::start(
        &target,
        &source(Protocol::Completions),
        Some(telemetry),
        clock,
        options,
    )
    .unwrap()
}

#[test]
fn levels_follow_each_other_and_nothing_gets_lost() {
    let server = server(Faults::default());
    let mut runner = runner(&server, 2);
    let mut carried = 0;
    let mut completed = 0;
    for (index, streams) in [1, 8, 24, 6, 12].into_iter().enumerate() {
        let finished = runner
            .run_level(plan(index as u32, streams), &slo(), &mut |_| Go::On)
            .unwrap();
        let summary = &finished.summary;
        assert!(summary.requests.balance(), "{summary:?}");
        assert_eq!(summary.requests.carried_in, carried);
        carried = summary.requests.carried_out;
        assert_eq!(
            finished.records.len() as u64,
            summary.requests.outcomes.values().sum::<u64>()
        );
        completed += summary.requests.outcomes["completed"];
        assert_eq!(summary.success_ratio, Some(1.0));
        assert!(summary.ttft_ms.n >= 8 && summary.output_tokens_per_s.unwrap() > 0.0);
        // On a machine that is busy with other things this client is late, and says so.
        assert!(
            summary.verdict == LevelVerdict::Screened || summary.is_clients_fault(),
            "{streams}: {:?}",
            summary.reason
        );
    }
    drop(runner.stop());
    let truth = server.truth();
    assert!(truth.n_completed >= completed);
    assert!(truth.peak_in_flight <= 24, "{}", truth.peak_in_flight);
}

/// Users who think a second between requests of some 30 ms: few of them are in flight at a time.
#[test]
fn users_who_think_are_mostly_not_in_flight() {
    let server = server(Faults::default());
    let mut runner = runner(&server, 2);
    let think = Some(ThinkTime {
        mean: Duration::from_secs(1),
        is_fixed: false,
        seed: 3,
    });
    let users = LevelPlan {
        settings: LevelSettings {
            think,
            ..LevelSettings::default()
        },
        ..plan(0, 40)
    };
    let finished = runner.run_level(users, &slo(), &mut |_| Go::On).unwrap();
    let summary = &finished.summary;
    assert!(summary.requests.balance(), "{summary:?}");
    assert!(
        summary.verdict == LevelVerdict::Screened || summary.is_clients_fault(),
        "{:?}",
        summary.reason
    );
    drop(runner.stop());
    let most = server.truth().peak_in_flight;
    assert!(most < 40, "{most}");
}

/// Lengths follow the request's number within the run, whichever worker sends it.
#[test]
fn lengths_follow_the_number_of_the_request() {
    let server = server(Faults::default());
    let mut runner = runner(&server, 2);
    for (index, streams) in [(0, 2), (1, 4)] {
        let finished = runner
            .run_level(plan(index, streams), &slo(), &mut |_| Go::On)
            .unwrap();
        let sent: Vec<_> = finished
            .records
            .iter()
            .filter(|record| record.sent.is_some())
            .collect();
        assert!(!sent.is_empty());
        for record in sent {
            let lengths = workload().lengths(record.id);
            assert_eq!(record.asked_prompt_tokens, lengths.input_tokens);
            assert_eq!(record.asked_output_tokens, lengths.output_tokens);
        }
    }
}

#[test]
fn a_server_that_refuses_is_not_flooded() {
    let server = server(Faults {
        reject_share: 1.0,
        ..Faults::default()
    });
    let mut runner = runner(&server, 1);
    let finished = runner
        .run_level(plan(0, 4), &slo(), &mut |_| Go::On)
        .unwrap();
    assert_eq!(finished.summary.verdict, LevelVerdict::Fail);
    assert_eq!(finished.summary.reason, Some(slo().0[0].into()));
    // A stream waits 50 ms after a refusal: at most 20 a second and stream, and the level's start.
    let most = finished.summary.duration_s * 20.0 * 4.0 + 4.0;
    assert!(
        finished.records.len() as f64 <= most,
        "{} in {} s",
        finished.records.len(),
        finished.summary.duration_s
    );
}

#[test]
fn a_stop_ends_the_level_at_once_and_cuts_what_is_in_flight() {
    let server = server(Faults {
        never_answer_share: 1.0,
        ..Faults::default()
    });
    let mut runner = runner(&server, 1);
    let finished = runner.run_level(plan(0, 3), &slo(), &mut |progress| {
        if progress.level.ledger().in_flight_count() == 3 {
            Go::Stop
        } else {
            Go::On
        }
    });
    assert_eq!(finished.unwrap().summary.requests.carried_out, 3);
    assert_eq!(runner.stop().len(), 3);
}

#[test]
fn streams_pause_to_redraw_their_phases() {
    let server = server(Faults::default());
    let mut runner = runner(&server, 2);
    let plan = LevelPlan {
        settings: LevelSettings {
            redraw_seed: Some(7),
            ..LevelSettings::default()
        },
        hold: Hold::Decide,
        longest_hold: Duration::from_millis(600),
        ..plan(0, 6)
    };
    let level = runner
        .run_level(plan.clone(), &slo(), &mut |_| Go::On)
        .unwrap();
    let from = (level.summary.started_s * 1e9).round() as u64;
    let redraw = plan.redraw(Offset::from_nanos(from)).unwrap();
    let mut records = level.records;
    records.sort_by_key(|record| (record.stream, record.due));
    let mut paused = 0;
    for pair in records
        .windows(2)
        .filter(|pair| pair[0].stream == pair[1].stream)
    {
        let (one, next) = (&pair[0], &pair[1]);
        // The worker draws when it has read the end, which is a little later than its stamp: a
        // border between the two is the next request's.
        let pause = redraw.pause(one.stream, one.sent.unwrap(), one.done);
        assert!(next.due >= one.done + pause, "{pause:?}");
        paused += usize::from(!pause.is_zero());
    }
    assert!(paused >= 6, "{paused}");
    drop(runner.stop());
}
