//! Loads that were decided against: no answer lies at or above one of them.
//!
//! The chance of each capacity (`edge`) comes from a curve through all levels, and a curve may be
//! wrong where a decision is not. What broke stands until the same load passes, or a higher one has
//! passed and was seen again; by rate also until longer visits outweigh it ([`burst`]). The interval
//! may reach beyond it; the answer and the cap may not.

mod burst;

use std::collections::BTreeMap;

use super::{Axis, Search, is_at_edge};
use crate::judge::{Decision, ObjectiveResult};
use crate::level::{LevelSummary, LevelVerdict};
use crate::verdict::Verdict;

/// A load that passed overrules lower ones that broke if so many of its levels speak for it.
const SEEN_AGAIN: u32 = 2;
/// A rate that was decided against is not looked at again after so many levels.
const MOST_LOOKS_AT_A_RATE: u32 = 4;

/// What stands against a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Against {
    /// A short look, which a longer one may take back.
    Looked,
    /// A decision, which only a decision takes back.
    Decided,
}

/// What the levels of one load say, taken in the order run.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    against: Option<Against>,
    /// Whether the latest decision is for it.
    passed: bool,
    /// Levels that say something, and those of them that speak for it.
    seen: u32,
    sound: u32,
}

impl Said {
    fn take(&mut self, level: &LevelSummary) {
        self.seen += 1;
        self.sound += u32::from(!level.is_broken());
        match level.verdict {
            LevelVerdict::Pass => (self.against, self.passed) = (None, true),
            LevelVerdict::Fail => {
                let against = if is_decided(level) {
                    Against::Decided
                } else {
                    Against::Looked
                };
                self.against = self.against.max(Some(against));
                self.passed = false;
            }
            _ if is_at_edge(level)
                && !level.is_broken()
                && self.against == Some(Against::Looked) =>
            {
                self.against = None;
            }
            _ => {}
        }
    }

    fn overrules(self) -> bool {
        self.passed && self.sound >= SEEN_AGAIN
    }
}

/// Whether a level that fails was decided to, and not given up after a short look.
fn is_decided(level: &LevelSummary) -> bool {
    let decided = |one: &ObjectiveResult| one.decision == Decision::Fail;
    is_at_edge(level) || level.is_unstable() || level.objectives.iter().any(decided)
}

impl Search {
    /// The lowest rung that was decided against, if nothing higher overrules that.
    pub(super) fn lowest_decided_against(&self) -> Option<u32> {
        self.decided_against().first().copied()
    }

    /// The highest rung that may be the answer.
    pub(super) fn ceiling(&self) -> u32 {
        self.lowest_decided_against()
            .map_or(u32::MAX, |rung| rung.saturating_sub(1))
    }

    /// Rungs that were decided against and are not overruled, ascending.
    pub(super) fn decided_against(&self) -> Vec<u32> {
        let said = self.said();
        let highest_overruling = said
            .iter()
            .rev()
            .find(|(_, said)| said.overrules())
            .map_or(0, |(rung, _)| *rung);
        said.into_iter()
            .filter(|(rung, said)| *rung > highest_overruling && said.against.is_some())
            .map(|(rung, _)| rung)
            .collect()
    }

    /// Whether an answer of before does not go with the levels as they are now: a load breaks where
    /// it knew of none, or it lies above one that was decided against.
    pub(super) fn contradicts(&self, answer: &Verdict) -> bool {
        let knew_none = answer.broken_at.is_none() && self.bracket().1.is_some();
        let rung = answer
            .answer()
            .and_then(|found| self.config.axis.rung(found.at));
        knew_none || rung.is_some_and(|rung| rung > self.ceiling())
    }

    /// Whether a load that was decided against may be looked at once more: one of streams that was
    /// seen once is held until it is decided, and one of arrivals may have met a burst.
    pub(super) fn may_be_seen_again(&self, rung: u32) -> bool {
        let most = match self.config.axis {
            Axis::Streams => 1,
            Axis::Rate => MOST_LOOKS_AT_A_RATE,
        };
        self.said().get(&rung).is_some_and(|said| said.seen <= most)
    }

    fn said(&self) -> BTreeMap<u32, Said> {
        let mut by_rung: BTreeMap<u32, Vec<&LevelSummary>> = BTreeMap::new();
        for level in &self.levels {
            let rung = self.rung(level);
            if rung > 0 && !level.says_nothing() {
                by_rung.entry(rung).or_default().push(level);
            }
        }
        let said = by_rung.into_iter();
        said.map(|(rung, levels)| (rung, self.said_by(&levels)))
            .collect()
    }

    /// What the levels of one load say together.
    fn said_by(&self, levels: &[&LevelSummary]) -> Said {
        let mut said = Said::default();
        for level in levels {
            said.take(level);
        }
        if self.config.axis == Axis::Rate && burst::is_outweighed(levels) {
            said.against = None;
        }
        said
    }
}

#[cfg(test)]
mod tests;
