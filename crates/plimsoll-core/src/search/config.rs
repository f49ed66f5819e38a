//! What a search looks for, and by which rules.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Axis, Ladder};
use crate::level::{LevelSettings, OpenLoop};
use crate::slo::Slo;

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
    /// What is searched along.
    pub axis: Axis,
    /// The stop rules.
    pub rules: Rules,
    /// The ramp's streams.
    pub ladder: Ladder,
    /// First number of streams of the ramp.
    pub start: u32,
    /// No more streams than this.
    pub most_streams: u32,
    /// No more arrivals per second than this.
    pub most_rate_per_s: f64,
    /// How arrivals come, where a rate is searched for.
    pub open_loop: OpenLoop,
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
    /// How all levels are carried and judged.
    pub settings: LevelSettings,
}

impl SearchConfig {
    /// Streams by doubling from 2, in 15 minutes, for an SLO that the user gave.
    pub fn new(slo: Slo) -> Self {
        Self {
            slo,
            axis: Axis::Streams,
            rules: Rules {
                least_growth: 0.2,
                growth_stops: false,
                resources_stop: false,
            },
            ladder: Ladder::Doubling,
            start: 2,
            most_streams: 1_024,
            most_rate_per_s: 10_000.0,
            open_loop: OpenLoop::default(),
            level_time: None,
            budget: Duration::from_secs(900),
            confirm: true,
            headroom: 0.75,
            first_request_time: Duration::from_secs(1),
            settings: LevelSettings::default(),
        }
    }
}
