//! The plan of the level that is asked for: how long it is held, with which arrivals and waits.

use std::time::Duration;

use super::{Axis, Search};
use crate::level::{Hold, LevelPlan, LevelSettings, LevelSummary, Load, OpenLoop, Purpose};
use crate::workload::ThinkTime;

/// A level is screened for this long at least, if it does not show enough requests before.
const LONGEST_SCREEN: Duration = Duration::from_secs(20);
/// Spreads the numbers of levels over all seeds: 2^64 by the golden ratio (Steele, Lea & Flood 2014).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Search {
    pub(super) fn plan(&self, rung: u32, purpose: Purpose, elapsed: Duration) -> LevelPlan {
        let load = match purpose {
            Purpose::Baseline => Load::Streams(1),
            Purpose::Saturation => Load::Streams(self.saturating_streams()),
            _ => self.config.axis.load(rung),
        };
        let request_time = self.last_request_time();
        let think = self.think(load, purpose);
        let is_contested = purpose == Purpose::Refine && self.is_contested(rung);
        let remaining = self
            .config
            .budget
            .saturating_sub(elapsed)
            .max(Duration::from_secs(1));
        LevelPlan {
            index: self.levels.len() as u32,
            purpose,
            load,
            open_loop: self.open_loop(),
            hold: if is_contested {
                Hold::Decide
            } else {
                hold_of(load, purpose)
            },
            request_time,
            longest_hold: self.config.level_time.unwrap_or_else(|| {
                if is_contested {
                    self.confirm_time(request_time)
                } else {
                    self.longest_hold(load, purpose, request_time)
                }
            }),
            longest: remaining,
            settings: LevelSettings {
                think,
                ..self.config.settings
            },
        }
    }

    /// Arrivals of their own for every level: those that visits share would show the same luck again.
    fn open_loop(&self) -> OpenLoop {
        let level = self.levels.len() as u64 + 1;
        OpenLoop {
            seed: self.config.open_loop.seed ^ level.wrapping_mul(GOLDEN),
            ..self.config.open_loop
        }
    }

    /// How long the streams of a level wait. Those that find out what the server is able to, alone
    /// or saturated, do not.
    fn think(&self, load: Load, purpose: Purpose) -> Option<ThinkTime> {
        let is_free = matches!(purpose, Purpose::Baseline | Purpose::Saturation);
        self.config
            .settings
            .think
            .filter(|_| !is_free && load.streams().is_some())
    }

    /// How long a level is held at most.
    fn longest_hold(&self, load: Load, purpose: Purpose, request_time: Duration) -> Duration {
        let in_flight = match load {
            Load::Streams(streams) => f64::from(streams),
            Load::RatePerS(rate) => rate * request_time.as_secs_f64(),
        };
        let think = self.think(load, purpose);
        let cycle = request_time + think.map_or(Duration::ZERO, |think| think.mean);
        // So many requests take so many cycles at one stream, and one at as many streams.
        let requests = |least: f64| cycle.mul_f64(least / in_flight.max(0.01));
        match purpose {
            Purpose::Baseline | Purpose::Ramp | Purpose::Bisect => {
                LONGEST_SCREEN.max(request_time * 4 + requests(16.0))
            }
            Purpose::Saturation => self.saturation_time(),
            Purpose::Refine if self.config.axis == Axis::Rate => self.rate_visit_time(request_time),
            Purpose::Refine => request_time * 8 + requests(60.0),
            Purpose::Confirm => self.confirm_time(request_time),
        }
    }

    /// Mean request time of the last level; by rate of the last one that did not break, for in a
    /// queue without end it is that of the hold.
    pub(super) fn last_request_time(&self) -> Duration {
        let is_streams = self.config.axis == Axis::Streams;
        let is_telling = |level: &&LevelSummary| {
            is_streams || (!level.is_broken() && level.purpose != Purpose::Saturation)
        };
        let mut telling = self.levels.iter().rev().filter(is_telling);
        telling
            .find_map(|level| level.e2e_ms.mean)
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1e3).ok())
            .unwrap_or(self.config.first_request_time)
    }
}

/// A rate is held to the end unless it breaks, and the saturating streams whatever they break: a
/// queue shows itself late.
fn hold_of(load: Load, purpose: Purpose) -> Hold {
    match (load, purpose) {
        (_, Purpose::Saturation) => Hold::Whole,
        (Load::RatePerS(_), Purpose::Refine) => Hold::Confirm,
        _ => purpose.hold(),
    }
}
