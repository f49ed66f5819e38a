//! The search on levels that are made up: what it asks for, and what it answers.

use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::judge::{Decision, ObjectiveResult};
use crate::level::{
    Answers, ClientHealth, Hold, LevelVerdict, Load, Reason, RequestCounts, Shortfall, Silence,
    Window,
};
use crate::slo::Objective;
use crate::stats::Summary;
use crate::verdict::{BrokenBy, Note, VerdictKind};

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
        doubt: None,
    };
    LevelSummary {
        index: 0,
        silence: None,
        purpose: Purpose::Refine,
        tier: None,
        load: Load::Streams(streams),
        verdict: match decision {
            Decision::Fail => LevelVerdict::Fail,
            Decision::Pass => LevelVerdict::Pass,
            Decision::Undecided => LevelVerdict::Undecided,
        },
        reason: (decision == Decision::Fail).then(|| objective.into()),
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
        answers: Answers::default(),
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
        stability: None,
        objectives: vec![result],
        draws: Vec::new(),
        alarms: Vec::new(),
        client: ClientHealth::default(),
        server: None,
    }
}

fn config() -> SearchConfig {
    SearchConfig {
        start: 1,
        most_streams: 1_000,
        confirm: false,
        ..SearchConfig::new("ttft p95 <= 1s".parse().unwrap())
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
                if matches!(plan.hold, Hold::Screen | Hold::Short)
                    && summary.verdict == LevelVerdict::Pass
                {
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
        let error = (f64::from(capacity) - found.at.amount()).abs();
        assert!(
            error <= 1.0 || error <= 0.05 * f64::from(capacity),
            "{capacity}: {found:?}"
        );
        assert!(
            found.lower.amount() <= f64::from(capacity) * 1.01
                && found.upper.unwrap().amount() >= f64::from(capacity) * 0.99,
            "{capacity}: {found:?}"
        );
        assert_eq!(verdict.kind, VerdictKind::Capacity);
        assert!(tried.len() < 40, "{capacity}: {tried:?}");
    }
}

/// One bad stretch at the highest load allowed, and little against it later: the capacity may well
/// lie above, where nothing was to be looked at.
#[test]
fn an_interval_says_nothing_of_loads_that_were_not_allowed() {
    let most_streams = 16;
    let was_bad = Cell::new(false);
    let (verdict, tried) = run(
        SearchConfig {
            most_streams,
            budget: Duration::from_secs(20),
            ..config()
        },
        |streams| {
            let is_highest = streams == most_streams;
            let is_bad = is_highest && !was_bad.replace(true);
            let over = match (is_bad, is_highest) {
                (true, _) => 20,
                (false, true) => 3,
                _ => 0,
            };
            level(streams, over, 40)
        },
    );
    assert_eq!(tried.iter().max(), Some(&most_streams));
    assert_eq!(verdict.kind, VerdictKind::Capacity);
    assert_eq!(verdict.capacity.unwrap().upper, None, "{verdict:?}");
}

#[test]
fn loads_on_both_sides_of_the_edge_are_visited_before_the_answer() {
    let (verdict, tried) = run(config(), edge_at(2));
    assert_eq!(tried[..4], [1, 2, 4, 3], "ramp and bisection");
    let visits = &tried[4..];
    assert!(visits.len() >= 4, "{tried:?}");
    assert!(visits.contains(&2) && visits.contains(&3), "{tried:?}");
    assert_eq!(verdict.capacity.unwrap().at, Load::Streams(2));
}

#[test]
fn the_gateway_cap_is_held_at_the_end_and_reported() {
    let config = SearchConfig {
        confirm: true,
        ..config()
    };
    let mut search = Search::new(config);
    let mut purposes = Vec::new();
    let verdict = loop {
        match search.next(Duration::ZERO) {
            Next::Run(plan) => {
                purposes.push(plan.purpose);
                let mut summary = edge_at(40)(plan.streams());
                summary.purpose = plan.purpose;
                search.take(summary);
            }
            Next::Done(verdict) => break verdict,
        }
    };
    let held = verdict.confirmed.unwrap();
    assert_eq!(
        purposes
            .iter()
            .filter(|one| **one == Purpose::Confirm)
            .count(),
        1
    );
    assert_eq!(held.load, verdict.recommended.unwrap().cap);
    assert_eq!((held.requests, held.verdict), (300, LevelVerdict::Pass));
}

#[test]
fn a_mean_far_within_its_bound_does_not_move_the_edge() {
    // Success breaks above 5; the mean TTFT stays at a thousandth of its bound.
    let server = |streams: u32| {
        let mut summary = level(streams, if streams > 5 { 100 } else { 0 }, 300);
        summary.objectives[0].objective = "success >= 95%".parse().unwrap();
        let mut mean = summary.objectives[0].clone();
        mean.objective = "ttft mean <= 10s".parse().unwrap();
        mean.over = None;
        mean.decision = Decision::Pass;
        mean.screen_breaks = false;
        mean.value = Some(3.0 + f64::from(streams));
        mean.standard_error = Some(0.1);
        summary.objectives.push(mean);
        summary
    };
    let slo = "success >= 95%, ttft mean <= 10s".parse().unwrap();
    let (verdict, _) = run(SearchConfig { slo, ..config() }, server);
    let found = verdict.capacity.unwrap();
    assert!(
        [4, 5].map(Load::Streams).contains(&found.at) && found.upper == Some(Load::Streams(5)),
        "{found:?}"
    );
}

#[test]
fn no_cap_is_advised_that_broke_when_it_was_held() {
    let config = SearchConfig {
        confirm: true,
        ..config()
    };
    let mut search = Search::new(config);
    let mut held_at = 0;
    let verdict = loop {
        match search.next(Duration::ZERO) {
            Next::Run(plan) => {
                let is_confirm = plan.purpose == Purpose::Confirm;
                let mut summary = if is_confirm {
                    held_at = plan.streams();
                    level(plan.streams(), 300, 300)
                } else {
                    edge_at(40)(plan.streams())
                };
                summary.purpose = plan.purpose;
                search.take(summary);
            }
            Next::Done(verdict) => break verdict,
        }
    };
    assert!(held_at > 0);
    assert!(verdict.capacity.unwrap().lower < Load::Streams(held_at));
    let advised = verdict.recommended;
    assert!(advised.is_none_or(|advice| advice.cap < Load::Streams(held_at)));
}

/// Nothing breaks up to the highest load allowed, which is then held as a cap would be; or it breaks
/// then, and from then on.
#[test]
fn the_highest_load_allowed_is_held_before_it_is_advised() {
    for breaks_when_held in [false, true] {
        let mut search = Search::new(SearchConfig {
            confirm: true,
            most_streams: 16,
            ..config()
        });
        let mut held = Vec::new();
        let verdict = loop {
            match search.next(Duration::ZERO) {
                Next::Run(plan) => {
                    let is_held = plan.purpose == Purpose::Confirm;
                    held.extend(is_held.then(|| plan.streams()));
                    let is_over = breaks_when_held && !held.is_empty() && plan.streams() == 16;
                    search.take(LevelSummary {
                        purpose: plan.purpose,
                        ..level(plan.streams(), if is_over { 150 } else { 0 }, 300)
                    });
                }
                Next::Done(verdict) => break verdict,
            }
        };
        assert_eq!(held.first(), Some(&16));
        let found = verdict.capacity.unwrap().at;
        if breaks_when_held {
            assert!(found < Load::Streams(16), "{found:?}");
        } else {
            assert_eq!(
                (verdict.kind, found),
                (VerdictKind::AboveLast, Load::Streams(16))
            );
            assert_eq!(verdict.confirmed.unwrap().load, Load::Streams(16));
        }
    }
}

#[test]
fn a_far_baseline_skips_the_loads_that_would_only_cost_time() {
    let (_, tried) = run(
        SearchConfig {
            start: 2,
            ..config()
        },
        edge_at(50),
    );
    assert_eq!(tried[..3], [1, 8, 16]);
}

#[test]
fn a_full_batch_that_the_slo_does_not_mind_is_said() {
    // Throughput ends at 32 streams: those beyond wait, or all are served and each is slower.
    let server = |beyond_wait: bool| {
        move |streams: u32| {
            let mut summary = saturating(32)(streams);
            summary.objectives[0].objective = "tpot p95 <= 50ms".parse().unwrap();
            let e2e_ms = 500.0 * f64::from(streams.max(32)) / 32.0;
            summary.e2e_ms.mean = Some(e2e_ms);
            summary.ttft_ms.mean = Some(if beyond_wait { e2e_ms - 490.0 } else { 10.0 });
            summary
        }
    };
    let search = |server| {
        let slo = "tpot p95 <= 50ms".parse().unwrap();
        run(SearchConfig { slo, ..config() }, server)
    };
    let (verdict, tried) = search(server(true));
    assert_eq!(verdict.kind, VerdictKind::FullBatch);
    assert_eq!(
        verdict.capacity.map(|found| found.at),
        Some(Load::Streams(32))
    );
    assert_eq!(tried.last(), Some(&128));
    let (verdict, _) = search(server(false));
    assert_eq!(verdict.kind, VerdictKind::AboveLast);
}

#[test]
fn an_inversion_that_stays_is_a_verdict_of_its_own() {
    // Breaks at 20 to 24 and above 48, holds everywhere else.
    let server = |streams: u32| {
        let breaks = (20..=24).contains(&streams) || streams > 48;
        level(streams, if breaks { 300 } else { 0 }, 300)
    };
    let steps = SearchConfig {
        ladder: "1,10,30,60".parse().unwrap(),
        ..config()
    };
    let mut search = Search::new(steps);
    for (streams, purpose) in [
        (1, Purpose::Baseline),
        (10, Purpose::Ramp),
        (30, Purpose::Ramp),
        (60, Purpose::Ramp),
        (22, Purpose::Refine),
        (40, Purpose::Refine),
    ] {
        search.take(LevelSummary {
            purpose,
            ..server(streams)
        });
    }
    let mut again = Vec::new();
    let verdict = loop {
        match search.next(Duration::ZERO) {
            Next::Run(plan) => {
                again.push(plan.streams());
                let purpose = plan.purpose;
                search.take(LevelSummary {
                    purpose,
                    ..server(plan.streams())
                });
            }
            Next::Done(verdict) => break verdict,
        }
    };
    assert_eq!(again, [22, 40], "both are seen once more");
    assert_eq!(verdict.kind, VerdictKind::NotMonotone);
    assert_eq!(
        verdict.capacity.map(|found| found.at),
        Some(Load::Streams(10))
    );
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
    assert_eq!(verdict.broken_at, Some(Load::Streams(64)));
    // 32 were screened and never held: not even "at least 32" is known.
    assert_eq!((verdict.capacity, verdict.recommended), (None, None));
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
        verdict.capacity.map(|found| (found.at, found.upper)),
        Some((Load::Streams(32), Some(Load::Streams(64))))
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
        failed: Load::Streams(3),
        passed: Load::Streams(4)
    }));
    assert_eq!(verdict.capacity.unwrap().at, Load::Streams(2));
}

#[test]
fn the_budget_ends_the_search_and_is_said() {
    let config = SearchConfig {
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
        (verdict.kind, verdict.broken_at),
        (VerdictKind::ServerGone, Some(Load::Streams(8)))
    );
    assert_eq!(verdict.recommended, None);
    assert_eq!(tried, vec![1, 2, 4, 8]);
}

fn by_lateness(streams: u32, cpu_ratio: f64) -> LevelSummary {
    let lag = Shortfall::LoopLag {
        mean_ms: 9.0,
        bound_ms: 5.0,
    };
    let mut summary = level(streams, 0, 300);
    (summary.verdict, summary.reason) = (LevelVerdict::Void, Some(lag.into()));
    summary.client.worker_cpu_ratio = Some(cpu_ratio);
    summary
}

/// What is asked for after levels of 1, 2 and 4 streams that hold, and then these.
fn after(levels: Vec<LevelSummary>) -> Next {
    let mut search = Search::new(config());
    search.take(LevelSummary {
        purpose: Purpose::Baseline,
        ..level(1, 0, 300)
    });
    let held = [2, 4].map(|streams| level(streams, 0, 300));
    for summary in held.into_iter().chain(levels) {
        search.take(LevelSummary {
            purpose: Purpose::Ramp,
            ..summary
        });
    }
    search.next(Duration::from_secs(10))
}

fn streams(next: &Next) -> Option<u32> {
    match next {
        Next::Run(plan) => plan.load.streams(),
        Next::Done(_) => None,
    }
}

#[test]
fn a_client_that_was_late_tries_again_and_then_at_a_lower_load() {
    let late = |loads: &[u32]| {
        let levels = loads.iter().map(|load| by_lateness(*load, 0.02));
        streams(&after(levels.collect()))
    };
    assert_eq!(late(&[8]), Some(8));
    assert_eq!(late(&[8, 8]), Some(6), "the middle of 4 and 8");
    assert_eq!(late(&[8, 8, 6]), Some(6));
    assert_eq!(late(&[8, 8, 6, 6]), Some(5));
    assert_eq!(
        late(&[8, 8, 6, 6, 5, 5, 5]),
        Some(5),
        "not below what holds"
    );
}

#[test]
fn a_client_at_its_own_limit_ends_the_search() {
    let busy = vec![by_lateness(8, 0.95), by_lateness(8, 0.96)];
    assert_eq!(streams(&after(busy[..1].to_vec())), Some(8));
    let Next::Done(verdict) = after(busy) else {
        panic!("its worker has no time left");
    };
    assert_eq!(verdict.kind, VerdictKind::ClientLimited);
}

#[test]
fn a_silent_server_is_asked_once_more_and_is_then_gone() {
    let silent = |streams, since_s, refuses| LevelSummary {
        silence: Some(Silence { since_s, refuses }),
        ..level(streams, 0, 300)
    };
    assert_eq!(streams(&after(vec![silent(8, 20.5, false)])), Some(9));
    let mut at_most = Search::new(SearchConfig {
        most_streams: 8,
        ..config()
    });
    at_most.take(level(1, 0, 300));
    at_most.take(silent(8, 20.5, false));
    assert_eq!(streams(&at_most.next(Duration::from_secs(30))), Some(8));
    for levels in [
        vec![silent(8, 20.5, false), silent(9, 31.0, false)],
        vec![silent(8, 20.5, true)],
    ] {
        let Next::Done(verdict) = after(levels) else {
            panic!("it is gone");
        };
        assert_eq!(verdict.kind, VerdictKind::ServerGone);
        let Some(BrokenBy::ServerGone {
            silence: Some(gone),
        }) = verdict.broken_by
        else {
            panic!("{:?}", verdict.broken_by);
        };
        assert!((gone.since_s - 20.5).abs() < 1e-9);
    }
}

/// Its time is over when a level ends in silence: it is listened to once more all the same.
#[test]
fn a_search_does_not_end_on_a_silent_server() {
    let silent = |streams| LevelSummary {
        silence: Some(Silence {
            since_s: 20.5,
            refuses: false,
        }),
        ..level(streams, 0, 300)
    };
    let quiet = LevelSummary {
        verdict: LevelVerdict::Undecided,
        reason: Some(Reason::Quiet { since_s: 20.5 }),
        ..level(65, 0, 0)
    };
    let late = config().budget + Duration::from_secs(1);
    let then = |last: LevelSummary| {
        let mut search = Search::new(config());
        for one in [level(1, 0, 300), level(32, 0, 300), silent(64)] {
            search.take(one);
        }
        assert_eq!(streams(&search.next(late)), Some(65), "beyond the budget");
        search.take(last);
        let Next::Done(verdict) = search.next(late) else {
            panic!("nothing is left to know");
        };
        verdict.kind
    };
    assert_eq!(then(silent(65)), VerdictKind::ServerGone);
    assert_eq!(then(quiet), VerdictKind::Inconclusive);
    assert_ne!(then(level(65, 300, 300)), VerdictKind::ServerGone);
}
