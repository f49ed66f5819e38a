//! Tiers on levels that are made up: a server whose time to first token grows with the load.

use std::time::Duration;

use super::*;
use crate::level::{LevelVerdict, Load, Shortfall};
use crate::record::tests::record;
use crate::search::tests::level;
use crate::verdict::VerdictKind;

const GOLD: &str = "ttft p95 <= 200ms";
const SILVER: &str = "ttft p95 <= 600ms";
/// The largest loads within them, by the server below: its p95 is 11.8 ms for each stream.
const GOLD_STREAMS: u32 = 16;
const SILVER_STREAMS: u32 = 50;

fn slo(text: &str) -> Slo {
    text.parse().unwrap()
}

fn config(first: &str, budget_s: u64) -> SearchConfig {
    SearchConfig {
        most_streams: 256,
        confirm: false,
        budget: Duration::from_secs(budget_s),
        ..SearchConfig::new(slo(first))
    }
}

/// What the server shows at a load: time to first token spread evenly over 8 to 12 ms per stream.
fn run(asked: &TierLevel, elapsed: Duration) -> FinishedLevel {
    let streams = asked.plan.streams();
    let records: Vec<_> = (0..300_u64)
        .map(|i| {
            let spread = 0.8 + 0.4 * (i * 97 % 300) as f64 / 299.0;
            let ttft_ms = (f64::from(streams) * 10.0 * spread) as u64;
            let sent_ms = 1_000 + i * 5;
            record(sent_ms, &[sent_ms + ttft_ms, sent_ms + ttft_ms + 10])
        })
        .collect();
    let mut summary = level(streams, 0, 300);
    summary.index = asked.plan.index;
    summary.purpose = asked.plan.purpose;
    let by = (&asked.slo, asked.plan.settings.confidence);
    let mut summary = rejudge(&summary, by, &records, &[]);
    summary.started_s = elapsed.as_secs_f64();
    // The window is where the records are: what started when says only the order.
    FinishedLevel {
        summary,
        records,
        in_flight: Vec::new(),
        samples: Vec::new(),
    }
}

/// Runs to the end; each level takes 5 s. The answers, and the levels as the first tier judges them.
fn search(mut tiers: Searches, from: Duration) -> (Vec<Verdict>, Vec<LevelSummary>) {
    let mut elapsed = from;
    let mut levels = Vec::new();
    while let Some(asked) = tiers.next(elapsed) {
        levels.push(tiers.take(&run(&asked, elapsed)));
        elapsed += Duration::from_secs(5);
        assert!(levels.len() < 200, "it does not end");
    }
    (tiers.verdicts(elapsed), levels)
}

fn assert_found(verdict: &Verdict, truth: u32) {
    assert_eq!(verdict.kind, VerdictKind::Capacity);
    let found = verdict.capacity.unwrap();
    let truth = Load::Streams(truth);
    let error = found.at.amount() - truth.amount();
    assert!(error.abs() <= 1.0, "{found:?}, {truth}");
    assert!(found.lower <= truth && found.upper.unwrap() >= truth);
}

#[test]
fn each_tier_has_its_own_answer_in_any_order() {
    let alone = |text| search(Searches::new(&config(text, 900), &[]), Duration::ZERO).1;
    let apart = alone(GOLD).len() + alone(SILVER).len();
    for (first, other) in [(GOLD, SILVER), (SILVER, GOLD)] {
        let tiers = Searches::new(&config(first, 900), &[slo(other)]);
        let (verdicts, levels) = search(tiers, Duration::ZERO);
        let truth = |text| {
            if text == GOLD {
                GOLD_STREAMS
            } else {
                SILVER_STREAMS
            }
        };
        assert_found(&verdicts[0], truth(first));
        assert_found(&verdicts[1], truth(other));
        assert!(levels.len() + 4 <= apart, "{} of {apart}", levels.len());
        assert!(
            levels
                .iter()
                .all(|level| level.objectives[0].objective == slo(first).0[0])
        );
        assert!(
            levels
                .iter()
                .map(|level| level.index)
                .eq(0..levels.len() as u32)
        );
    }
}

#[test]
fn one_slo_is_searched_for_as_ever() {
    let config = config(GOLD, 900);
    let (verdicts, levels) = search(Searches::new(&config, &[]), Duration::ZERO);
    let mut search = Search::new(config);
    for level in &levels {
        let Next::Run(plan) = search.next(Duration::from_secs_f64(level.started_s)) else {
            panic!("it ends before the tiers do");
        };
        assert_eq!((plan.index, plan.load), (level.index, level.load));
        assert_eq!(level.tier, None);
        search.take(level.clone());
    }
    let Next::Done(verdict) = search.next(Duration::from_secs(5 * levels.len() as u64)) else {
        panic!("it goes on where the tiers end");
    };
    assert_eq!([*verdict], verdicts[..]);
}

#[test]
fn a_tier_without_time_leaves_the_others_their_share() {
    // Gold has half of 60 s, 6 levels: too few for its answer.
    let tiers = Searches::new(&config(GOLD, 60), &[slo(SILVER)]);
    let (_, levels) = search(tiers, Duration::ZERO);
    let held_for = |tier| {
        levels
            .iter()
            .filter(|level| level.tier == Some(tier))
            .count()
    };
    assert!((5..=7).contains(&held_for(0)), "{}", held_for(0));
    assert!(held_for(1) >= 4, "{}", held_for(1));
}

#[test]
fn time_that_is_left_goes_to_the_tier_that_ran_out_of_it() {
    let alone = |budget_s| search(Searches::new(&config(GOLD, budget_s), &[]), Duration::ZERO).0;
    let has_ended = |verdict: &Verdict| !verdict.notes.contains(&Note::BudgetSpent);
    assert!(!has_ended(&alone(40)[0]), "half of the time is not enough");
    // The other is decided at one stream and needs little time.
    let tiers = Searches::new(&config(GOLD, 80), &[slo("ttft p95 <= 1ms")]);
    let (verdicts, _) = search(tiers, Duration::ZERO);
    assert!(has_ended(&verdicts[0]));
    assert_found(&verdicts[0], GOLD_STREAMS);
    assert_eq!(verdicts[1].kind, VerdictKind::BelowFirst);
}

#[test]
fn a_run_goes_on_from_its_levels_as_it_was() {
    let begin = || Searches::new(&config(SILVER, 900), &[slo(GOLD)]);
    let (whole, _) = search(begin(), Duration::ZERO);
    let (mut tiers, mut elapsed, mut past) = (begin(), Duration::ZERO, Vec::new());
    while let Some(asked) = tiers.next(elapsed) {
        let mut finished = run(&asked, elapsed);
        finished.summary = tiers.take(&finished);
        past.push(finished);
        elapsed += Duration::from_secs(5);
    }
    for cut in (0..=past.len()).step_by(3) {
        let mut again = begin();
        past[..cut].iter().for_each(|level| again.take_again(level));
        let (verdicts, _) = search(again, Duration::from_secs(5 * cut as u64));
        assert_eq!(verdicts, whole, "{cut}");
    }
}

#[test]
fn a_void_level_is_tried_again_by_the_tier_that_asked_alone() {
    let mut tiers = Searches::new(&config(GOLD, 900), &[slo(SILVER)]);
    let asked = tiers.next(Duration::ZERO).unwrap();
    let mut void = run(&asked, Duration::ZERO);
    void.summary.verdict = LevelVerdict::Void;
    void.summary.reason = Some(Shortfall::BusyWorker { cpu_ratio: 0.99 }.into());
    let _ = tiers.take(&void);
    let levels = tiers.seats.iter().map(|seat| seat.search.levels().len());
    assert!(levels.eq([1, 0]));
}

/// Gold gave up at loads that its own tries could not carry. What silver's levels then show of gold
/// is in gold's answer: it does not stand beside a table that says more.
#[test]
fn an_answer_goes_with_the_levels_that_other_tiers_add() {
    let mut tiers = Searches::new(&config(GOLD, 900), &[slo(SILVER)]);
    let mut elapsed = Duration::ZERO;
    while let Some(asked) = tiers.next(elapsed) {
        let mut finished = run(&asked, elapsed);
        if asked.tier == 0 && asked.plan.streams() >= 8 {
            finished.summary.verdict = LevelVerdict::Void;
            finished.summary.reason = Some(Shortfall::BusyWorker { cpu_ratio: 0.99 }.into());
        }
        let _ = tiers.take(&finished);
        elapsed += Duration::from_secs(5);
        assert!(elapsed < Duration::from_secs(2_000), "it does not end");
    }
    let gold = &tiers.verdicts(elapsed)[0];
    let broken_at = gold.broken_at.unwrap().amount();
    assert!((16.0..=32.0).contains(&broken_at), "{gold:?}");
    let found = gold.answer().unwrap().at.amount();
    assert!(found < broken_at, "{gold:?}");
}
