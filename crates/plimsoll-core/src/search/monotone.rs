//! Whether a load that holds lies above one that breaks: decided both ways, and seen again.

use std::collections::BTreeMap;

use super::{Search, Standing, is_at_edge};
use crate::level::{LevelSummary, LevelVerdict};

/// Visits that decided a load for, and against it.
#[derive(Clone, Copy, Debug, Default)]
struct Votes {
    passes: u32,
    fails: u32,
}

impl Search {
    /// The lowest load that broke at every decided visit and has one above it that held at every
    /// decided visit; with it, that one.
    pub(super) fn inversion(&self) -> Option<(u32, u32)> {
        let votes = self.votes();
        let breaks = |votes: &Votes| votes.fails > 0 && votes.passes == 0;
        let holds = |votes: &Votes| votes.passes > 0 && votes.fails == 0;
        let broken = votes.iter().find(|(_, votes)| breaks(votes))?.0;
        let above = votes
            .range(broken + 1..)
            .rev()
            .find(|(_, votes)| holds(votes));
        above.map(|(held, _)| (*broken, *held))
    }

    /// A load of an inversion that has been decided only once.
    pub(super) fn to_see_again(&self) -> Option<u32> {
        let votes = self.votes();
        let (broken, held) = self.inversion()?;
        [broken, held].into_iter().find(|rung| {
            votes
                .get(rung)
                .is_some_and(|votes| votes.passes + votes.fails < 2)
        })
    }

    /// Whether an inversion stayed after both loads were seen again.
    pub(super) fn falls_back(&self) -> bool {
        self.inversion().is_some()
    }

    /// The highest load below `rung` that did not break.
    pub(super) fn highest_held_below(&self, rung: u32) -> u32 {
        let standings = self.standings();
        let mut below = standings.range(..rung).rev();
        below
            .find(|(_, standing)| **standing == Standing::Holds)
            .map_or(0, |(load, _)| *load)
    }

    /// The visit of the lowest load above `rung` that is known, or looks, to break.
    pub(super) fn lowest_broken_above(&self, rung: u32) -> Option<&LevelSummary> {
        let broken = self
            .levels
            .iter()
            .filter(|level| self.rung(level) > rung && !level.says_nothing() && level.is_broken());
        broken.min_by_key(|level| self.rung(level))
    }

    /// Whether the same loads broke more often when they were entered from above (`true`), or from
    /// below (`false`): what a server remembers of the load before. Mantel and Haenszel's sum of
    /// differences at each load, with the counts' dispersion as the visits of a direction show it.
    pub(super) fn remembers(&self) -> Option<bool> {
        let mut by_load: BTreeMap<(u32, usize), Directions> = BTreeMap::new();
        for pair in self.levels.windows(2) {
            let [before, level] = pair else { continue };
            if !is_at_edge(level) || level.says_nothing() || self.rung(before) == 0 {
                continue;
            }
            let from_above = usize::from(self.rung(before) > self.rung(level));
            for (index, result) in level.objectives.iter().enumerate() {
                if let Some(over) = result.over {
                    let counts = (over as f64, result.n as f64);
                    by_load.entry((self.rung(level), index)).or_default()[from_above].push(counts);
                }
            }
        }
        let mut sum = Difference::default();
        for visits in by_load.values() {
            sum.add(visits);
        }
        sum.significant()
    }

    /// Decided visits at the edge, by load. Screened levels decide nothing.
    fn votes(&self) -> BTreeMap<u32, Votes> {
        let mut all: BTreeMap<u32, Votes> = BTreeMap::new();
        for level in self.levels.iter().filter(|level| is_at_edge(level)) {
            let votes = all.entry(self.rung(level)).or_default();
            votes.passes += u32::from(level.verdict == LevelVerdict::Pass);
            votes.fails += u32::from(level.verdict == LevelVerdict::Fail);
        }
        all
    }
}

/// (bad requests, requests) of the visits of one load: from below, and from above.
type Directions = [Vec<(f64, f64)>; 2];

/// A difference counts from so many standard errors on.
const SIGNIFICANT: f64 = 3.5;
/// Visits in each direction before anything is said.
const FEWEST_VISITS: usize = 3;

/// Bad requests of the visits from above beyond what those from below let expect.
#[derive(Default)]
struct Difference {
    excess: f64,
    variance: f64,
    visits: [usize; 2],
}

impl Difference {
    /// Adds the visits of one load.
    fn add(&mut self, visits: &Directions) {
        let total = |visits: &[(f64, f64)]| {
            visits
                .iter()
                .fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
        };
        let ((k0, n0), (k1, n1)) = (total(&visits[0]), total(&visits[1]));
        if n0 == 0.0 || n1 == 0.0 || k0 + k1 == 0.0 {
            return;
        }
        let (n, share) = (n0 + n1, (k0 + k1) / (n0 + n1));
        let spread = share * (1.0 - share);
        let residuals = visits
            .iter()
            .flatten()
            .map(|(over, n)| (over - n * share).powi(2) / (n * spread).max(1e-9));
        let count = (visits[0].len() + visits[1].len()) as f64;
        let dispersion = (residuals.sum::<f64>() / (count - 1.0).max(1.0)).max(1.5);
        self.excess += k1 - n1 * share;
        self.variance += dispersion * spread * n0 * n1 / n;
        self.visits[0] += visits[0].len();
        self.visits[1] += visits[1].len();
    }

    fn significant(&self) -> Option<bool> {
        let enough = self.visits.iter().all(|count| *count >= FEWEST_VISITS);
        let z = self.excess / self.variance.sqrt();
        (enough && self.variance > 0.0 && z.abs() > SIGNIFICANT).then_some(z > 0.0)
    }
}
