//! The runs behind the pictures, in virtual time: the same at every call.

use std::time::Duration;

use anyhow::{Context, Result};
use plimsoll_core::level::{FinishedLevel, Hold, LevelPlan, LevelSummary, Load, OpenLoop, Purpose};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Levels, Search, SearchConfig, TierLevel, Unheard, drive};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Capacity, Verdict};
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, Profile, VirtualRunner};

const SEED: u64 = 1;
const INPUT_TOKENS: u32 = 512;
const OUTPUT_TOKENS: u32 = 128;

/// A finished search.
pub(super) struct Found {
    pub(super) slo: Slo,
    pub(super) levels: Vec<LevelSummary>,
    /// The capacity as known after each level.
    pub(super) known: Vec<Option<Capacity>>,
    /// The chance of a capacity of at least so many streams, at the end.
    pub(super) chances: Vec<(f64, f64)>,
    pub(super) verdict: Verdict,
}

/// A level and the one before it.
pub(super) struct Pair {
    pub(super) before: FinishedLevel,
    pub(super) level: FinishedLevel,
}

fn runner(engine: EngineParams, spread_ratio: f64) -> VirtualRunner {
    let workload = Workload::uniform(INPUT_TOKENS, OUTPUT_TOKENS, spread_ratio, SEED);
    VirtualRunner::new(engine, workload, SEED)
}

fn toy() -> Result<EngineParams> {
    let profile = Profile::named("toy").context("there is no profile `toy`")?;
    Ok(profile.engine)
}

/// Below the cap of its engine TTFT grows gently with the load: a bound that is met well below.
pub(super) const SMOOTH: &str = "ttft p95 <= 50 ms";
/// A bound that is met just below the cap.
pub(super) const STEEP: &str = "ttft p95 <= 60 ms";

/// A search on an engine that takes 48 requests at once.
pub(super) fn search(slo: &str) -> Result<Found> {
    let engine = EngineParams {
        max_num_seqs: 48,
        step_base_us: 8_000.0,
        sequence_us: 60.0,
        ..toy()?
    };
    let slo: Slo = slo.parse()?;
    let mut watched = Watched {
        search: Search::new(SearchConfig::new(slo.clone())),
        elapsed: Duration::ZERO,
        known: Vec::new(),
    };
    let mut runner = runner(engine, 0.1);
    let Ok(()) = drive(&mut watched, &mut runner, &mut Unheard);
    let search = watched.search;
    Ok(Found {
        slo,
        levels: search.levels().to_vec(),
        known: watched.known,
        chances: search.chances(),
        verdict: search.verdict(runner.now().since(Offset::ZERO)),
    })
}

/// A search, and what is known after each of its levels.
struct Watched {
    search: Search,
    /// When its last level began.
    elapsed: Duration,
    known: Vec<Option<Capacity>>,
}

impl Levels for Watched {
    fn next(&mut self, elapsed: Duration) -> Option<TierLevel> {
        self.elapsed = elapsed;
        Levels::next(&mut self.search, elapsed)
    }

    fn take(&mut self, finished: &FinishedLevel) -> LevelSummary {
        let summary = Levels::take(&mut self.search, finished);
        let known = self.search.interrupted(self.elapsed).capacity;
        self.known.push(known);
        summary
    }
}

/// From 4 to 10 streams.
pub(super) fn level() -> Result<Pair> {
    let slo: Slo = "ttft p95 <= 500 ms".parse()?;
    let mut runner = runner(toy()?, 0.5);
    let mut held = |index, streams| {
        let plan = LevelPlan {
            index,
            purpose: Purpose::Ramp,
            load: Load::Streams(streams),
            open_loop: OpenLoop::default(),
            hold: Hold::Screen,
            request_time: Duration::from_millis(250),
            longest_hold: Duration::from_secs(60),
            longest: Duration::from_secs(60),
            settings: plimsoll_core::level::LevelSettings::default(),
        };
        let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
        level
    };
    Ok(Pair {
        before: held(0, 4),
        level: held(1, 10),
    })
}
