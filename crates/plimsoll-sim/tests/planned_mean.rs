//! The mean load to plan for, proved: at the arrivals of independent users that make it, ten engines
//! of different kinds keep the objectives that they were searched for, and the mean is no more than is
//! in flight then. Everything in virtual time.

#[allow(dead_code, reason = "each test binary uses a part of it")]
mod truth;

use std::time::Duration;

use plimsoll_core::level::{
    Hold, LevelPlan, LevelSettings, LevelSummary, LevelVerdict, Load, OpenLoop, Purpose,
};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Search, SearchConfig, Unheard, drive};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::Recommended;
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, VirtualRunner};
use truth::{engine, workload};

/// Requests of the open loop.
const REQUESTS: f64 = 12_000.0;

struct Case {
    name: &'static str,
    engine: EngineParams,
    workload: Workload,
    slo: &'static str,
}

fn cases() -> [Case; 10] {
    let case = |name, engine, workload, slo| Case {
        name,
        engine,
        workload,
        slo,
    };
    let seqs = |max_num_seqs| EngineParams {
        max_num_seqs,
        ..engine()
    };
    let cache = EngineParams {
        kv_blocks: 700,
        ..engine()
    };
    let prefill = EngineParams {
        prefill_us_per_token: 60.0,
        ..engine()
    };
    let decode = EngineParams {
        sequence_us: 100.0,
        ..engine()
    };
    let slow = EngineParams {
        step_base_us: 40_000.0,
        max_num_seqs: 4,
        ..engine()
    };
    [
        case(
            "a cap on sequences",
            seqs(24),
            workload(128, 48),
            "ttft p95 <= 200ms",
        ),
        case(
            "few places",
            seqs(8),
            workload(128, 48),
            "ttft p95 <= 100ms",
        ),
        case(
            "four slow places",
            slow,
            workload(128, 48),
            "ttft p95 <= 1s",
        ),
        case(
            "a queue below the capacity",
            seqs(24),
            workload(128, 48),
            "ttft mean <= 400ms",
        ),
        case(
            "a strict quantile",
            seqs(24),
            workload(128, 48),
            "ttft p99 <= 200ms",
        ),
        case("prefill", prefill, workload(512, 16), "ttft p95 <= 300ms"),
        case(
            "decode",
            decode.clone(),
            workload(128, 64),
            "tpot p95 <= 8ms",
        ),
        case(
            "the pace of a stream",
            decode,
            workload(128, 64),
            "speed p5 >= 120 tok/s",
        ),
        case("the cache", cache, workload(256, 64), "ttft p95 <= 500ms"),
        case(
            "goodput",
            seqs(48),
            workload(128, 48),
            "goodput >= 95%, ttft p95 <= 300ms, tpot p95 <= 10ms",
        ),
    ]
}

impl Case {
    fn slo(&self) -> Slo {
        self.slo.parse().expect("valid objectives")
    }

    /// What a search advises.
    fn find(&self) -> Recommended {
        let mut search = Search::new(SearchConfig {
            budget: Duration::from_secs(600),
            ..SearchConfig::new(self.slo())
        });
        let mut runner = VirtualRunner::new(self.engine.clone(), self.workload, 1);
        let Ok(()) = drive(&mut search, &mut runner, &mut Unheard);
        let verdict = search.verdict(runner.now().since(Offset::ZERO));
        let advice = verdict.recommended;
        advice.unwrap_or_else(|| panic!("{}: nothing to set: {verdict:?}", self.name))
    }

    /// What `check --rate` sees at a rate.
    fn check(&self, rate_per_s: f64, request_time: Duration) -> LevelSummary {
        let mut runner = VirtualRunner::new(self.engine.clone(), self.workload, 77);
        let plan = LevelPlan {
            index: 0,
            purpose: Purpose::Confirm,
            load: Load::RatePerS(rate_per_s),
            open_loop: OpenLoop {
                seed: 77,
                ..OpenLoop::default()
            },
            hold: Hold::Whole,
            request_time,
            longest_hold: Duration::from_secs_f64(REQUESTS / rate_per_s),
            longest: Duration::from_secs(864_000),
            settings: LevelSettings::default(),
        };
        let Ok(level) = runner.run_level(plan, &self.slo(), &mut |_| Go::On);
        level.summary
    }
}

#[test]
fn arrivals_that_make_the_planned_mean_keep_the_objectives() {
    let failed: Vec<String> = cases().iter().filter_map(fault).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What is wrong with the advice for an engine.
fn fault(case: &Case) -> Option<String> {
    let (name, advice) = (case.name, case.find());
    let Some(rate) = advice.request_per_s else {
        return Some(format!("{name}: no rate: {advice:?}"));
    };
    let request_time = Duration::from_secs_f64(advice.mean_amount / rate);
    let held = case.check(rate, request_time);
    let (verdict, objectives) = (held.verdict, &held.objectives);
    let holds = matches!(verdict, LevelVerdict::Pass | LevelVerdict::Undecided);
    if !holds || held.is_broken() {
        return Some(format!("{name}: {verdict:?} at {advice:?}: {objectives:?}"));
    }
    // Where arrivals wait more are in flight than the mean says; fewer would mean that it is too high.
    let in_flight = held.client.achieved_concurrency?;
    let is_too_high = advice.mean_amount > in_flight * 1.15;
    is_too_high.then(|| format!("{name}: {in_flight} in flight, planned {advice:?}"))
}
