//! How often a difference is told where there is none, and where there is one.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::*;

fn run(kind: VerdictKind, lower: u32, upper: Option<u32>) -> Repetition {
    Repetition {
        folder: "1".to_owned(),
        seed: 0,
        started_utc: "2025-03-01T08:00:00Z".to_owned(),
        load_time_s: 300.0,
        kind,
        capacity: Some(Capacity {
            at: Load::Streams(lower),
            lower: Load::Streams(lower),
            upper: upper.map(Load::Streams),
        }),
    }
}

fn capacity(lower: u32, upper: u32) -> Repetition {
    run(VerdictKind::Capacity, lower, Some(upper))
}

fn of(runs: Vec<Repetition>) -> Repeats {
    Repeats::of(runs.len() as u32, runs)
}

/// A search whose answer has this relative error, and an interval that is right 95 % of the time
/// where `error` is what it believes.
fn noisy(rng: &mut ChaCha8Rng, truth: f64, error: f64, believed: f64) -> Repetition {
    let ln = Normal::new(truth.ln(), error).unwrap().sample(rng);
    let end = |side: f64| (ln + side * WITHIN * believed).exp().floor() as u32;
    capacity(end(-1.0), end(1.0))
}

/// How often `runs` differ, of 4 000 times.
fn share_that_differs(mut runs: impl FnMut() -> Vec<Repetition>) -> f64 {
    let differ = |_: &u32| of(runs()).difference.unwrap().differ;
    (0..4_000).filter(differ).count() as f64 / 4_000.0
}

/// 5 % of 4 000 vary by 0.34 % (one standard deviation).
const MOST: f64 = 0.05 + 3.0 * 0.0034;

#[test]
fn no_difference_is_rarely_taken_for_one() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    for (count, truth, error) in [(2, 50.0, 0.06), (3, 12.0, 0.05), (8, 300.0, 0.03)] {
        let share = share_that_differs(|| {
            let one = |_| noisy(rng, truth, error, error);
            (0..count).map(one).collect()
        });
        assert!(share <= MOST, "{count} runs at {truth}: {share}");
    }
}

#[test]
fn nor_where_each_run_knows_its_error_only_roughly() {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    // An error estimated from 20 batches is off by a sixth.
    let share = share_that_differs(|| {
        let mut one = |_| {
            let factor: f64 = Normal::new(1.0, 1.0 / 6.0).unwrap().sample(rng);
            noisy(rng, 60.0, 0.05, 0.05 * factor.max(0.5))
        };
        (0..4).map(&mut one).collect()
    });
    assert!(share <= MOST, "{share}");
}

#[test]
fn nor_where_the_loads_tested_are_what_differs() {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    // A cliff at a fixed place, found between two loads that are up to 5 % apart.
    let share = share_that_differs(|| {
        let edge = rng.random_range(20..80_u32);
        let mut one = |_| {
            let gap = rng.random_range(1..=(edge / 20).max(1));
            let below = rng.random_range(0..gap);
            capacity(edge - below, edge - below + gap - 1)
        };
        (0..3).map(&mut one).collect()
    });
    assert!(share <= MOST, "{share}");
}

#[test]
fn a_difference_of_a_quarter_is_seen() {
    let rng = &mut ChaCha8Rng::seed_from_u64(4);
    let share =
        share_that_differs(|| vec![noisy(rng, 48.0, 0.04, 0.04), noisy(rng, 60.0, 0.04, 0.04)]);
    assert!(share > 0.9, "{share}");
}

#[test]
fn a_difference_at_the_resolution_is_seen_half_of_the_time() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let pair = |rng: &mut ChaCha8Rng, ratio: f64| {
        vec![
            noisy(rng, 400.0, 0.04, 0.04),
            noisy(rng, 400.0 * ratio, 0.04, 0.04),
        ]
    };
    let resolution = of(pair(rng, 1.0)).difference.unwrap().resolution_ratio;
    let share = share_that_differs(|| pair(rng, 1.0 + resolution));
    assert!((0.4..0.6).contains(&share), "{share}");
}

#[test]
fn intervals_that_overlap_may_still_differ() {
    // 49 and 50 are in all of them, but five of a kind on each side leave no doubt.
    let mut runs = vec![capacity(40, 50); 5];
    runs.extend(vec![capacity(49, 60); 5]);
    assert!(of(runs).difference.unwrap().differ);
}

#[test]
fn open_ends_and_other_answers_are_not_compared() {
    let runs = vec![
        capacity(45, 50),
        run(VerdictKind::AboveLast, 60, None),
        run(VerdictKind::DiminishingReturns, 32, Some(64)),
        run(VerdictKind::Capacity, 0, Some(64)),
    ];
    let repeats = of(runs);
    assert_eq!(repeats.difference, None);
    let ends = (Load::Streams(0), Load::Streams(60));
    assert_eq!(repeats.range, Some(ends));
    let beyond = Beyond {
        at_least: Load::Streams(60),
        upper: Load::Streams(50),
    };
    assert_eq!(repeats.beyond, Some(beyond));
    let within = vec![capacity(45, 60), run(VerdictKind::AboveLast, 60, None)];
    assert_eq!(of(within).beyond, None);
    assert_eq!(of(Vec::new()).range, None);
}

#[test]
fn rates_are_compared_as_rates() {
    let by_rate = |lower_per_s: f64, upper_per_s: f64| Repetition {
        capacity: Some(Capacity {
            at: Load::RatePerS(lower_per_s),
            lower: Load::RatePerS(lower_per_s),
            upper: Some(Load::RatePerS(upper_per_s)),
        }),
        ..capacity(1, 1)
    };
    let alike = of(vec![by_rate(5.9, 6.2), by_rate(6.0, 6.3)]);
    assert!(!alike.difference.unwrap().differ);
    assert_eq!(
        alike.range,
        Some((Load::RatePerS(5.9), Load::RatePerS(6.0)))
    );
    let apart = of(vec![by_rate(5.9, 5.9), by_rate(6.4, 6.4)]);
    assert!(apart.difference.unwrap().differ);
}
