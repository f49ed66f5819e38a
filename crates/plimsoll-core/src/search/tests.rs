//! The search on levels that are made up: what it asks for, and what it answers.

use std::time::Duration;

use super::*;
use crate::judge::{Decision, ObjectiveResult};
use crate::level::{ClientHealth, LevelVerdict, RequestCounts, Window};
use crate::slo::Objective;
use crate::stats::Summary;
use crate::verdict::{Note, VerdictKind};

/// A level with `over` of `n` requests over a p95 bound on TTFT, decided by its share.
pub(crate) fn level(streams: u32, over: usize, n: usize) -> LevelSummary {
    let objective: Objective = "ttft p95 <= 1s".parse().unwrap();
    let share = over as f64 / n as f64;
    let decision = if share > 0.1 {
        Decision::Fail
    } else if share < 0.02 {
        Decision::Pass
    } else {
        Decision::Undecided
    };
    let value = Some(if share > 0.05 { 1_200.0 } else { 300.0 });
    let result = ObjectiveResult {
        objective,
        decision,
        screen_breaks: decision == Decision::Fail,
        n,
        over: Some(over),
        value,
        autocorrelation: 1.5,
        standard_error: None,
        absent: 0,
        slices: Vec::new(),
    };
    LevelSummary {
        index: 0,
        purpose: Purpose::Refine,
        load: Load::Streams(streams),
        verdict: match decision {
            Decision::Fail => LevelVerdict::Fail,
            Decision::Pass => LevelVerdict::Pass,
            Decision::Undecided => LevelVerdict::Undecided,
        },
        reason: (decision == Decision::Fail).then(|| objective.to_string()),
        started_s: 0.0,
        duration_s: 5.0,
        window: Some(Window {
            from_s: 1.0,
            to_s: 5.0,
            request_times: 8.0,
        }),
        requests: RequestCounts {
            completed_in_window: n as u64,
            ..RequestCounts::default()
        },
        success_ratio: Some(1.0),
        request_per_s: Some(f64::from(streams)),
        output_tokens_per_s: None,
        prompt_tokens_mean: None,
        output_tokens_mean: None,
        output_tokens_cv_ratio: None,
        ttft_ms: Summary::default(),
        tpot_ms: Summary::default(),
        itl_ms: Summary::default(),
        e2e_ms: Summary {
            n,
            mean: Some(500.0),
            ..Summary::default()
        },
        stall_ms: Summary::default(),
        speed_tok_per_s: Summary::default(),
        objectives: vec![result],
        alarms: Vec::new(),
        client: ClientHealth::default(),
        server: None,
    }
}

fn config() -> SearchConfig {
    SearchConfig {
        slo: "ttft p95 <= 1s".parse().unwrap(),
        rules: Rules {
            least_growth: 0.2,
            growth_stops: false,
            resources_stop: false,
        },
        ladder: Ladder::Doubling,
        start: 1,
        most_streams: 1_000,
        level_time: None,
        think: None,
        budget: Duration::from_secs(900),
        confirm: true,
        headroom: 0.75,
        first_request_time: Duration::from_secs(1),
    }
}

/// Runs a search on a server described by a function of the load; returns the verdict and the
/// loads it tried.
fn run(config: SearchConfig, server: impl Fn(u32) -> LevelSummary) -> (Verdict, Vec<u32>) {
    let mut search = Search::new(config);
    let mut tried = Vec::new();
    for step in 0..200 {
        match search.next(Duration::from_secs(step)) {
            Next::Run(plan) => {
                let streams = plan.streams();
                tried.push(streams);
                let mut summary = server(streams);
                summary.purpose = plan.purpose;
                if plan.hold != Hold::Decide && summary.verdict == LevelVerdict::Pass {
                    summary.verdict = LevelVerdict::Screened;
                }
                search.take(summary);
            }
            Next::Done(verdict) => return (*verdict, tried),
        }
    }
    panic!("the search does not end: {tried:?}");
}

fn edge_at(capacity: u32) -> impl Fn(u32) -> LevelSummary {
    move |streams| level(streams, if streams > capacity { 300 } else { 0 }, 300)
}

#[test]
fn every_edge_is_found_to_five_per_cent_or_one_stream() {
    for capacity in (1..60).chain([97, 150, 333, 700, 999]) {
        let (verdict, tried) = run(config(), edge_at(capacity));
        let found = verdict.capacity.unwrap();
        let error = f64::from(capacity - found.streams);
        assert!(
            error < 1.0 || error <= 0.05 * f64::from(capacity),
            "{capacity}: {found:?}"
        );
        assert!(
            found.lower <= capacity && found.upper.unwrap() >= capacity,
            "{capacity}: {found:?}"
        );
        assert_eq!(verdict.kind, VerdictKind::Capacity);
        assert!(tried.len() < 25, "{capacity}: {tried:?}");
    }
}

#[test]
fn both_ends_of_the_bracket_are_held_before_the_answer() {
    let (_, tried) = run(config(), edge_at(2));
    assert_eq!(tried, vec![1, 2, 4, 3, 3, 2]);
}

#[test]
fn a_server_that_breaks_at_one_stream_is_below_the_first_level() {
    let (verdict, _) = run(config(), edge_at(0));
    assert_eq!(
        (verdict.kind, verdict.capacity),
        (VerdictKind::BelowFirst, None)
    );
}

#[test]
fn a_server_that_never_breaks_is_above_the_last_level() {
    let (verdict, tried) = run(config(), edge_at(u32::MAX));
    assert_eq!(verdict.kind, VerdictKind::AboveLast);
    assert_eq!(verdict.capacity.unwrap().upper, None);
    assert_eq!(tried.last(), Some(&1_000));
}

#[test]
fn the_guides_ladder_is_climbed_rung_by_rung() {
    let config = SearchConfig {
        ladder: "guide".parse().unwrap(),
        ..config()
    };
    let (_, tried) = run(config, edge_at(300));
    assert_eq!(tried[..9], [1, 2, 5, 10, 20, 50, 100, 200, 500]);
}

#[test]
fn a_void_level_is_tried_again_and_then_the_client_is_the_limit() {
    let server = |streams: u32| {
        let mut summary = level(streams, 0, 300);
        if streams >= 64 {
            summary.verdict = LevelVerdict::Void;
        }
        summary
    };
    let (verdict, tried) = run(config(), server);
    assert_eq!(verdict.kind, VerdictKind::ClientLimited);
    assert_eq!(tried.iter().filter(|load| **load == 64).count(), 2);
    assert_eq!(verdict.capacity.unwrap().streams, 32);
    assert_eq!(verdict.capacity.unwrap().upper, None);
}

fn saturating(cap: u32) -> impl Fn(u32) -> LevelSummary {
    move |streams| LevelSummary {
        request_per_s: Some(f64::from(streams.min(cap)) * 2.0),
        requests: RequestCounts {
            completed_in_window: 4_000,
            ..RequestCounts::default()
        },
        ..level(streams, 0, 300)
    }
}

#[test]
fn without_an_slo_growth_stops_and_with_one_it_is_a_note() {
    let rules = Rules {
        growth_stops: true,
        ..config().rules
    };
    let (verdict, tried) = run(SearchConfig { rules, ..config() }, saturating(32));
    assert_eq!(verdict.kind, VerdictKind::DiminishingReturns);
    assert_eq!(
        verdict.capacity.map(|found| (found.streams, found.upper)),
        Some((32, Some(64)))
    );
    assert_eq!(tried.last(), Some(&128));
    let (verdict, tried) = run(config(), saturating(32));
    assert_eq!(verdict.kind, VerdictKind::AboveLast);
    assert!(
        verdict
            .notes
            .contains(&Note::DiminishingReturns { from_streams: 32 })
    );
    assert_eq!(tried.last(), Some(&1_000));
}

#[test]
fn a_pass_above_a_fail_is_said() {
    let server = |streams: u32| level(streams, if streams == 3 { 300 } else { 0 }, 300);
    let config = SearchConfig {
        ladder: "1,2,3,4".parse().unwrap(),
        ..config()
    };
    let mut search = Search::new(config);
    for (streams, purpose) in [
        (1, Purpose::Baseline),
        (2, Purpose::Ramp),
        (4, Purpose::Refine),
        (3, Purpose::Refine),
    ] {
        search.take(LevelSummary {
            purpose,
            ..server(streams)
        });
    }
    let verdict = search.interrupted(Duration::from_secs(1));
    assert!(verdict.notes.contains(&Note::NotMonotone {
        failed_streams: 3,
        passed_streams: 4
    }));
    assert_eq!(verdict.capacity.unwrap().streams, 2);
}

#[test]
fn the_budget_ends_the_search_and_is_said() {
    let config = SearchConfig {
        think: None,
        budget: Duration::from_secs(3),
        ..config()
    };
    let (verdict, tried) = run(config, edge_at(500));
    assert_eq!(tried.len(), 3);
    assert!(verdict.notes.contains(&Note::BudgetSpent));
    assert_eq!(verdict.kind, VerdictKind::Inconclusive);
}

#[test]
fn a_server_that_falls_ends_the_search_and_is_no_capacity() {
    let server = |streams: u32| {
        let mut summary = level(streams, if streams >= 8 { 300 } else { 0 }, 300);
        if streams >= 8 {
            summary.requests.completed_in_window = 0;
            summary.requests.outcomes = [("connect".to_owned(), 300)].into();
        }
        summary
    };
    let (verdict, tried) = run(config(), server);
    assert_eq!(
        (verdict.kind, verdict.broken_at_streams),
        (VerdictKind::ServerGone, Some(8))
    );
    assert_eq!((verdict.gateway_cap, verdict.planned_mean), (None, None));
    assert_eq!(tried, vec![1, 2, 4, 8]);
}
