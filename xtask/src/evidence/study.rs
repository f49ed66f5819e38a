//! All of it: every engine, every answer, on all cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::aims::{self, Aim, AimFound};
use super::judged::{self, Judged};
use super::peers::PEERS;
use super::population::Subject;
use super::trial::{Ends, Score, Trial, score, search};
use super::truth::{Truth, truth};

/// Time for a search.
pub(super) const BUDGET: Duration = Duration::from_secs(900);

/// How many engines and levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) steady: u64,
    pub(super) troubled: u64,
    /// Engines for each other kind of objective.
    pub(super) aims: u64,
    /// Levels of each kind for the judge.
    pub(super) levels: u64,
    /// Engines that the others are asked about as well.
    pub(super) peers: u64,
}

impl Sizes {
    pub(super) const RELEASE: Self = Self {
        steady: 1_000,
        troubled: 490,
        aims: 200,
        levels: 200,
        peers: 1_000,
    };
    pub(super) const SMALL: Self = Self {
        steady: 80,
        troubled: 21,
        aims: 6,
        levels: 20,
        peers: 10,
    };
}

/// What was found on one engine.
pub(super) struct Found {
    pub(super) score: Score,
    pub(super) isotonic: Option<Ends>,
}

/// Everything that was found.
pub(super) struct Study {
    /// The first population.
    pub(super) steady: Vec<Found>,
    /// The same engines in the time that the guide's script took on each.
    pub(super) at_guides_time: Vec<Score>,
    /// The same engines, each level with the same lengths.
    pub(super) common_lengths: Vec<Score>,
    /// The second population.
    pub(super) troubled: Vec<Found>,
    /// Engines of the first population, asked for other objectives.
    pub(super) aims: Vec<(Aim, Vec<AimFound>)>,
    /// What others say of the first population.
    pub(super) peers: Vec<(&'static str, Vec<Score>)>,
    pub(super) judged: Vec<Judged>,
}

impl Study {
    pub(super) fn run(set: u64, sizes: Sizes) -> Self {
        let steady = |number| Subject::steady(set, number);
        let truths = each(sizes.steady, |number| {
            truth(&steady(number), seed(set, number, 1))
        });
        let known = |number: u64| &truths[number as usize];
        let steady_found = each(sizes.steady, |number| {
            found(&steady(number), known(number), seed(set, number, 2))
        });
        let peers: Vec<(&'static str, Vec<Score>)> = PEERS
            .iter()
            .map(|(name, peer)| {
                let scores = each(sizes.peers, |number| {
                    let subject = steady(number);
                    let answer = peer(&subject, seed(set, number, 3));
                    score(&subject, known(number), answer, seed(set, number, 4))
                });
                (*name, scores)
            })
            .collect();
        let guides_time = |number: u64| -> Duration {
            let score = peers
                .first()
                .and_then(|(_, scores)| scores.get(number as usize));
            Duration::from_secs_f64(score.map_or(0.0, |score| score.answer.load_time_s).max(1.0))
        };
        let short = |number: u64| {
            let subject = steady(number);
            let seed = seed(set, number, 5);
            let trial = search(&subject, seed, guides_time(number), false);
            score(&subject, known(number), trial.answer, seed ^ 1)
        };
        let common = |number: u64| {
            let subject = steady(number);
            let seed = seed(set, number, 2);
            let trial = search(&subject, seed, BUDGET, true);
            score(&subject, known(number), trial.answer, seed ^ 1)
        };
        Self {
            at_guides_time: each(sizes.peers, short),
            common_lengths: each(sizes.peers / 2, common),
            troubled: each(sizes.troubled, |number| {
                let subject = Subject::troubled(set, number);
                let truth = truth(&subject, seed(set, number, 6));
                found(&subject, &truth, seed(set, number, 7))
            }),
            aims: (9..)
                .zip(Aim::ALL)
                .map(|(purpose, aim)| (aim, aimed(aim, (set, purpose), sizes.aims)))
                .collect(),
            judged: each(judged::KINDS, |kind| {
                judged::judged(kind, sizes.levels, seed(set, kind, 8))
            }),
            steady: steady_found,
            peers,
        }
    }
}

/// Engines of their own for each aim: the set's number is that of the aim as well.
fn aimed(aim: Aim, (set, purpose): (u64, u64), count: u64) -> Vec<AimFound> {
    each(count, |number| {
        let subject = Subject::steady(set ^ (purpose << 40), number);
        let seed = |use_: u64| seed(set, number, (purpose << 2) + use_);
        aims::score(aim, &subject, [0, 1, 2].map(seed))
    })
}

fn found(subject: &Subject, truth: &Truth, seed: u64) -> Found {
    let Trial { answer, isotonic } = search(subject, seed, BUDGET, false);
    Found {
        score: score(subject, truth, answer, seed ^ 1),
        isotonic,
    }
}

/// A seed for each engine and each use: truth and search never share one.
fn seed(set: u64, number: u64, purpose: u64) -> u64 {
    let mixed = (set ^ (purpose << 56)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed.wrapping_add(number.wrapping_mul(1_000_003)) >> 1
}

/// Does `work` for each number below `count` on all cores; results in order.
fn each<T: Send>(count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let done: Mutex<Vec<(u64, T)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let result = work(number);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|one| one.0);
    done.into_iter().map(|one| one.1).collect()
}
