//! A model of continuous batching with a paged KV cache: pure, single-threaded, without a clock.
//!
//! Time enters as arguments, in nanoseconds from any origin. A caller submits jobs, calls
//! [`Engine::step`], and treats the returned tokens as produced at [`Step::end_ns`]; whether it
//! waits for that moment (the server) or jumps to it (virtual time) is its own affair.
//!
//! One request's life:
//!
//! | state | where | leaves it when |
//! |---|---|---|
//! | waiting | `waiting`, first come first served | a running place, budget and KV blocks are free |
//! | prefill | `running` | its known tokens are computed: emits one token at that step's end |
//! | decode | `running` | it has emitted all of its output tokens |
//! | preempted | front of `waiting` | as waiting; then computes all its tokens again |

mod kv;
mod params;
mod plan;
mod prompt;
mod sequence;
#[cfg(test)]
mod tests;

pub use params::{EngineParams, ParamError};
pub use prompt::PromptKey;

use crate::random;
use kv::KvPool;
use rand::distr::Distribution;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use sequence::Sequence;
use serde::Serialize;
use std::collections::VecDeque;

/// A request as the engine sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// The caller's name for it, unique among the jobs inside the engine.
    pub id: u64,
    /// The prompt's block hashes; [`PromptKey::unshared`] if no prefix is ever shared.
    pub prompt: PromptKey,
    /// Length of the prompt in tokens; 0 counts as 1.
    pub prompt_tokens: u32,
    /// Output tokens to produce; 0 counts as 1.
    pub output_tokens: u32,
}

/// The engine's answer to a submitted job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It waits and will be served.
    Queued,
    /// `max_num_seqs` + `queue_limit` requests are inside already; try again later.
    Rejected,
    /// Prompt and output together can never fit into the KV cache or the model's length.
    TooLong {
        /// Most tokens a request may have, prompt and output together.
        limit_tokens: u64,
    },
}

/// One iteration of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it starts, in ns: the end of the step before, or the submission that ended an idle time.
    pub start_ns: u64,
    /// How long it takes, in ns.
    pub duration_ns: u64,
    /// Ids of the jobs that produce one token at the step's end, in order of admission.
    pub tokens: Vec<u64>,
    /// Those of `tokens` for which it is the last one.
    pub finished: Vec<u64>,
    /// Sequences thrown back to the queue in this step for want of KV blocks.
    pub preempted: u32,
    /// Prompt tokens (and tokens computed again) in the step.
    pub prefill_tokens: u32,
    /// Sequences in the decode phase, one token each.
    pub decode_tokens: u32,
    /// KV tokens that running sequences hold at the step's end.
    pub kv_tokens: u64,
}

impl Step {
    /// Returns the moment at which its tokens exist, in ns.
    pub fn end_ns(&self) -> u64 {
        self.start_ns + self.duration_ns
    }
}

/// The engine's state, as a metrics endpoint shows it. Counters (`*_total`) never fall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Gauges {
    /// Sequences that hold a running place.
    pub running: usize,
    /// Requests in the queue.
    pub waiting: usize,
    /// Share of KV blocks that running sequences hold, 0 to 1; idle cached blocks count as free.
    pub kv_used_ratio: f64,
    /// Preemptions.
    pub preemptions_total: u64,
    /// Prompt tokens of requests whose first prefill has been started, in tokens.
    pub prompt_tokens_total: u64,
    /// Output tokens produced.
    pub generation_tokens_total: u64,
    /// Tokens looked up in the prefix cache.
    pub prefix_queries_total: u64,
    /// Tokens found there.
    pub prefix_hits_total: u64,
    /// Requests that have left the queue for the first time.
    pub admitted_total: u64,
    /// Time those have spent in the queue, in ns.
    pub queue_time_ns_total: u64,
}

/// The model engine; see the module's docs.
///
/// Guarantees: every queued job that is not cancelled produces exactly `output_tokens` tokens; the
/// same parameters, seed and calls give the same steps.
#[derive(Debug)]
pub struct Engine {
    params: EngineParams,
    running: Vec<Sequence>,
    waiting: VecDeque<Sequence>,
    pool: KvPool,
    jitter: ChaCha8Rng,
    /// End of the newest step, or the newest submission to an idle engine, in ns.
    clock_ns: u64,
    totals: Gauges,
}

impl Engine {
    /// Returns an idle engine at time 0.
    ///
    /// # Panics
    /// If `params` do not pass [`EngineParams::validate`].
    pub fn new(params: EngineParams, seed: u64) -> Self {
        if let Err(error) = params.validate() {
            panic!("{error}");
        }
        Self {
            pool: KvPool::new(params.kv_blocks),
            params,
            running: Vec::new(),
            waiting: VecDeque::new(),
            jitter: random::stream(seed, "step jitter", 0),
            clock_ns: 0,
            totals: Gauges::default(),
        }
    }

    /// Returns the parameters it was made with.
    pub fn params(&self) -> &EngineParams {
        &self.params
    }

    /// Returns the most tokens one request may have, prompt and output together.
    pub fn limit_tokens(&self) -> u64 {
        self.params
            .kv_tokens()
            .min(u64::from(self.params.max_model_len))
    }

    /// Whether no job is inside, neither running nor waiting.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.iter().all(Sequence::is_finished)
    }

    /// Puts a job at the end of the queue.
    ///
    /// Units: `now_ns` on the caller's clock; the next step starts no earlier if the engine is idle.
    pub fn submit(&mut self, now_ns: u64, mut job: Job) -> Admission {
        job.prompt_tokens = job.prompt_tokens.max(1);
        job.output_tokens = job.output_tokens.max(1);
        let limit_tokens = self.limit_tokens();
        if u64::from(job.prompt_tokens) + u64::from(job.output_tokens) > limit_tokens {
            return Admission::TooLong { limit_tokens };
        }
        if let Some(limit) = self.params.queue_limit {
            let inside = self.waiting.len() + self.unfinished();
            if inside >= (self.params.max_num_seqs as usize).saturating_add(limit) {
                return Admission::Rejected;
            }
        }
        if self.is_idle() {
            self.clock_ns = self.clock_ns.max(now_ns);
        }
        self.waiting.push_back(Sequence::new(job, now_ns));
        Admission::Queued
    }

    /// Takes a job out, wherever it is, and frees its blocks; an unknown id is no error, because
    /// a job may finish while its client hangs up.
    pub fn cancel(&mut self, id: u64) {
        if let Some(at) = self.running.iter().position(|seq| seq.job.id == id) {
            self.running.remove(at).free(&mut self.pool);
        }
        self.waiting.retain(|seq| seq.job.id != id);
    }

    /// Plans and computes the next step, or returns `None` if no job is inside.
    ///
    /// A job that finishes in a step keeps its place and its blocks until the next call, as it
    /// would on a real engine until the step has ended.
    pub fn step(&mut self) -> Option<Step> {
        self.retire();
        if self.running.is_empty() && self.waiting.is_empty() {
            return None;
        }
        let preempted = self.plan();
        let mut step = self.commit();
        step.preempted = preempted;
        step.duration_ns = self.draw_duration_ns(&step);
        self.clock_ns = step.end_ns();
        Some(step)
    }

    /// Moves an engine that has fallen behind its caller's clock forward; never backward.
    pub fn skip_to(&mut self, now_ns: u64) {
        self.clock_ns = self.clock_ns.max(now_ns);
    }

    /// Returns the present state and the counters since the start.
    pub fn gauges(&self) -> Gauges {
        Gauges {
            running: self.running.len(),
            waiting: self.waiting.len(),
            kv_used_ratio: f64::from(self.pool.used()) / f64::from(self.pool.capacity()),
            ..self.totals
        }
    }

    fn unfinished(&self) -> usize {
        self.running.iter().filter(|seq| !seq.is_finished()).count()
    }

    /// Lets the sequences go that finished in the step before.
    fn retire(&mut self) {
        let pool = &mut self.pool;
        self.running.retain_mut(|seq| {
            let done = seq.is_finished();
            if done {
                seq.free(pool);
            }
            !done
        });
    }

    /// Enters the planned step as done: tokens computed, tokens emitted.
    fn commit(&mut self) -> Step {
        let mut step = Step {
            start_ns: self.clock_ns,
            duration_ns: 0,
            tokens: Vec::with_capacity(self.running.len()),
            finished: Vec::new(),
            preempted: 0,
            prefill_tokens: 0,
            decode_tokens: 0,
            kv_tokens: 0,
        };
        for seq in &mut self.running {
            if seq.taken > 0 {
                if seq.decodes() {
                    step.decode_tokens += 1;
                } else {
                    step.prefill_tokens += seq.taken;
                }
                seq.commit(
                    self.params.block_tokens,
                    self.params.prefix_cache,
                    &mut self.pool,
                );
                if seq.due() == 0 {
                    seq.emitted += 1;
                    step.tokens.push(seq.job.id);
                    if seq.is_finished() {
                        step.finished.push(seq.job.id);
                    }
                }
            }
            step.kv_tokens += u64::from(seq.computed);
        }
        self.totals.generation_tokens_total += step.tokens.len() as u64;
        step
    }

    fn draw_duration_ns(&mut self, step: &Step) -> u64 {
        let sequences = self.running.len() as u64;
        let mean_us =
            self.params
                .step_us(u64::from(step.prefill_tokens), sequences, step.kv_tokens);
        let us = mean_us * lognormal(self.params.jitter_cv, &mut self.jitter);
        // No step is free, so that virtual time always advances.
        ((us * 1e3).round() as u64).max(1)
    }
}

/// Draws from the lognormal law with mean 1 and the given coefficient of variation.
fn lognormal(cv: f64, rng: &mut ChaCha8Rng) -> f64 {
    if cv == 0.0 {
        return 1.0;
    }
    let variance = (cv * cv).ln_1p();
    let z: f64 = StandardNormal.sample(rng);
    (variance.sqrt() * z - variance / 2.0).exp()
}
