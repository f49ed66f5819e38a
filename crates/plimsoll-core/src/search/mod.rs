//! The search: a pure state machine. Given the levels so far it says which one to run next, or
//! that it is done. It knows no HTTP and no clock, so it runs against model engines in seconds.
//!
//! | stage | what it runs | leaves it when |
//! |---|---|---|
//! | baseline | 1 stream | it has run |
//! | ramp | the next rung of the ladder, screened | something breaks, a stop rule holds, or the ladder ends |
//! | saturation | by rate only: streams with a standing queue | it has run |
//! | bisect | between the highest load that holds and the lowest that breaks, held shortly | they are within a factor of 1.25, or neighbours |
//! | visits | loads on either side of the likeliest capacity, in turn | the interval is one stream or ±5 %, or the budget is spent |
//! | confirm | the gateway cap, held for minutes | it has run |
//!
//! The stage is not stored: it follows from the levels. Loads are counted in rungs of an [`Axis`].

mod again;
mod config;
mod decided;
mod drive;
mod edge;
mod growth;
mod ladder;
mod level_plan;
mod monotone;
mod outcome;
mod saturation;
mod searches;
mod visits;

use std::collections::BTreeMap;
use std::time::Duration;

pub use config::{Rules, SearchConfig};
pub use drive::{Levels, Listener, OneLevel, Unheard, drive};
pub use ladder::{Ladder, LadderError};
pub use searches::{Searches, TierLevel};
pub(crate) use visits::NARROW;
pub use visits::tail;

pub use crate::load::Axis;

use crate::cause::KV_FULL;
use crate::judge::ObjectiveResult;
use crate::level::{LevelPlan, LevelSummary, Purpose};
use crate::load::LoadUnit;
use crate::verdict::Verdict;

/// The bracket is closed at this ratio, or at one stream.
const BRACKET: f64 = 1.25;
/// The first rung of a doubling ladder where one stream is far from every bound.
const FIRST_IF_FAR: u32 = 8;
/// Throughput that grows less than this per doubling is that of a full batch.
const FULL_BATCH_GROWTH: f64 = 0.05;
/// A void or unmeasurable level is tried this often.
const MOST_VISITS: usize = 2;

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Run this level.
    Run(LevelPlan),
    /// It is over, with this answer.
    Done(Box<Verdict>),
}

/// A search in progress.
#[derive(Debug)]
pub struct Search {
    config: SearchConfig,
    levels: Vec<LevelSummary>,
    /// Levels of the past: what was in the way of them may be gone.
    past: usize,
}

/// Why a search is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Closed,
    Growth {
        from_streams: u32,
    },
    /// More streams only wait, and the SLO does not mind.
    FullBatch {
        from_streams: u32,
    },
    /// A load that breaks below one that holds, both seen again.
    NotMonotone,
    Resources {
        at_streams: u32,
    },
    LadderEnd,
    ClientLimit {
        at_streams: u32,
    },
    /// No request is answered any more, and connections are refused.
    ServerGone {
        at_streams: u32,
    },
    /// The level ran, but its requests do not show what the SLO asks.
    Unmeasurable {
        at_streams: u32,
    },
    Budget,
    Interrupted,
}

/// What is known of a load, over all its visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Holds,
    Breaks,
    /// Only void visits so far.
    Unknown,
}

impl Search {
    /// Starts a search.
    pub fn new(config: SearchConfig) -> Self {
        Self {
            config,
            levels: Vec::new(),
            past: 0,
        }
    }

    /// What is searched for.
    pub fn config(&self) -> &SearchConfig {
        &self.config
    }

    /// What its loads count.
    pub fn unit(&self) -> LoadUnit {
        LoadUnit::of(self.config.axis, self.config.settings.think.is_some())
    }

    /// The levels so far, in the order run.
    pub fn levels(&self) -> &[LevelSummary] {
        &self.levels
    }

    /// Takes the summary of the level that was run.
    pub fn take(&mut self, summary: LevelSummary) {
        self.levels.push(summary);
    }

    /// Goes on with what is known so far. Where the last levels said nothing, or the server was gone,
    /// that load is tried again.
    pub fn go_on(&mut self) {
        self.past = self.levels.len();
    }

    /// What to do next, `elapsed` into the run.
    pub fn next(&self, elapsed: Duration) -> Next {
        let wanted = self.wanted(elapsed);
        match wanted {
            Ok(_) if elapsed >= self.config.budget && !self.is_to_listen() => {
                self.done(Stop::Budget, elapsed)
            }
            Ok((streams, purpose)) => Next::Run(self.plan(streams, purpose, elapsed)),
            Err(stop) => self.done(stop, elapsed),
        }
    }

    /// Whether the last level left open whether there still is a server: to know that is worth a level
    /// beyond the budget, which ends with the first word.
    fn is_to_listen(&self) -> bool {
        let last = self.levels[self.past..].last();
        last.is_some_and(LevelSummary::shows_no_server)
    }

    /// The answer, where there is one; else what is known so far.
    pub fn verdict(&self, elapsed: Duration) -> Verdict {
        match self.next(elapsed) {
            Next::Done(verdict) => *verdict,
            Next::Run(_) => self.interrupted(elapsed),
        }
    }

    /// The answer as far as the levels go, for a run that was interrupted.
    pub fn interrupted(&self, elapsed: Duration) -> Verdict {
        outcome::verdict(self, Stop::Interrupted, elapsed)
    }

    fn done(&self, stop: Stop, elapsed: Duration) -> Next {
        Next::Done(Box::new(outcome::verdict(self, stop, elapsed)))
    }

    /// The next load, or why there is none.
    fn wanted(&self, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        let Some(last) = self.levels.last() else {
            return Ok((1, Purpose::Baseline));
        };
        let since = &self.levels[self.past..];
        if last.shows_no_server() && !since.is_empty() {
            return self.listen_again(last);
        }
        if last.says_nothing() {
            if last.is_by_lateness() {
                return self.retry(last, elapsed);
            }
            let at_streams = self.rung(last);
            let visits = since
                .iter()
                .rev()
                .take_while(|level| level.says_nothing() && !level.is_by_lateness())
                .count();
            return if visits < MOST_VISITS {
                Ok((at_streams, last.purpose))
            } else if matches!(self.bracket(), (1.., Some(_))) {
                // Both sides are known: the answer stands, if not as narrow as it could be.
                Err(Stop::Closed)
            } else if last.is_clients_fault() {
                Err(Stop::ClientLimit { at_streams })
            } else {
                Err(Stop::Unmeasurable { at_streams })
            };
        }
        if let Some(stop) = self.rule_stop() {
            return Err(stop);
        }
        self.by_bracket(elapsed)
    }

    /// The next load by what is known of the capacity.
    fn by_bracket(&self, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        match self.bracket() {
            (low, Some(high)) => self.refine(low, high, elapsed),
            (low, None) => self.ramp(low, elapsed),
        }
    }

    fn ramp(&self, low: u32, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        let most = self.most();
        match self.next_rung(low) {
            Some(next) if next <= most => Ok((next, Purpose::Ramp)),
            Some(_) if low < most => Ok((most, Purpose::Ramp)),
            // "At least so many" is worth what the highest load was held for.
            _ if low > 0 && self.is_to_confirm(low, elapsed) => Ok((low, Purpose::Confirm)),
            _ if low > 0 && !self.was_held(low) => Ok((low, Purpose::Refine)),
            _ => Err(Stop::LadderEnd),
        }
    }

    fn next_rung(&self, low: u32) -> Option<u32> {
        match self.config.axis {
            Axis::Streams if low < self.config.start => Some(self.first_rung()),
            Axis::Streams => self.config.ladder.above(low),
            // Half of what one stream alone brings, so that half a request is in flight.
            Axis::Rate if low == 0 => {
                let alone_per_s = 0.5 / self.last_request_time().as_secs_f64();
                Some(Axis::Rate.at_least(alone_per_s).min(self.most()))
            }
            Axis::Rate => Some(Axis::Rate.at_least(Axis::Rate.amount(low) * 2.0)),
        }
    }

    /// Where one stream is far from every bound, the next loads would only cost time.
    fn first_rung(&self) -> u32 {
        let first = self.config.ladder.first(self.config.start);
        let is_far = |level: &LevelSummary| {
            let mut objectives = level.objectives.iter();
            objectives.all(ObjectiveResult::is_far_within)
        };
        if self.config.ladder == Ladder::Doubling
            && self.config.start <= FIRST_IF_FAR
            && self.levels.first().is_some_and(is_far)
        {
            FIRST_IF_FAR.min(self.config.most_streams)
        } else {
            first
        }
    }

    fn refine(&self, low: u32, high: u32, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        if self.is_to_halve(low, high) {
            return Ok((self.between(low, high), Purpose::Bisect));
        }
        self.visit(elapsed)
    }

    /// Whether the bracket is still too wide for visits.
    fn is_to_halve(&self, low: u32, high: u32) -> bool {
        let amount = |rung| self.config.axis.amount(rung);
        let is_wide = high > low + 1 && amount(high) > amount(low) * BRACKET;
        low > 0 && is_wide && !self.levels.iter().any(is_at_edge)
    }

    /// The geometric middle of two rungs that are not neighbours.
    fn between(&self, low: u32, high: u32) -> u32 {
        let middle = match self.config.axis {
            Axis::Streams => (f64::from(low) * f64::from(high)).sqrt().round() as u32,
            Axis::Rate => low.midpoint(high),
        };
        middle.clamp(low + 1, high - 1)
    }

    /// The rung of a level's load; 0 of one that is not on the axis.
    fn rung(&self, level: &LevelSummary) -> u32 {
        self.config.axis.rung(level.load).unwrap_or(0)
    }

    /// The highest rung allowed.
    fn most(&self) -> u32 {
        match self.config.axis {
            Axis::Streams => self.config.most_streams,
            Axis::Rate => Axis::Rate.at_most(self.config.most_rate_per_s),
        }
    }

    fn was_held(&self, load: u32) -> bool {
        self.levels
            .iter()
            .any(|level| self.rung(level) == load && is_at_edge(level))
    }

    /// The highest load with nothing broken up to it, and the lowest that breaks: the first
    /// crossing, whatever passes above it.
    fn bracket(&self) -> (u32, Option<u32>) {
        let mut low = 0;
        for (load, standing) in self.standings() {
            match standing {
                Standing::Holds => low = load,
                Standing::Breaks => return (low, Some(load)),
                Standing::Unknown => {}
            }
        }
        (low, None)
    }

    /// Each load with what its latest held visit says, else its latest screened one; one that was
    /// decided against breaks, whatever a visit that decides nothing looks like.
    fn standings(&self) -> BTreeMap<u32, Standing> {
        let mut standings = BTreeMap::new();
        let on_axis = || self.levels.iter().filter(|level| self.rung(level) > 0);
        let screened = on_axis().filter(|level| !is_at_edge(level));
        for level in screened.chain(on_axis().filter(|level| is_at_edge(level))) {
            let standing = if level.says_nothing() {
                Standing::Unknown
            } else if level.is_broken() {
                Standing::Breaks
            } else {
                Standing::Holds
            };
            let rung = self.rung(level);
            if standing != Standing::Unknown || !standings.contains_key(&rung) {
                let _ = standings.insert(rung, standing);
            }
        }
        standings.extend(
            self.decided_against()
                .into_iter()
                .map(|rung| (rung, Standing::Breaks)),
        );
        standings
    }

    /// The guide's rules that end a ramp.
    fn rule_stop(&self) -> Option<Stop> {
        let ramp = self.ramp_levels();
        let last = ramp.last()?;
        let exhausted = last.server.as_ref().is_some_and(|server| {
            server.kv_used_ratio_max.is_some_and(|used| used >= KV_FULL)
                && server.preemptions.is_some_and(|count| count > 0.0)
        });
        let unbroken = self.bracket().1.is_none();
        if self.config.axis == Axis::Rate {
            return None;
        }
        if self.config.rules.resources_stop && exhausted && unbroken {
            return Some(Stop::Resources {
                at_streams: self.rung(last),
            });
        }
        let stalls = growth::stalls_from(&ramp, self.config.rules.least_growth);
        if let Some(from_streams) = stalls.filter(|_| self.config.rules.growth_stops) {
            return Some(Stop::Growth { from_streams });
        }
        if !unbroken {
            return None;
        }
        let falls = growth::stalls_from(&ramp, 0.0);
        if let Some(from_streams) = falls {
            return Some(Stop::Growth { from_streams });
        }
        growth::is_full_from(&ramp, FULL_BATCH_GROWTH)
            .filter(|_| !self.config.slo.minds_waiting())
            .map(|from_streams| Stop::FullBatch { from_streams })
    }

    /// Baseline and ramp levels by load; the latest visit of each.
    fn ramp_levels(&self) -> Vec<&LevelSummary> {
        let by_load: BTreeMap<u32, &LevelSummary> = self
            .levels
            .iter()
            .filter(|level| matches!(level.purpose, Purpose::Baseline | Purpose::Ramp))
            .map(|level| (self.rung(level), level))
            .collect();
        by_load.into_values().collect()
    }
}

/// Whether a level is a visit at the edge.
fn is_at_edge(level: &LevelSummary) -> bool {
    matches!(level.purpose, Purpose::Refine | Purpose::Confirm)
}

#[cfg(test)]
pub(crate) mod tests;
