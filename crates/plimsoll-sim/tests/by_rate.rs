//! The search along rates in virtual time, against engines whose capacity is found by long holds of
//! Poisson arrivals with other seeds and none of the search's code.

mod truth;

use std::time::Duration;

use plimsoll_core::level::{LevelSummary, Load, Purpose};
use plimsoll_core::runner::Runner;
use plimsoll_core::search::{Axis, Search, SearchConfig, Unheard, drive};
use plimsoll_core::slo::{Objective, Slo};
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Verdict, VerdictKind};
use plimsoll_core::workload::Workload;
use plimsoll_sim::{Engine, EngineParams, Job, PromptKey, VirtualRunner};
use truth::{engine, value_ms, workload};

/// Of one hold behind the truth.
const TRUTH_REQUESTS: usize = 40_000;
const WARM_UP: usize = 2_000;
/// Above this share of the saturation rate nothing is decided in minutes (statistics.md §8).
const DECIDABLE: f64 = 0.97;

struct Case {
    engine: EngineParams,
    workload: Workload,
    slo: &'static str,
    budget: Duration,
}

/// What a search found, and on which levels.
struct Found {
    verdict: Verdict,
    levels: Vec<LevelSummary>,
    took: Duration,
}

impl Case {
    fn objective(&self) -> Objective {
        self.slo.parse().expect("a valid objective")
    }

    fn search(&self, seed: u64) -> Found {
        let slo: Slo = self.slo.parse().expect("a valid objective");
        let mut search = Search::new(SearchConfig {
            axis: Axis::Rate,
            budget: self.budget,
            ..SearchConfig::new(slo.clone())
        });
        let mut runner = VirtualRunner::new(self.engine.clone(), self.workload, seed);
        let Ok(()) = drive(&mut search, &mut runner, &mut Unheard);
        let took = runner.now().since(Offset::ZERO);
        let levels = search.levels().to_vec();
        assert!(levels.iter().all(|level| level.requests.balance()));
        Found {
            verdict: search.verdict(took),
            levels,
            took,
        }
    }

    /// The metric over its bound at a rate, by a long hold: 1 is the edge.
    fn over_bound(&self, rate_per_s: f64, seed: u64) -> f64 {
        let objective = self.objective();
        let mut values = hold(self, Some(rate_per_s), seed).values_ms;
        values.sort_by(f64::total_cmp);
        let allowed = objective.allowed_share().expect("a quantile");
        values[((1.0 - allowed) * values.len() as f64) as usize] / objective.bound
    }

    /// Completions per second with a standing queue.
    fn saturation_per_s(&self) -> f64 {
        hold(self, None, 77).completed_per_s
    }

    /// The highest rate whose long hold is within the bound, up to what minutes can decide.
    fn truth(&self) -> f64 {
        let most = self.saturation_per_s() * DECIDABLE;
        if self.over_bound(most, 999) <= 1.0 {
            return most;
        }
        let (mut low, mut high) = (0.0, most);
        while high - low > 0.003 * most {
            let middle = f64::midpoint(low, high);
            if self.over_bound(middle, 1_000) <= 1.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    fn check(&self) {
        self.check_by(&[1]);
    }

    fn check_by(&self, seeds: &[u64]) {
        let (truth, saturation) = (self.truth(), self.saturation_per_s());
        for seed in seeds {
            self.check_found(&self.search(*seed), truth, saturation);
        }
    }

    fn check_found(&self, found: &Found, truth: f64, saturation: f64) {
        let verdict = &found.verdict;
        assert_eq!(verdict.kind, VerdictKind::Capacity);
        let capacity = verdict.capacity.expect("there is one");
        let in_rate = |load: Load| load.rate_per_s().expect("a search of rates");
        let (per_s, lower_per_s) = (in_rate(capacity.at), in_rate(capacity.lower));
        let upper_per_s = capacity.upper.map(in_rate);
        let metric = self.over_bound(per_s, 5_000);
        assert!(
            (per_s / truth - 1.0).abs() <= 0.05 || (metric - 1.0).abs() <= 0.05,
            "found {per_s}, truth {truth}, metric / bound {metric:.3}"
        );
        // A rung is 1 %.
        assert!(
            lower_per_s <= truth * 1.01 && upper_per_s.is_none_or(|upper| truth <= upper * 1.01),
            "interval {lower_per_s} to {upper_per_s:?}, truth {truth}"
        );
        assert!(
            per_s <= DECIDABLE * saturation * 1.01,
            "{per_s} of {saturation}"
        );
        assert!(
            found.took <= self.budget + Duration::from_secs(1),
            "{:?}",
            found.took
        );
        let saturating = |level: &&LevelSummary| level.purpose == Purpose::Saturation;
        assert_eq!(found.levels.iter().filter(saturating).count(), 1);
    }
}

struct Held {
    values_ms: Vec<f64>,
    completed_per_s: f64,
}

/// Arrivals of its own at a rate, or a standing queue; what the requests after a warm-up show.
fn hold(case: &Case, rate_per_s: Option<f64>, seed: u64) -> Held {
    let workload = Workload {
        seed,
        ..case.workload
    };
    let mut engine = Engine::new(case.engine.clone(), seed);
    let metric = case.objective().metric;
    let queue = 2 * case.engine.max_num_seqs as usize;
    let mut random = SplitMix(seed);
    // By number of the request: when it was due and when its first token came, ns.
    let mut requests: Vec<(u64, Option<u64>, u32)> = Vec::new();
    let (mut values_ms, mut ended, mut now, mut due, mut warm_at) = (Vec::new(), 0, 0, 0u64, 0);
    while values_ms.len() < TRUTH_REQUESTS {
        let is_due = |due: u64, inside: usize| match rate_per_s {
            Some(_) => due <= now || inside == 0,
            None => inside < queue,
        };
        while is_due(due, requests.len() - ended) {
            let id = requests.len() as u64;
            let lengths = workload.lengths(id);
            let at = if rate_per_s.is_some() { due } else { now };
            requests.push((at, None, lengths.output_tokens));
            let _ = engine.submit(
                at.max(now),
                Job {
                    id,
                    prompt: PromptKey::unshared(),
                    prompt_tokens: lengths.input_tokens,
                    output_tokens: lengths.output_tokens,
                },
            );
            if let Some(rate) = rate_per_s {
                due += (-random.uniform().ln() / rate * 1e9) as u64;
            }
        }
        let step = engine.step().expect("requests are inside");
        now = step.end_ns();
        for &id in &step.tokens {
            let _ = requests[id as usize].1.get_or_insert(now);
        }
        for &id in &step.finished {
            ended += 1;
            if ended == WARM_UP {
                warm_at = now;
            }
            let (due, first, tokens) = requests[id as usize];
            let first = first.expect("it has finished");
            if ended > WARM_UP {
                values_ms.push(value_ms(metric, due, first, now, tokens));
            }
        }
    }
    Held {
        completed_per_s: values_ms.len() as f64 / ((now - warm_at) as f64 / 1e9),
        values_ms,
    }
}

/// Steele, Lea & Flood 2014.
struct SplitMix(u64);

impl SplitMix {
    /// In (0, 1].
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((mixed >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}

#[test]
fn a_queue_before_a_cap_on_sequences_is_found() {
    Case {
        engine: EngineParams {
            max_num_seqs: 24,
            ..engine()
        },
        workload: workload(128, 48),
        slo: "ttft p95 <= 200ms",
        budget: Duration::from_secs(900),
    }
    .check();
}

/// The second search meets a burst below the edge, and looks again.
#[test]
fn prefill_that_binds_is_found() {
    Case {
        engine: EngineParams {
            prefill_us_per_token: 60.0,
            ..engine()
        },
        workload: workload(512, 16),
        slo: "ttft p95 <= 300ms",
        budget: Duration::from_secs(900),
    }
    .check_by(&[1, 4]);
}

#[test]
fn a_smooth_edge_of_tpot_is_found() {
    Case {
        engine: EngineParams {
            sequence_us: 100.0,
            ..engine()
        },
        workload: workload(128, 64),
        slo: "tpot p95 <= 8ms",
        budget: Duration::from_secs(900),
    }
    .check();
}

/// Requests of about 10 s, of which two fit in.
#[test]
fn less_than_one_request_per_second_is_found() {
    Case {
        engine: EngineParams {
            step_base_us: 200_000.0,
            max_num_seqs: 2,
            ..engine()
        },
        workload: workload(128, 48),
        slo: "ttft p95 <= 10s",
        budget: Duration::from_secs(4 * 3_600),
    }
    .check();
}

/// Without a bound on waiting nothing but the growing queue tells that the rate is too high.
#[test]
fn a_rate_that_no_objective_minds_ends_where_it_is_unstable() {
    Case {
        engine: EngineParams {
            max_num_seqs: 24,
            ..engine()
        },
        workload: workload(128, 48),
        slo: "tpot p95 <= 50ms",
        budget: Duration::from_secs(900),
    }
    .check();
}
