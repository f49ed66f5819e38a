//! The searches of a run: one for its SLO, or for each of its tiers one, and every level is a sample
//! for all of them.
//!
//! The first tier that has no answer says which level to run, and its SLO is what the level is held
//! for. When it is over, every tier takes it, judged by its own objectives. To the others it is a
//! level on the way: it moves their bracket and their interval. It is a visit of theirs only near
//! their own edge.

use std::time::Duration;

use super::{Next, Search, SearchConfig};
use crate::level::{FinishedLevel, LevelPlan, LevelSummary, Purpose, rejudge};
use crate::slo::Slo;
use crate::verdict::{Note, Verdict, VerdictKind};

/// The searches of a run, in the order of its tiers; one where it has a single SLO.
#[derive(Debug)]
pub struct Searches {
    seats: Vec<Seat>,
    /// Time for all of them.
    budget: Duration,
    /// Levels that were run.
    levels: u32,
    /// The tier whose level is run.
    asking: usize,
}

/// A tier's search and what it has of the run's time.
#[derive(Debug)]
struct Seat {
    search: Search,
    /// Where its share of the budget ends; `None` until it asks for its first level.
    share_ends: Option<Duration>,
    answer: Option<Verdict>,
    /// Whether it has been given the time that others left.
    had_the_rest: bool,
}

/// A level that a tier asks for.
#[derive(Debug)]
pub struct TierLevel {
    /// The tier's place.
    pub tier: usize,
    /// What to run.
    pub plan: LevelPlan,
    /// The objectives it is held for.
    pub slo: Slo,
}

impl Searches {
    /// Starts a search for the SLO of `config`, and one more for each of `others`.
    pub fn new(config: &SearchConfig, others: &[Slo]) -> Self {
        let seat = |slo: &Slo| Seat {
            search: Search::new(SearchConfig {
                slo: slo.clone(),
                ..config.clone()
            }),
            share_ends: None,
            answer: None,
            had_the_rest: false,
        };
        Self {
            seats: [&config.slo].into_iter().chain(others).map(seat).collect(),
            budget: config.budget,
            levels: 0,
            asking: 0,
        }
    }

    /// The next level, `elapsed` into the run; `None` when every tier has its answer.
    pub fn next(&mut self, elapsed: Duration) -> Option<TierLevel> {
        while let Some(tier) = self.turn(elapsed) {
            let seat = &mut self.seats[tier];
            match seat.search.next(elapsed) {
                Next::Done(verdict) => seat.answer = Some(*verdict),
                Next::Run(plan) => {
                    self.asking = tier;
                    return Some(TierLevel {
                        tier,
                        slo: seat.search.config.slo.clone(),
                        plan: LevelPlan {
                            index: self.levels,
                            ..plan
                        },
                    });
                }
            }
        }
        None
    }

    /// Gives the level that was asked for to every tier. Returns it as the first one judges it.
    pub fn take(&mut self, finished: &FinishedLevel) -> LevelSummary {
        let asking = self.asking;
        self.share(finished, asking)
    }

    /// Gives a level of the past to every tier, as the first one judged it. It need not be asked for.
    pub fn take_again(&mut self, finished: &FinishedLevel) {
        let level = &finished.summary;
        let started = Duration::try_from_secs_f64(level.started_s).unwrap_or_default();
        if level.tier.is_some() {
            // The tiers before it had their answers then.
            drop(self.next(started));
        }
        self.asking = level.tier.map_or(0, |tier| tier as usize);
        if let Some(seat) = self.seats.get_mut(self.asking) {
            seat.answer = None;
        }
        drop(self.share(finished, 0));
    }

    /// Goes on after the levels of the past, in the time that there is now.
    pub fn go_on(&mut self) {
        for seat in &mut self.seats {
            seat.search.go_on();
            seat.share_ends = None;
            seat.answer = None;
            seat.had_the_rest = false;
        }
    }

    /// The answers, in the order of the tiers; of those that have none yet, what is known so far.
    pub fn verdicts(&self, elapsed: Duration) -> Vec<Verdict> {
        let verdict = |seat: &Seat| {
            let answer = seat.answer.clone();
            answer.unwrap_or_else(|| seat.search.interrupted(elapsed))
        };
        self.seats.iter().map(verdict).collect()
    }

    /// Whose turn it is, with time to use.
    fn turn(&mut self, elapsed: Duration) -> Option<usize> {
        if self.first_open().is_none() {
            self.hand_out_the_rest(elapsed);
        }
        let tier = self.first_open()?;
        let open = self.seats.iter().filter(|seat| seat.answer.is_none());
        let left = self.budget.saturating_sub(elapsed);
        let share = elapsed + left / open.count().max(1) as u32;
        let seat = &mut self.seats[tier];
        seat.search.config.budget = *seat.share_ends.get_or_insert(share);
        Some(tier)
    }

    fn first_open(&self) -> Option<usize> {
        self.seats.iter().position(|seat| seat.answer.is_none())
    }

    /// Tiers that ended because their share was spent, or the client was late, go on where others
    /// have left time: the levels since then may show more.
    fn hand_out_the_rest(&mut self, elapsed: Duration) {
        let ran_out = |seat: &&mut Seat| {
            let answer = seat.answer.as_ref();
            !seat.had_the_rest
                && answer.is_some_and(|answer| {
                    answer.notes.contains(&Note::BudgetSpent)
                        || answer.kind == VerdictKind::ClientLimited
                })
        };
        if elapsed >= self.budget {
            return;
        }
        for seat in self.seats.iter_mut().filter(ran_out) {
            seat.answer = None;
            seat.share_ends = None;
            seat.had_the_rest = true;
        }
    }

    /// `judged_by`: the tier whose judgement the level comes with.
    fn share(&mut self, finished: &FinishedLevel, judged_by: usize) -> LevelSummary {
        self.levels += 1;
        let (asking, several) = (self.asking, self.seats.len() > 1);
        let mut level = finished.summary.clone();
        level.tier = several.then_some(asking as u32);
        let mut kept = level.clone();
        for (tier, seat) in self.seats.iter_mut().enumerate() {
            let config = &seat.search.config;
            let judged = |level: &LevelSummary| {
                let by = (&config.slo, config.settings.confidence);
                rejudge(level, by, &finished.records, &finished.in_flight)
            };
            let own = if tier == judged_by {
                level.clone()
            } else {
                judged(&level)
            };
            if tier == 0 {
                kept = own.clone();
            }
            if tier == asking {
                seat.search.take(own);
                continue;
            }
            let passing = judged(&passing(&level, &seat.search));
            // What says nothing to a tier that did not ask for it is no try of its own.
            if !passing.says_nothing() || passing.shows_no_server() {
                seat.search.take(passing);
            }
            // A level that another tier asked for may show more than there was to see then.
            let search = &seat.search;
            seat.answer = seat.answer.take().filter(|one| !search.contradicts(one));
        }
        kept
    }
}

/// A level as it is to a search that did not ask for it. What was held at the edge of another is a
/// visit of this one only where it might have made it itself, and never the hold at its cap.
fn passing(level: &LevelSummary, search: &Search) -> LevelSummary {
    LevelSummary {
        purpose: match level.purpose {
            Purpose::Refine | Purpose::Confirm if search.would_visit(level) => Purpose::Refine,
            Purpose::Refine | Purpose::Confirm => Purpose::Bisect,
            purpose => purpose,
        },
        ..level.clone()
    }
}

#[cfg(test)]
mod tests;
