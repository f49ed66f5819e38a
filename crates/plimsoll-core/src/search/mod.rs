//! The search: a pure state machine. Given the levels so far it says which one to run next, or
//! that it is done. It knows no HTTP and no clock, so it runs against model engines in seconds.
//!
//! | stage | what it runs | leaves it when |
//! |---|---|---|
//! | baseline | 1 stream | it has run |
//! | ramp | the next rung of the ladder, screened | something breaks, a stop rule holds, or the ladder ends |
//! | bisect | between the highest load that holds and the lowest that breaks, held shortly | they are within 5 % or one stream |
//! | refine | both ends of the bracket, and loads just outside it where they are in doubt, held until decided | no load beside the bracket is in doubt, or eight levels were held |
//!
//! The stage is not stored: it follows from the levels.

mod cause;
mod edge;
mod growth;
mod interval;
mod ladder;
mod outcome;
mod visits;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use cause::cause_of;
pub use ladder::{Ladder, LadderError};

use crate::judge::{self, SIDE};
use crate::level::{Hold, LevelPlan, LevelSummary, Load, OpenLoop, Purpose};
use crate::slo::Slo;
use crate::verdict::Verdict;

/// The bracket is closed at this ratio, or at one stream.
const BRACKET: f64 = 1.25;
/// The first rung of a doubling ladder where one stream is far from every bound.
const FIRST_IF_FAR: u32 = 8;
/// A void or unmeasurable level is tried this often.
const MOST_VISITS: usize = 2;
/// No level is held longer than this for the sake of a pass.
const LONGEST_FOR_PASS: Duration = Duration::from_secs(90);

/// The guide's rules beside the objectives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rules {
    /// Least growth of throughput per doubling, as a ratio: 0.2.
    pub least_growth: f64,
    /// Whether less growth stops the ramp (no SLO was given) or is a note.
    pub growth_stops: bool,
    /// Whether a full KV cache with preemptions stops the ramp.
    pub resources_stop: bool,
}

/// What is searched for, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchConfig {
    /// The objectives; not empty.
    pub slo: Slo,
    /// The stop rules.
    pub rules: Rules,
    /// The ramp's rungs.
    pub ladder: Ladder,
    /// First rung.
    pub start: u32,
    /// No level above this.
    pub most_streams: u32,
    /// Longest hold of a level; by the request time where it is not set.
    pub level_time: Option<Duration>,
    /// Time for the whole search.
    pub budget: Duration,
    /// Whether the gateway cap is held for some minutes at the end.
    pub confirm: bool,
    /// Planned mean as a share of the gateway cap, at most.
    pub headroom: f64,
    /// A request time to plan the first level with, as preflight estimates it.
    pub first_request_time: Duration,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Run this level.
    Run(LevelPlan),
    /// The answer.
    Done(Box<Verdict>),
}

/// A search in progress.
#[derive(Debug)]
pub struct Search {
    config: SearchConfig,
    levels: Vec<LevelSummary>,
}

/// Why a search is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Closed,
    Growth {
        from_streams: u32,
    },
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
        }
    }

    /// What is searched for.
    pub fn config(&self) -> &SearchConfig {
        &self.config
    }

    /// The levels so far, in the order run.
    pub fn levels(&self) -> &[LevelSummary] {
        &self.levels
    }

    /// Takes the summary of the level that was run.
    pub fn take(&mut self, summary: LevelSummary) {
        self.levels.push(summary);
    }

    /// What to do next, `elapsed` into the run.
    pub fn next(&self, elapsed: Duration) -> Next {
        let wanted = self.wanted(elapsed);
        match wanted {
            Ok(_) if elapsed >= self.config.budget => self.done(Stop::Budget, elapsed),
            Ok((streams, purpose)) => Next::Run(self.plan(streams, purpose, elapsed)),
            Err(stop) => self.done(stop, elapsed),
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
        if last.shows_no_server() {
            return Err(Stop::ServerGone {
                at_streams: load_of(last),
            });
        }
        if last.says_nothing() {
            let at_streams = load_of(last);
            let visits = self
                .levels
                .iter()
                .rev()
                .take_while(|level| level.says_nothing())
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
        match self.bracket() {
            (low, Some(high)) => self.refine(low, high, elapsed),
            (low, None) => self.ramp(low),
        }
    }

    fn ramp(&self, low: u32) -> Result<(u32, Purpose), Stop> {
        let most = self.config.most_streams;
        let rung = if low < self.config.start {
            Some(self.first_rung())
        } else {
            None
        };
        match rung
            .filter(|rung| *rung > low)
            .or_else(|| self.config.ladder.above(low))
        {
            Some(next) if next <= most => Ok((next, Purpose::Ramp)),
            Some(_) if low < most => Ok((most, Purpose::Ramp)),
            // "At least so many" is worth what the highest load was held for.
            _ if low > 0 && !self.was_held(low) => Ok((low, Purpose::Refine)),
            _ => Err(Stop::LadderEnd),
        }
    }

    /// Where one stream is far from every bound, the next loads would only cost time.
    fn first_rung(&self) -> u32 {
        let first = self.config.ladder.first(self.config.start);
        let is_far = self
            .levels
            .first()
            .is_some_and(|level| level.objectives.iter().all(|result| result.is_far_within()));
        if is_far && self.config.ladder == Ladder::Doubling {
            first.max(FIRST_IF_FAR)
        } else {
            first
        }
    }

    fn refine(&self, low: u32, high: u32, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        let at_edge =
            |level: &LevelSummary| matches!(level.purpose, Purpose::Refine | Purpose::Confirm);
        let is_wide = high > low + 1 && f64::from(high) > f64::from(low) * BRACKET;
        if low > 0 && is_wide && !self.levels.iter().any(at_edge) {
            return Ok((between(low, high), Purpose::Bisect));
        }
        self.visit(elapsed)
    }

    fn was_held(&self, load: u32) -> bool {
        self.levels
            .iter()
            .any(|level| load_of(level) == load && level.purpose == Purpose::Refine)
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

    /// Each load with what its latest held visit says, else its latest screened one.
    fn standings(&self) -> BTreeMap<u32, Standing> {
        let mut standings = BTreeMap::new();
        let held = |level: &&LevelSummary| level.purpose == Purpose::Refine;
        let screened = self.levels.iter().filter(|level| !held(level));
        for level in screened.chain(self.levels.iter().filter(held)) {
            let standing = if level.says_nothing() {
                Standing::Unknown
            } else if level.is_broken() {
                Standing::Breaks
            } else {
                Standing::Holds
            };
            if standing != Standing::Unknown || !standings.contains_key(&load_of(level)) {
                let _ = standings.insert(load_of(level), standing);
            }
        }
        standings
    }

    /// The guide's rules that end a ramp.
    fn rule_stop(&self) -> Option<Stop> {
        let ramp = self.ramp_levels();
        let last = ramp.last()?;
        let exhausted = last.server.as_ref().is_some_and(|server| {
            server
                .kv_used_ratio_max
                .is_some_and(|used| used >= cause::KV_FULL)
                && server.preemptions.is_some_and(|count| count > 0.0)
        });
        let unbroken = self.bracket().1.is_none();
        if self.config.rules.resources_stop && exhausted && unbroken {
            return Some(Stop::Resources {
                at_streams: load_of(last),
            });
        }
        let stalls = growth::stalls_from(&ramp, self.config.rules.least_growth);
        if let Some(from_streams) = stalls.filter(|_| self.config.rules.growth_stops) {
            return Some(Stop::Growth { from_streams });
        }
        growth::stalls_from(&ramp, 0.0)
            .filter(|_| unbroken)
            .map(|from_streams| Stop::Growth { from_streams })
    }

    /// Baseline and ramp levels by load; the latest visit of each.
    fn ramp_levels(&self) -> Vec<&LevelSummary> {
        let by_load: BTreeMap<u32, &LevelSummary> = self
            .levels
            .iter()
            .filter(|level| matches!(level.purpose, Purpose::Baseline | Purpose::Ramp))
            .map(|level| (load_of(level), level))
            .collect();
        by_load.into_values().collect()
    }

    fn plan(&self, streams: u32, purpose: Purpose, elapsed: Duration) -> LevelPlan {
        let request_time = self.last_request_time();
        let hold = match purpose {
            Purpose::Baseline | Purpose::Ramp => Hold::Screen,
            Purpose::Bisect => Hold::Short,
            Purpose::Refine => Hold::Visit,
            Purpose::Confirm => Hold::Confirm,
        };
        let by_request_time = match hold {
            // Eight requests take eight request times at one stream, and one at eight.
            Hold::Screen | Hold::Short => {
                Duration::from_secs(20).max(request_time.mul_f64(4.0 + 16.0 / f64::from(streams)))
            }
            Hold::Visit => {
                request_time.mul_f64(crate::tune("VISIT", 5.0) + 60.0 / f64::from(streams))
            }
            Hold::Confirm => self.confirm_time(request_time) - request_time * 2,
            Hold::Decide | Hold::Whole => Duration::from_secs(30)
                .max(
                    self.time_for_a_pass(streams, request_time)
                        .min(LONGEST_FOR_PASS),
                )
                .max(request_time * 12),
        };
        let remaining = self
            .config
            .budget
            .saturating_sub(elapsed)
            .max(Duration::from_secs(1));
        LevelPlan {
            index: self.levels.len() as u32,
            purpose,
            load: Load::Streams(streams),
            open_loop: OpenLoop::default(),
            hold,
            request_time,
            longest_hold: self.config.level_time.unwrap_or(by_request_time),
            longest: remaining,
        }
    }

    fn last_request_time(&self) -> Duration {
        self.levels
            .iter()
            .rev()
            .find_map(|level| level.e2e_ms.mean)
            .map_or(self.config.first_request_time, |ms| {
                Duration::from_secs_f64(ms / 1e3)
            })
    }

    /// How long `streams` take to bring the requests that a pass of this SLO needs at least.
    fn time_for_a_pass(&self, streams: u32, request_time: Duration) -> Duration {
        let requests = self
            .config
            .slo
            .0
            .iter()
            .filter_map(|objective| judge::least_requests_for_a_pass(objective, streams, SIDE))
            .max()
            .unwrap_or(0) as f64;
        request_time.mul_f64(requests / f64::from(streams))
    }
}

/// The streams of a level: a search runs no other load.
fn load_of(level: &LevelSummary) -> u32 {
    level.load.streams().unwrap_or(0)
}

/// The geometric middle of two loads that are not neighbours.
fn between(low: u32, high: u32) -> u32 {
    let middle = (f64::from(low) * f64::from(high)).sqrt().round() as u32;
    middle.clamp(low + 1, high - 1)
}

#[cfg(test)]
pub(crate) mod tests;
