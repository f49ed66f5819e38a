//! Two SLOs in one run, in virtual time, against an engine whose capacity within each is found by
//! long holds with none of the search's code.

use std::time::Duration;

use plimsoll_core::level::{FinishedLevel, LevelPlan, LevelSettings, Load, OpenLoop, Purpose};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Listener, SearchConfig, Searches, drive};
use plimsoll_core::slo::{Metric, Slo};
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Verdict, VerdictKind};
use plimsoll_core::workload::Workload;
use plimsoll_sim::{EngineParams, VirtualRunner};

const GOLD: &str = "tpot p95 <= 8ms";
/// Breaks a little above gold.
const SILVER: &str = "tpot p95 <= 8.2ms";
/// Breaks where the batch is full.
const BRONZE: &str = "ttft p95 <= 200ms";
const MOST_STREAMS: u32 = 128;

/// A batch of 64, whose steps take longer the fuller it is.
fn runner(seed: u64) -> VirtualRunner {
    let engine = EngineParams {
        step_base_us: 4_000.0,
        prefill_us_per_token: 10.0,
        sequence_us: 100.0,
        kv_us_per_token: 0.02,
        max_num_seqs: 64,
        max_num_batched_tokens: 2_048,
        kv_blocks: 100_000,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.05,
        prefix_cache: false,
        max_model_len: 8_192,
    };
    VirtualRunner::new(engine, Workload::uniform(128, 64, 0.2, seed), seed)
}

fn slo(text: &str) -> Slo {
    text.parse().expect("objectives")
}

/// How many levels were run.
struct Counted(usize);

impl Listener for Counted {
    type Error = std::convert::Infallible;

    fn finished(&mut self, _level: FinishedLevel) -> Result<(), Self::Error> {
        self.0 += 1;
        Ok(())
    }
}

/// The answers of a run, and how many levels it took.
fn search(first: &str, others: &[&str]) -> (Vec<Verdict>, usize) {
    let config = SearchConfig {
        most_streams: MOST_STREAMS,
        ..SearchConfig::new(slo(first))
    };
    let others: Vec<Slo> = others.iter().map(|text| slo(text)).collect();
    let mut tiers = Searches::new(&config, &others);
    let mut runner = runner(1);
    let mut counted = Counted(0);
    let Ok(()) = drive(&mut tiers, &mut runner, &mut counted);
    let elapsed = runner.now().since(Offset::ZERO);
    (tiers.verdicts(elapsed), counted.0)
}

/// The p95 of an SLO's one metric over its bound, by a hold of 100 s at a load.
fn over_bound(text: &str, streams: u32) -> f64 {
    let objective = slo(text).0[0];
    let hold = Duration::from_secs(100);
    let plan = LevelPlan {
        index: 0,
        purpose: Purpose::Confirm,
        load: Load::Streams(streams),
        settings: LevelSettings::default(),
        open_loop: OpenLoop::default(),
        hold: plimsoll_core::level::Hold::Whole,
        request_time: Duration::from_millis(500),
        longest_hold: hold,
        longest: hold * 2,
    };
    let mut runner = runner(1_000 + u64::from(streams));
    let Ok(level) = runner.run_level(plan, &slo(text), &mut |_| Go::On);
    let value = match objective.metric {
        Metric::Tpot => level.summary.tpot_ms.p95,
        _ => level.summary.ttft_ms.p95,
    };
    value.expect("many requests") / objective.bound
}

/// The largest load within an SLO, by bisection over all loads.
fn truth(text: &str) -> u32 {
    let (mut low, mut high) = (0, MOST_STREAMS);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if over_bound(text, middle) <= 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

fn assert_found(text: &str, verdict: &Verdict) {
    assert_eq!(verdict.kind, VerdictKind::Capacity);
    let (found, truth) = (verdict.capacity.expect("there is one"), truth(text));
    let error = (found.at.amount() - f64::from(truth)).abs();
    assert!(
        error <= (0.05 * f64::from(truth)).max(1.0),
        "{text}: {found:?}, truth {truth}"
    );
    let truth = Load::Streams(truth);
    assert!(found.lower <= truth && found.upper.is_some_and(|upper| truth <= upper));
    let confirmed = verdict.confirmed.expect("the cap is held at the end");
    // The hold itself may move the interval by a little.
    let off = (confirmed.load.amount() - found.lower.amount()).abs();
    assert!(off <= 2.0, "held at {:?}, {found:?}", confirmed.load);
}

#[test]
fn tiers_that_break_at_near_loads_share_their_visits() {
    let (verdicts, together) = search(GOLD, &[SILVER]);
    assert_found(GOLD, &verdicts[0]);
    assert_found(SILVER, &verdicts[1]);
    let apart = search(GOLD, &[]).1 + search(SILVER, &[]).1;
    // One stream, 8, 16, and 32 are run once, whatever the visits save.
    assert!(together + 4 <= apart, "{together} of {apart}");
}

#[test]
fn tiers_that_break_far_from_each_other_are_both_right() {
    let (verdicts, _) = search(GOLD, &[BRONZE]);

    assert_found(GOLD, &verdicts[0]);
    assert_found(BRONZE, &verdicts[1]);
}
