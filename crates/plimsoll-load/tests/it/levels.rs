//! Levels over sockets: hand-over, conservation, what the client achieves.

use std::time::Duration;

use plimsoll_core::level::{Hold, LevelPlan, LevelVerdict, Load, OpenLoop, Purpose};
use plimsoll_core::run::Endpoint;
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::slo::Slo;
use plimsoll_load::clock::Clock;
use plimsoll_load::runner::{RunnerOptions, SocketRunner};
use plimsoll_load::scrape::Scraper;
use plimsoll_sim::{Faults, SimServer};

use super::{PATIENCE, server, source, target};

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
    }
}

pub(crate) fn slo() -> Slo {
    "ttft p95 <= 5s, success >= 90%".parse().unwrap()
}

pub(crate) fn runner(server: &SimServer, workers: u32) -> SocketRunner {
    let clock = Clock::start();
    let target = target(server);
    let scraper = Scraper::start(&target, clock).unwrap();
    let options = RunnerOptions {
        workers,
        timeout: PATIENCE,
        keep_alive: true,
        first_request: 0,
    };
    SocketRunner::start(
        &target,
        &source(Endpoint::Completions),
        Some(scraper),
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
    assert_eq!(finished.summary.reason.as_deref(), Some("ttft p95 ≤ 5 s"));
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
        if progress.level.book().in_flight_count() == 3 {
            Go::Stop
        } else {
            Go::On
        }
    });
    assert_eq!(finished.unwrap().summary.requests.carried_out, 3);
    assert_eq!(runner.stop().len(), 3);
}
