//! What a level is asked to be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LevelSettings, Load};
use crate::schedule::{OpenLoopDues, Redraw, open_loop};
use crate::time::Offset;

/// Why a level is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// One stream: the service time.
    Baseline,
    /// A rung of the ladder, screened.
    Ramp,
    /// Between a load that holds and one that breaks, held shortly to halve the bracket.
    Bisect,
    /// At the edge, one visit among several.
    Refine,
    /// Streams with a standing queue: the rate that the server saturates at.
    Saturation,
    /// At the gateway cap, held for minutes at the end.
    Confirm,
}

/// How long a level is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Until nothing contradicts it for a while: max(1.5 request times, 8 requests), and up to
    /// 5 request times where those are short.
    Screen,
    /// For two request times and 8 requests: enough to halve a bracket whose ends are held later.
    Short,
    /// For eight request times and 40 requests, or until the SLO is broken: one of several visits.
    Visit,
    /// Until the objectives are decided.
    Decide,
    /// To the end of the longest hold, or until the SLO is broken.
    Confirm,
    /// The whole of the longest hold, whatever it shows.
    Whole,
    /// Until so many requests have ended, well or not; some more, where many end between two looks.
    Requests(u64),
}

/// How the arrivals of an open loop come, and how many of them may be in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// Gamma shape of the gaps between arrivals: 1 is Poisson, infinity is constant gaps.
    #[serde(with = "shape")]
    pub burstiness: f64,
    /// At most this many in flight; what arrives beyond it waits in the client, and its latencies
    /// count from its due time all the same.
    pub most_in_flight: Option<u32>,
    /// Seed of the gaps.
    pub seed: u64,
}

impl Default for OpenLoop {
    fn default() -> Self {
        Self {
            burstiness: 1.0,
            most_in_flight: None,
            seed: 0,
        }
    }
}

impl Purpose {
    /// How long a level of this purpose is held.
    pub fn hold(self) -> Hold {
        match self {
            Self::Baseline | Self::Ramp => Hold::Screen,
            Self::Bisect => Hold::Short,
            Self::Refine | Self::Saturation => Hold::Visit,
            Self::Confirm => Hold::Confirm,
        }
    }
}

/// One level: a load that is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelPlan {
    /// Index within the run.
    pub index: u32,
    /// Why it is run.
    pub purpose: Purpose,
    /// What is put on the server.
    pub load: Load,
    /// Only where the load is a rate: how its arrivals come.
    pub open_loop: OpenLoop,
    /// How long it is held.
    pub hold: Hold,
    /// Mean request time of the last level; an estimate where there was none.
    pub request_time: Duration,
    /// The window ends here, decided or not; a little later where the server is quiet then.
    pub longest_hold: Duration,
    /// The level ends here with all that came before its window: what is left of the budget. While
    /// nothing comes from the server it goes on for a minute at most.
    pub longest: Duration,
    /// How it is carried and judged.
    pub settings: LevelSettings,
}

impl LevelPlan {
    /// How many requests are in flight once the level is full: its streams, or by Little's law
    /// what its arrivals make with the request time known so far.
    pub fn streams(&self) -> u32 {
        match self.load {
            Load::Streams(streams) => streams,
            Load::RatePerS(rate) => (rate * self.request_time.as_secs_f64()).round() as u32,
        }
    }

    /// The streams of a closed loop; none where the load is a rate.
    pub fn closed_streams(&self) -> u32 {
        self.load.streams().unwrap_or(0)
    }

    /// Due times since the level's start, where the load is a rate.
    pub fn dues(&self) -> Option<OpenLoopDues> {
        let rate = self.load.rate_per_s()?;
        let OpenLoop {
            burstiness, seed, ..
        } = self.open_loop;
        Some(open_loop(rate, self.request_time, burstiness, seed))
    }

    /// Over how long the new streams start: 1.5 of the last level's mean request time, so that no
    /// burst of prefills is measured as if it were service (method.md §4.1). Where few streams join
    /// many the burst is small and the spread in proportion; where none join there is none, and none
    /// where all are to start at once. Arrivals fill the server within one request time.
    pub fn handover(&self, streams_before: u32) -> Duration {
        if self.load.rate_per_s().is_some() {
            return self.request_time;
        }
        let new = f64::from(self.streams().saturating_sub(streams_before));
        let share = (new / f64::from(streams_before.max(1))).min(1.0);
        if self.settings.think.is_some() {
            // Users come over a whole cycle (`ThinkTime::join`); those in flight fill up in this.
            self.request_time.mul_f64(1.5)
        } else if self.streams() <= 1 || self.settings.burst {
            Duration::ZERO
        } else {
            self.request_time.mul_f64(1.5 * share)
        }
    }

    /// The redraws of the phases of a level that starts at `from`; `None` where phases mix by
    /// themselves, or where there is one stream.
    pub fn redraw(&self, from: Offset) -> Option<Redraw> {
        let several = self.load.streams().is_some_and(|streams| streams > 1);
        self.settings
            .redraw_seed
            .filter(|_| several)
            .map(|seed| Redraw {
                from,
                request_time: self.request_time,
                seed,
            })
    }
}

/// A gamma shape in a file: infinity has no number in JSON and is absent.
mod shape {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape of serde's `with`"
    )]
    pub(super) fn serialize<S: Serializer>(shape: &f64, to: S) -> Result<S::Ok, S::Error> {
        shape.is_finite().then_some(*shape).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
    }
}
