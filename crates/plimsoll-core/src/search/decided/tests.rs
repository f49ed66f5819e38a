//! No answer lies at or above a load that was decided against: on the tables that showed it wrong,
//! and on any sequence of levels.

use std::time::Duration;

use proptest::prelude::*;

use super::super::tests::level;
use super::super::{Axis, Next, Search, SearchConfig};
use crate::judge::Decision;
use crate::level::{Hold, LevelSummary, LevelVerdict, Load, Purpose};
use crate::slo::Objective;
use crate::verdict::{Verdict, VerdictKind};

/// What a made-up level says.
#[derive(Clone, Copy, Debug)]
struct Made {
    rung: u32,
    purpose: Purpose,
    verdict: LevelVerdict,
    /// Of 300 requests: what the curve through all levels goes by, whatever was decided.
    over: usize,
}

fn made(one: Made, axis: Axis) -> LevelSummary {
    let decision = match one.verdict {
        LevelVerdict::Pass => Decision::Pass,
        LevelVerdict::Fail => Decision::Fail,
        _ => Decision::Undecided,
    };
    let mut summary = level(one.rung, one.over, 300);
    summary.purpose = one.purpose;
    summary.load = axis.load(one.rung);
    summary.verdict = one.verdict;
    summary.objectives[0].decision = decision;
    summary.reason = (decision == Decision::Fail).then(|| summary.objectives[0].objective.into());
    summary
}

fn search(axis: Axis, slo: &str) -> Search {
    Search::new(SearchConfig {
        axis,
        start: 1,
        most_streams: 1_000,
        ..SearchConfig::new(slo.parse().unwrap())
    })
}

/// The rule in its own words: loads whose latest decision is fail, without a higher one whose
/// latest is pass and that was seen again. Arrivals come in bursts: a rate is let off as well where
/// no more than 5 % are over since then, and a level there is not broken.
fn fails(levels: &[Made], by_rate: bool) -> Vec<u32> {
    let of = |rung: u32| levels.iter().filter(move |one| one.rung == rung);
    let latest = |rung: u32| {
        let decisions = [LevelVerdict::Pass, LevelVerdict::Fail];
        let mut decided = of(rung).filter(|one| decisions.contains(&one.verdict));
        decided.next_back().map(|one| one.verdict)
    };
    let passed_and_seen_again = |rung: u32| {
        // Not a fail, and observed within the 5 % that a p95 allows.
        let for_it = of(rung).filter(|one| match one.verdict {
            LevelVerdict::Pass => true,
            LevelVerdict::Undecided => one.over <= 15,
            _ => false,
        });
        latest(rung) == Some(LevelVerdict::Pass) && for_it.count() >= 2
    };
    let failed = (1..=40).filter(|rung| latest(*rung) == Some(LevelVerdict::Fail));
    let is_burst = |rung: u32| {
        let all: Vec<&Made> = of(rung).collect();
        let fail = all
            .iter()
            .rposition(|one| one.verdict == LevelVerdict::Fail);
        let since = fail.map_or(&[][..], |at| &all[at..]);
        let over: usize = since.iter().map(|one| one.over).sum();
        let held = |one: &&Made| one.verdict == LevelVerdict::Undecided && one.over <= 15;
        by_rate && since.iter().any(held) && over <= 15 * since.len()
    };
    let stands = |rung: &u32| !is_burst(*rung) && !(rung + 1..=40).any(passed_and_seen_again);
    failed.filter(stands).collect()
}

fn assert_below(verdict: &Verdict, lowest: u32, axis: Axis) {
    let bound = axis.amount(lowest);
    let cap = verdict.recommended.map(|advice| advice.cap.amount());
    let at = verdict
        .capacity
        .map(|found| (found.at.amount(), found.lower.amount()));
    assert!(cap.is_none_or(|cap| cap < bound), "{lowest}: {verdict:?}");
    assert!(
        at.is_none_or(|(at, lower)| at < bound && lower <= at),
        "{lowest}: {verdict:?}"
    );
}

fn any_level() -> impl Strategy<Value = Made> {
    let purposes = [
        Purpose::Ramp,
        Purpose::Bisect,
        Purpose::Refine,
        Purpose::Confirm,
    ];
    let verdicts = [
        LevelVerdict::Pass,
        LevelVerdict::Fail,
        LevelVerdict::Undecided,
    ];
    let overs = [0, 0, 10, 60];
    (
        1..=40_u32,
        prop::sample::select(purposes.to_vec()),
        prop::sample::select(verdicts.to_vec()),
        prop::sample::select(overs.to_vec()),
    )
        .prop_map(|(rung, purpose, verdict, over)| Made {
            rung,
            purpose,
            verdict,
            over,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_answer_at_or_above_what_was_decided_against(
        levels in prop::collection::vec(any_level(), 1..16), by_rate: bool,
    ) {
        let axis = if by_rate { Axis::Rate } else { Axis::Streams };
        let mut search = search(axis, "ttft p95 <= 1s");
        for one in &levels {
            search.take(made(*one, axis));
        }
        let lowest = fails(&levels, by_rate).into_iter().min();
        // Interrupted, out of time, or with an answer: the rule is the same.
        for verdict in [
            search.interrupted(Duration::from_secs(9)),
            search.verdict(Duration::from_secs(9)),
            search.verdict(Duration::from_secs(9_999)),
        ] {
            if let Some(lowest) = lowest {
                assert_below(&verdict, lowest, axis);
            }
            if let (VerdictKind::Capacity, Some(found)) = (verdict.kind, verdict.capacity) {
                let upper = found.upper.map(Load::amount);
                prop_assert!(upper.is_some_and(|upper| upper >= found.at.amount()), "{found:?}");
            }
            let states = verdict.capacity.is_some();
            prop_assert!(states || verdict.recommended.is_none());
            prop_assert!(!states || !matches!(
                verdict.kind,
                VerdictKind::Inconclusive | VerdictKind::ServerGone | VerdictKind::BelowFirst
            ));
        }
    }
}

/// Levels of a run against vLLM (mean TTFT ≤ 500 ms): 93 passed, 94 failed twice, and the curve
/// through all of them had its middle at 94.
#[test]
fn the_highest_load_that_passed_is_the_answer_where_the_next_one_failed_twice() {
    let objective: Objective = "ttft mean <= 500ms".parse().unwrap();
    let seen = [
        (64, Purpose::Ramp, LevelVerdict::Screened, 151.9, 10.1),
        (128, Purpose::Ramp, LevelVerdict::Fail, 1_042.2, 11.2),
        (91, Purpose::Bisect, LevelVerdict::Screened, 432.4, 12.1),
        (108, Purpose::Bisect, LevelVerdict::Fail, 713.5, 11.8),
        (99, Purpose::Refine, LevelVerdict::Fail, 529.4, 8.9),
        (95, Purpose::Refine, LevelVerdict::Fail, 564.5, 14.8),
        (94, Purpose::Refine, LevelVerdict::Fail, 548.7, 9.6),
        (93, Purpose::Refine, LevelVerdict::Pass, 442.1, 5.3),
        (98, Purpose::Refine, LevelVerdict::Fail, 555.5, 9.1),
        (97, Purpose::Refine, LevelVerdict::Fail, 541.8, 10.2),
        (96, Purpose::Refine, LevelVerdict::Fail, 563.4, 9.9),
        (94, Purpose::Confirm, LevelVerdict::Fail, 537.5, 5.4),
    ];
    let mut search = search(Axis::Streams, "ttft mean <= 500ms");
    for (rung, purpose, verdict, mean_ms, error_ms) in seen {
        let mut summary = made(
            Made {
                rung,
                purpose,
                verdict,
                over: 0,
            },
            Axis::Streams,
        );
        let result = &mut summary.objectives[0];
        result.objective = objective;
        result.over = None;
        result.value = Some(mean_ms);
        result.standard_error = Some(error_ms);
        search.take(summary);
    }
    let verdict = search.verdict(Duration::from_secs(899));
    let found = verdict.capacity.unwrap();
    assert_eq!(found.at, Load::Streams(93));
    // Of levels without slices it is known only roughly how well their means are known.
    assert!((85.0..=93.0).contains(&found.lower.amount()), "{found:?}");
    assert_eq!(verdict.broken_at, Some(Load::Streams(94)));
}

/// A server that was slow to start: 8 streams failed once, everything up to 60 holds.
#[test]
fn a_load_that_failed_against_all_others_is_held_until_it_is_decided_again() {
    let server = |streams: u32, purpose, verdict| {
        let over = if streams > 60 { 300 } else { 0 };
        made(
            Made {
                rung: streams,
                purpose,
                verdict,
                over,
            },
            Axis::Streams,
        )
    };
    let mut search = search(Axis::Streams, "ttft p95 <= 1s");
    search.take(server(1, Purpose::Baseline, LevelVerdict::Screened));
    search.take(LevelSummary {
        verdict: LevelVerdict::Fail,
        ..made(
            Made {
                rung: 8,
                purpose: Purpose::Ramp,
                verdict: LevelVerdict::Fail,
                over: 12,
            },
            Axis::Streams,
        )
    });
    let mut tried = Vec::new();
    for step in 0..200 {
        match search.next(Duration::from_secs(step)) {
            Next::Run(plan) => {
                let streams = plan.streams();
                tried.push((streams, plan.hold));
                let verdict = match plan.hold {
                    _ if streams > 60 => LevelVerdict::Fail,
                    Hold::Screen | Hold::Short => LevelVerdict::Screened,
                    Hold::Visit => LevelVerdict::Undecided,
                    _ => LevelVerdict::Pass,
                };
                search.take(server(streams, plan.purpose, verdict));
            }
            Next::Done(verdict) => {
                assert!(tried.contains(&(8, Hold::Decide)), "{tried:?}");
                let found = verdict.capacity.unwrap().at.amount();
                assert!((57.0..=60.0).contains(&found), "{verdict:?}\n{tried:?}");
                return;
            }
        }
    }
    panic!("the search does not end: {tried:?}");
}
