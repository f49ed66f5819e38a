//! Batches: outcomes, caps, schedules.

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::runner::Go;
use plimsoll_core::schedule::{Arrivals, arrivals};
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_sim::{Faults, SimServer};

use super::{PATIENCE, server, source, target};

fn plan(count: usize) -> BatchPlan {
    BatchPlan {
        dues: vec![Duration::ZERO; count],
        max_concurrency: Some(4),
        timeout: PATIENCE,
        keep_text: true,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    }
}

fn run(server: &SimServer, protocol: Protocol, plan: &BatchPlan) -> Batch {
    run_batch(
        &target(server),
        &source(protocol),
        plan,
        Clock::start(),
        &mut |_| Go::On,
    )
    .unwrap()
}

fn outcomes(faults: Faults) -> Vec<Outcome> {
    let server = server(faults);
    let batch = run(&server, Protocol::Completions, &plan(6));
    batch.records.iter().map(|one| one.record.outcome).collect()
}

#[test]
fn each_fault_of_a_server_has_its_own_outcome() {
    let none = Faults::default();
    let table = [
        (
            Faults {
                error_share: 1.0,
                ..none.clone()
            },
            Outcome::HttpStatus { status: 500 },
        ),
        (
            Faults {
                reject_share: 1.0,
                ..none.clone()
            },
            Outcome::HttpStatus { status: 429 },
        ),
        (
            Faults {
                cut_share: 1.0,
                ..none.clone()
            },
            Outcome::Reset,
        ),
        (
            Faults {
                error_event_share: 1.0,
                ..none.clone()
            },
            Outcome::ErrorEvent,
        ),
        (
            Faults {
                early_end_share: 1.0,
                ..none.clone()
            },
            Outcome::EndedEarly,
        ),
        (
            Faults {
                empty_share: 1.0,
                ..none
            },
            Outcome::Empty,
        ),
    ];
    for (faults, outcome) in table {
        assert_eq!(outcomes(faults.clone()), vec![outcome; 6], "{faults:?}");
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
    assert!(
        batch
            .records
            .iter()
            .all(|one| one.record.outcome == Outcome::TimedOut)
    );
}

#[test]
fn the_wire_may_look_as_it_likes() {
    let none = Faults::default();
    let table = [
        Faults {
            comments: true,
            ..none.clone()
        },
        Faults {
            crlf: true,
            ..none.clone()
        },
        Faults {
            no_space: true,
            ..none.clone()
        },
        Faults {
            split: true,
            multibyte: true,
            ..none.clone()
        },
        Faults {
            split: true,
            crlf: true,
            comments: true,
            ..none.clone()
        },
        Faults {
            usage_in_last_choice: true,
            ..none.clone()
        },
        Faults {
            tokens_per_event: 2,
            ..none
        },
    ];
    for faults in table {
        let server = server(faults.clone());
        for protocol in [Protocol::Completions, Protocol::Chat] {
            for one in run(&server, protocol, &plan(4)).records {
                let record = one.record;
                assert_eq!(
                    record.outcome,
                    Outcome::Completed,
                    "{faults:?} {protocol:?}: {:?}",
                    record.detail
                );
                assert_eq!(
                    record.usage_output_tokens,
                    Some(record.asked_output_tokens),
                    "{faults:?}"
                );
                assert!(record.prompt_tokens.is_some(), "{faults:?}");
            }
        }
    }
}

#[test]
fn a_role_only_delta_is_not_the_first_token() {
    let server = server(Faults {
        role_delay_ms: Some(120),
        ..Faults::default()
    });
    for one in run(&server, Protocol::Chat, &plan(3)).records {
        assert!(
            one.record.ttft_ms().unwrap() >= 119.0,
            "{:?}",
            one.record.ttft_ms()
        );
    }
}

#[test]
fn a_stall_is_seen_as_the_largest_gap() {
    let server = server(Faults {
        stall_share: 1.0,
        stall_ms: 150,
        ..Faults::default()
    });
    for one in run(&server, Protocol::Completions, &plan(3)).records {
        assert!(
            one.record.stall_ms().unwrap() >= 140.0,
            "{:?}",
            one.record.stall_ms()
        );
    }
}

#[test]
fn two_tokens_an_event_are_one_gap_and_two_tokens() {
    let server = server(Faults {
        tokens_per_event: 2,
        ..Faults::default()
    });
    for one in run(&server, Protocol::Completions, &plan(3)).records {
        let (tokens, events) = (
            one.record.asked_output_tokens,
            one.record.output_stamps().count() as u32,
        );
        assert_eq!(events, tokens.div_ceil(2));
        assert_eq!(one.record.output_tokens().unwrap().0, tokens);
    }
}

#[test]
fn a_cap_is_kept_exactly_and_waiting_for_it_is_counted() {
    let server = server(Faults {
        stall_share: 1.0,
        stall_ms: 40,
        ..Faults::default()
    });
    let dues = arrivals(&Arrivals {
        count: 20,
        rate_per_s: 1_000.0,
        burstiness: 1.0,
        seed: 3,
    })
    .unwrap();
    let plan = BatchPlan {
        dues,
        max_concurrency: Some(1),
        ..plan(0)
    };
    let batch = run(&server, Protocol::Completions, &plan);
    assert_eq!((batch.records.len(), batch.peak_in_flight), (20, 1));
    let last = &batch.records[19].record;
    // Nineteen answers of 40 ms or more stood before the last request, which was due at 20 ms.
    assert!(last.send_lag_ms().unwrap() >= 19.0 * 40.0 - 20.0);
    assert!(last.ttft_from_due_ms().unwrap() > last.ttft_ms().unwrap());
    assert_eq!(server.truth().peak_in_flight, 1);
}

#[test]
fn no_request_is_sent_before_it_is_due() {
    let server = server(Faults::default());
    let dues = arrivals(&Arrivals {
        count: 40,
        rate_per_s: 200.0,
        burstiness: 1.0,
        seed: 9,
    })
    .unwrap();
    let plan = BatchPlan {
        dues: dues.clone(),
        max_concurrency: None,
        ..plan(0)
    };
    let batch = run(&server, Protocol::Completions, &plan);
    for (one, due) in batch.records.iter().zip(dues) {
        assert_eq!(one.record.due, batch.started_at + due);
        assert!(one.record.sent.unwrap() >= one.record.due);
    }
}

#[test]
fn an_interrupt_accounts_for_everything_that_was_due() {
    let server = server(Faults {
        never_answer_share: 1.0,
        ..Faults::default()
    });
    let source = source(Protocol::Completions);
    let plan = BatchPlan {
        max_concurrency: Some(2),
        ..plan(10)
    };
    let batch = run_batch(
        &target(&server),
        &source,
        &plan,
        Clock::start(),
        &mut |_| Go::Stop,
    )
    .unwrap();
    assert!(batch.interrupted);
    let count = |outcome| {
        batch
            .records
            .iter()
            .filter(|one| one.record.outcome == outcome)
            .count()
    };
    assert_eq!(count(Outcome::CutAtEnd) + count(Outcome::NeverSent), 10);
}

#[test]
fn the_tools_figures_are_those_of_a_perfect_client() {
    let server = server(Faults::default());
    let batch = run(&server, Protocol::Completions, &plan(80));
    let truth = server.truth();
    assert_eq!(truth.n_completed as usize, batch.records.len());
    let tokens: u64 = batch
        .records
        .iter()
        .map(|one| u64::from(one.record.asked_output_tokens))
        .sum();
    assert_eq!(truth.output_tokens, tokens);
    let mut ttfts: Vec<f64> = batch
        .records
        .iter()
        .filter_map(|one| one.record.ttft_ms())
        .collect();
    ttfts.sort_by(f64::total_cmp);
    let ours = plimsoll_core::stats::quantile(&ttfts, 0.5).unwrap();
    let theirs = truth.ttft_ms.unwrap().p50;
    // The client sees the network and both queues on top of the truth, never less than it.
    assert!(ours >= theirs - 0.05, "{ours} against {theirs}");
}
