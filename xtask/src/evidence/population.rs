//! The engines, written down before any result is seen (statistics.md, "Simulator").
//!
//! | what | law |
//! |---|---|
//! | step base | 4–25 ms, log-uniform, as all that follow |
//! | prefill, per token | 0.02–0.2 ms |
//! | sequence in a step | 0.01–0.15 ms |
//! | KV token in a step | 3e-6–5e-5 ms |
//! | KV cache | 30k–600k tokens in blocks of 16 |
//! | prompt, mean | 128–2,048 tokens |
//! | answer, mean | 64–400 tokens |
//! | sequence cap | 32, 64, 128, 256 |
//! | token budget of a step | 512, 2,048, 8,192 |
//! | CV of both lengths | 0.3, 0.6, 1.0, lognormal |
//! | TTFT p95, at most | 0.3, 0.5, 1, 2 s |
//! | TPOT p95, at most | 20, 30, 50, 100 ms |

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::slo::Slo;
use plimsoll_core::workload::Lengths;
use plimsoll_sim::EngineParams;
use plimsoll_sim::fast::{Delivery, FastEngine, Prefix, Stalls, Tenants, Trouble, batch};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Lengths in a table: enough that no level of a search sees it twice.
const LENGTHS: usize = 1 << 15;
/// Coefficient of variation of a step's time.
const JITTER: f64 = 0.05;
/// Requests of a long hold whose times are kept.
const LONG: u64 = 60_000;
/// Tokens of a KV block.
const BLOCK: u32 = 16;

/// One engine with its workload and its SLO.
pub(super) struct Subject {
    pub(super) engine: EngineParams,
    pub(super) trouble: Trouble,
    pub(super) lengths: Arc<[Lengths]>,
    pub(super) ttft_p95_ms: f64,
    pub(super) tpot_p95_ms: f64,
    /// What breaks the model's assumptions, in words; empty in the first population.
    pub(super) kind: &'static str,
}

impl Subject {
    /// Engine `number` of the set `seed` of the first population.
    pub(super) fn steady(seed: u64, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let mut between = |low: f64, high: f64| -> f64 {
            (low.ln() + rng.random::<f64>() * (high / low).ln()).exp()
        };
        let (base_ms, prefill_ms) = (between(4.0, 25.0), between(0.02, 0.2));
        let (sequence_ms, kv_ms) = (between(0.01, 0.15), between(3e-6, 5e-5));
        let kv_tokens = between(30e3, 600e3);
        let (prompt, answer) = (between(128.0, 2_048.0), between(64.0, 400.0));
        let mut one_of = |all: &[f64]| *all.choose(&mut rng).unwrap_or(&all[0]);
        let max_num_seqs = one_of(&[32.0, 64.0, 128.0, 256.0]);
        let budget = one_of(&[512.0, 2_048.0, 8_192.0]);
        let cv = one_of(&[0.3, 0.6, 1.0]);
        let ttft_p95_ms = one_of(&[300.0, 500.0, 1_000.0, 2_000.0]);
        let tpot_p95_ms = one_of(&[20.0, 30.0, 50.0, 100.0]);
        let engine = EngineParams {
            step_base_us: base_ms * 1e3,
            prefill_us_per_token: prefill_ms * 1e3,
            sequence_us: sequence_ms * 1e3,
            kv_us_per_token: kv_ms * 1e3,
            max_num_seqs: max_num_seqs as u32,
            max_num_batched_tokens: budget as u32,
            kv_blocks: (kv_tokens / f64::from(BLOCK)) as u32,
            block_tokens: BLOCK,
            queue_limit: None,
            jitter_cv: JITTER,
            prefix_cache: false,
            max_model_len: u32::MAX,
        };
        let most = (kv_tokens * 0.4) as u32;
        let lengths = (0..LENGTHS)
            .map(|_| Lengths {
                input_tokens: lognormal(prompt, cv, most, &mut rng),
                output_tokens: lognormal(answer, cv, most, &mut rng),
            })
            .collect();
        Self {
            engine,
            trouble: Trouble::default(),
            lengths,
            ttft_p95_ms,
            tpot_p95_ms,
            kind: "",
        }
    }

    /// Engine `number` of the second population: the first one's laws, and one trouble in turn.
    pub(super) fn troubled(seed: u64, number: u64) -> Self {
        let mut subject = Self::steady(seed ^ 0x7275_6f72, number);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6c62_7574);
        rng.set_stream(number);
        let cap = subject.engine.max_num_seqs;
        let trouble = &mut subject.trouble;
        subject.kind = match number % 7 {
            0 => {
                let share = rng.random_range(0.05..0.3);
                trouble.tenants = Some(Tenants {
                    every_s: rng.random_range(20.0..120.0),
                    requests: (f64::from(cap) * share).ceil() as u32,
                });
                "bursts of other tenants"
            }
            1 => {
                trouble.drift_per_hour = if rng.random_bool(0.5) { 0.05 } else { -0.05 };
                "drift of 5 % an hour"
            }
            2 => {
                trouble.stalls = Some(Stalls {
                    chance_ratio: 1.0 / 2_000.0,
                    added_ms: 5_000.0,
                });
                "stalls of 5 s, one step in 2,000"
            }
            3 => {
                trouble.prefix = Some(Prefix {
                    share_ratio: rng.random_range(0.3..0.9),
                    hit_ratio: rng.random_range(0.3..0.95),
                });
                "prefix cache"
            }
            4 => {
                let share = rng.random_range(0.0..0.25);
                subject.engine.queue_limit = Some((f64::from(cap) * share) as usize);
                "load shedding with 429"
            }
            5 => {
                trouble.delivery = Delivery::Flushed {
                    every_ns: rng.random_range(50_000_000..250_000_000),
                };
                "a proxy that batches tokens"
            }
            _ => {
                subject.lengths = subject
                    .lengths
                    .iter()
                    .map(|one| two_kinds(*one, &mut rng))
                    .collect();
                "bimodal lengths"
            }
        };
        subject
    }

    /// The time of a request alone: what preflight learns from its probe.
    pub(super) fn request_time(&self) -> Duration {
        let probe = self.lengths[0];
        let engine = &self.engine;
        let prefill_us = engine.prefill_us_per_token * f64::from(probe.input_tokens);
        let step_us = engine.step_base_us + engine.sequence_us;
        Duration::from_secs_f64((prefill_us + step_us * f64::from(probe.output_tokens)) / 1e6)
    }

    /// TTFTs of a long hold, ms.
    pub(super) fn long_ttft_ms(&self, streams: u32, seed: u64) -> Vec<f64> {
        let engine = self.engine(seed);
        let warm = u64::from(streams) * 10;
        let held = batch(
            engine,
            &self.lengths,
            seed,
            streams,
            warm + LONG,
            f64::INFINITY,
        );
        let counted = held.requests.into_iter().skip(warm as usize);
        counted.filter_map(|one| one.ttft_ms).collect()
    }

    pub(super) fn engine(&self, seed: u64) -> FastEngine {
        FastEngine::new(self.engine.clone(), self.trouble, seed)
    }

    /// TTFT and TPOT p95; with load shedding success as well, since only then can requests fail.
    pub(super) fn slo(&self) -> Slo {
        let text = format!(
            "ttft p95 <= {}ms, tpot p95 <= {}ms",
            self.ttft_p95_ms, self.tpot_p95_ms
        );
        text.parse().unwrap_or(Slo(Vec::new()))
    }
}

/// A length of at least 2 and at most `most` tokens.
fn lognormal(mean: f64, cv: f64, most: u32, rng: &mut ChaCha8Rng) -> u32 {
    let variance = (cv * cv).ln_1p();
    let z: f64 = StandardNormal.sample(rng);
    let value = mean * (variance.sqrt() * z - variance / 2.0).exp();
    (value.round() as u32).clamp(2, most.max(2))
}

/// Four of five requests shrink to a third, the others grow to 3.67 times: the same mean.
fn two_kinds(lengths: Lengths, rng: &mut ChaCha8Rng) -> Lengths {
    let factor = if rng.random_bool(0.8) {
        1.0 / 3.0
    } else {
        11.0 / 3.0
    };
    let scaled = |tokens: u32| ((f64::from(tokens) * factor) as u32).max(2);
    Lengths {
        input_tokens: scaled(lengths.input_tokens),
        output_tokens: scaled(lengths.output_tokens),
    }
}
