//! HTTP/2 by prior knowledge, against the built-in server.

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::HttpVersion;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::fetch;
use plimsoll_load::target::{HttpChoice, Target};
use plimsoll_sim::{Faults, SimConfig, SimServer};

use super::{PATIENCE, engine, server, source, target};

fn plan(count: usize) -> BatchPlan {
    BatchPlan {
        dues: vec![Duration::ZERO; count],
        max_concurrency: None,
        timeout: PATIENCE,
        keep_text: true,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    }
}

fn by_http2(server: &SimServer) -> Target {
    let mut target = target(server);
    target.http = HttpChoice::Http2;
    target
}

fn run(server: &SimServer, protocol: Protocol, plan: &BatchPlan) -> Batch {
    let target = by_http2(server);
    let source = source(protocol);
    run_batch(&target, &source, plan, Clock::start(), &mut |_| Go::On).unwrap()
}

fn outcomes(batch: &Batch) -> Vec<Outcome> {
    batch.records.iter().map(|one| one.record.outcome).collect()
}

#[test]
fn each_fault_of_a_server_has_the_outcome_that_it_has_over_http1() {
    let table = [
        (r#"{"error_share":1}"#, Outcome::HttpStatus { status: 500 }),
        (r#"{"reject_share":1}"#, Outcome::HttpStatus { status: 429 }),
        (r#"{"cut_share":1}"#, Outcome::Reset),
        (r#"{"error_event_share":1}"#, Outcome::ErrorEvent),
        (r#"{"early_end_share":1}"#, Outcome::EndedEarly),
        (r#"{"empty_share":1}"#, Outcome::Empty),
    ];
    for (faults, outcome) in table {
        let server = server(serde_json::from_str(faults).unwrap());
        let batch = run(&server, Protocol::Completions, &plan(6));
        assert_eq!(outcomes(&batch), vec![outcome; 6], "{faults}");
        assert_eq!(batch.client.connections_opened, 1, "{faults}");
        assert_eq!(batch.client.idle_retries, 0, "{faults}");
    }
}

#[test]
fn answers_are_complete_whatever_the_events_look_like() {
    for faults in [
        "{}",
        r#"{"comments":true,"crlf":true}"#,
        r#"{"split":true,"multibyte":true}"#,
        r#"{"tokens_per_event":2}"#,
    ] {
        let server = server(serde_json::from_str(faults).unwrap());
        for protocol in [Protocol::Completions, Protocol::Chat] {
            for one in run(&server, protocol, &plan(4)).records {
                let record = one.record;
                assert_eq!(record.outcome, Outcome::Completed, "{faults}: {record:?}");
                let asked = Some(record.asked_output_tokens);
                assert_eq!(record.usage_output_tokens, asked, "{faults}");
                assert!(record.sent.unwrap() <= record.first().unwrap());
                assert!(record.last().unwrap() <= record.done);
                assert!(!one.text.unwrap().is_empty());
            }
        }
    }
}

#[test]
fn an_answer_that_never_comes_is_timed_out() {
    let server = server(Faults {
        never_answer_share: 1.0,
        ..Faults::default()
    });
    let plan = BatchPlan {
        timeout: Duration::from_millis(200),
        ..plan(2)
    };
    let batch = run(&server, Protocol::Completions, &plan);
    assert_eq!(outcomes(&batch), [Outcome::TimedOut; 2]);
}

#[test]
fn the_built_in_server_limits_the_streams_of_a_connection() {
    let server = SimServer::start(SimConfig {
        max_concurrent_streams: Some(10),
        faults: Faults {
            stall_share: 1.0,
            stall_ms: 1_000,
            ..Faults::default()
        },
        ..SimConfig::local(engine())
    })
    .unwrap();
    let batch = run(&server, Protocol::Completions, &plan(25));
    assert_eq!(outcomes(&batch), [Outcome::Completed; 25]);
    assert_eq!(batch.client.connections_opened, 3);
    let dialed = |one: &&plimsoll_load::batch::BatchRecord| one.record.connected.is_some();
    assert_eq!(batch.records.iter().filter(dialed).count(), 3);
}

#[test]
fn one_connection_carries_one_request_after_another() {
    let server = server(Faults::default());
    let capped = BatchPlan {
        max_concurrency: Some(2),
        ..plan(20)
    };
    let batch = run(&server, Protocol::Completions, &capped);
    assert_eq!(outcomes(&batch), [Outcome::Completed; 20]);
    assert_eq!(batch.client.connections_opened, 1);
    let one_each = BatchPlan {
        keep_alive: false,
        ..plan(5)
    };
    let batch = run(&server, Protocol::Completions, &one_each);
    assert_eq!(outcomes(&batch), [Outcome::Completed; 5]);
    assert_eq!(batch.client.connections_opened, 5);
}

#[test]
fn a_plain_request_says_which_version_it_came_in() {
    let server = server(Faults::default());
    for (choice, http) in [
        (HttpChoice::Http1, HttpVersion::Http1),
        (HttpChoice::Http2, HttpVersion::Http2),
        (HttpChoice::Auto, HttpVersion::Http1),
    ] {
        let mut target = target(&server);
        target.http = choice;
        let answer = fetch::get(&target, "/v1/models", PATIENCE).unwrap();
        assert_eq!((answer.status, answer.http), (200, http), "{choice:?}");
        assert!(answer.text().contains("\"sim\""));
    }
}

#[test]
fn the_tools_figures_are_those_of_a_perfect_client() {
    let server = server(Faults::default());
    let capped = BatchPlan {
        max_concurrency: Some(4),
        ..plan(80)
    };
    let batch = run(&server, Protocol::Completions, &capped);
    let truth = server.truth();
    assert_eq!(truth.n_completed as usize, batch.records.len());
    let ttfts = batch.records.iter().filter_map(|one| one.record.ttft_ms());
    let mut ttfts: Vec<f64> = ttfts.collect();
    ttfts.sort_by(f64::total_cmp);
    let ours = plimsoll_core::stats::quantile(&ttfts, 0.5).unwrap();
    let theirs = truth.ttft_ms.unwrap().p50;
    // The client sees the network and both queues on top of the truth, never less than it.
    assert!(ours >= theirs - 0.05, "{ours} against {theirs}");
}
