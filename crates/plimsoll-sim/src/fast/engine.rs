//! The fast engine: queue, token budget, KV blocks, preemption, by the rules of
//! [`Engine`](crate::Engine) and in their order.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::jitter::Jitter;
use super::kv::Kv;
use super::sequence::Sequence;
use super::trouble::{Prefix, Trouble};
use crate::engine::{Admission, EngineParams};

/// Counts of an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) kv_used_ratio: f64,
    pub(super) preemptions: u64,
}

/// A model of continuous batching; see the module.
#[derive(Debug, Clone)]
pub struct FastEngine {
    params: EngineParams,
    trouble: Trouble,
    jitter: Jitter,
    kv: Kv,
    slab: Vec<Sequence>,
    vacant: Vec<u32>,
    waiting: VecDeque<u32>,
    /// In order of admission.
    running: Vec<u32>,
    /// Those of `running` that do not decode, in the same order.
    prefilling: Vec<u32>,
    decoding: u32,
    /// (step, ticket, place): who gives the last token when. Stale once the ticket has changed.
    ends: BinaryHeap<Reverse<(u64, u64, u32)>>,
    /// Numbers admissions.
    tickets: u64,
    /// Finished in the last step; their places and blocks are theirs until the next one.
    leaving: Vec<u32>,
    /// KV tokens of running sequences at the start of `step`.
    kv_tokens: u64,
    step: u64,
    clock_ns: u64,
    preemptions: u64,
    firsts: Vec<u64>,
    finished: Vec<u64>,
}

impl FastEngine {
    /// An idle engine at time 0. The prefix cache of `params` is not modelled; that of `trouble` is.
    pub fn new(params: EngineParams, trouble: Trouble, seed: u64) -> Self {
        Self {
            jitter: Jitter::new(params.jitter_cv, seed),
            kv: Kv::new(params.kv_blocks, params.block_tokens),
            params,
            trouble,
            slab: Vec::new(),
            vacant: Vec::new(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            prefilling: Vec::new(),
            decoding: 0,
            ends: BinaryHeap::new(),
            tickets: 0,
            leaving: Vec::new(),
            kv_tokens: 0,
            step: 0,
            clock_ns: 0,
            preemptions: 0,
            firsts: Vec::new(),
            finished: Vec::new(),
        }
    }

    pub(super) fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            running: self.running.len(),
            waiting: self.waiting.len(),
            kv_used_ratio: 1.0 - f64::from(self.kv.free) / f64::from(self.kv.capacity),
            preemptions: self.preemptions,
        }
    }

    /// Requests that gave their first token in the last step.
    pub fn firsts(&self) -> &[u64] {
        &self.firsts
    }

    /// Requests that gave their last token in the last step.
    pub fn finished(&self) -> &[u64] {
        &self.finished
    }

    /// Puts a request at the end of the queue; `id` is unique among those inside.
    pub fn submit(
        &mut self,
        now_ns: u64,
        id: u64,
        prompt_tokens: u32,
        output_tokens: u32,
    ) -> Admission {
        let limit_tokens = self
            .params
            .kv_tokens()
            .min(u64::from(self.params.max_model_len));
        if u64::from(prompt_tokens) + u64::from(output_tokens) > limit_tokens {
            return Admission::TooLong { limit_tokens };
        }
        let inside = self.waiting.len() + self.running.len() - self.leaving.len();
        if let Some(limit) = self.params.queue_limit
            && inside >= (self.params.max_num_seqs as usize).saturating_add(limit)
        {
            return Admission::Rejected;
        }
        if inside == 0 {
            self.clock_ns = self.clock_ns.max(now_ns);
        }
        let cached_tokens = self.cached(prompt_tokens);
        let place = self.vacant.pop().unwrap_or_else(|| {
            self.slab.push(Sequence::default());
            (self.slab.len() - 1) as u32
        });
        self.slab[place as usize] = Sequence {
            id,
            prompt_tokens,
            output_tokens,
            cached_tokens,
            ..Sequence::default()
        };
        self.waiting.push_back(place);
        Admission::Queued
    }

    /// Prompt tokens that a shared prefix saves: less often the fuller the cache.
    fn cached(&mut self, prompt_tokens: u32) -> u32 {
        let Some(Prefix {
            share_ratio,
            hit_ratio,
        }) = self.trouble.prefix
        else {
            return 0;
        };
        let free = f64::from(self.kv.free) / f64::from(self.kv.capacity);
        if self.jitter.uniform() < hit_ratio * free.sqrt() {
            let whole = f64::from(prompt_tokens) * share_ratio;
            (whole as u32).min(prompt_tokens - 1)
        } else {
            0
        }
    }

    /// Takes a request out, wherever it is; an unknown one is no error.
    pub fn cancel(&mut self, id: u64) {
        let slab = &self.slab;
        if let Some(at) = self.waiting.iter().position(|p| slab[*p as usize].id == id) {
            let place = self.waiting.remove(at);
            self.vacant.extend(place);
        } else if let Some(at) = self.running.iter().position(|p| slab[*p as usize].id == id) {
            let place = self.running.remove(at);
            self.leaving.retain(|other| *other != place);
            self.free(place, false);
            self.vacant.push(place);
        }
    }

    /// Plans and computes the next step and returns when its tokens exist, ns; `None` if nothing is
    /// inside.
    pub fn step(&mut self) -> Option<u64> {
        self.retire();
        if self.running.is_empty() && self.waiting.is_empty() {
            return None;
        }
        let prefill_tokens = self.plan();
        self.commit();
        let mean_us = self.params.step_us(
            u64::from(prefill_tokens),
            self.running.len() as u64,
            self.kv_tokens,
        );
        let us = mean_us * self.jitter.draw() * self.trouble.drift(self.clock_ns)
            + self.trouble.stall_us(self.jitter.uniform());
        self.clock_ns += ((us * 1e3).round() as u64).max(1);
        self.step += 1;
        Some(self.clock_ns)
    }

    fn retire(&mut self) {
        for place in std::mem::take(&mut self.leaving) {
            self.running.retain(|other| *other != place);
            self.free(place, false);
            self.vacant.push(place);
        }
    }

    /// Gives the blocks back. `reserved`: whether a decoding one has its block of this step already.
    fn free(&mut self, place: u32, reserved: bool) {
        let seq = &mut self.slab[place as usize];
        let computed = seq.computed_at(self.step);
        if seq.decodes {
            self.kv.leave(self.step, computed);
            self.decoding -= 1;
            self.kv.free += self.kv.blocks(computed + u32::from(reserved));
            seq.emitted += (self.step - seq.since) as u32;
        } else {
            self.kv.free += seq.blocks;
            self.prefilling.retain(|other| *other != place);
        }
        self.kv_tokens -= u64::from(computed);
        seq.decodes = false;
        (seq.computed, seq.blocks, seq.taken) = (0, 0, 0);
        seq.ticket = None;
    }

    /// Sets what prefilling sequences take; returns the prompt tokens of the step.
    fn plan(&mut self) -> u32 {
        let mut preempted = false;
        let demand = self.kv.demand(self.step);
        if !self.kv.take(demand) {
            preempted = self.make_room_for_decoding();
        }
        let mut budget = self.params.max_num_batched_tokens - self.decoding;
        let mut at = 0;
        while let Some(&place) = self.prefilling.get(at) {
            let seq = &self.slab[place as usize];
            let want = seq.due().min(budget);
            if want > 0 {
                while !self.reserve(place, want) {
                    preempted = true;
                    let Some(victim) = self.running.last().copied() else {
                        break;
                    };
                    budget += self.preempt(victim);
                    if victim == place {
                        break;
                    }
                }
                if self.prefilling.get(at) != Some(&place) {
                    break;
                }
                self.slab[place as usize].taken = want;
                budget -= want;
            }
            at += 1;
        }
        if !preempted {
            self.admit(budget);
        }
        self.prefilling
            .iter()
            .map(|place| self.slab[*place as usize].taken)
            .sum()
    }

    /// One block after the other, in order of admission, throwing out the last ones.
    fn make_room_for_decoding(&mut self) -> bool {
        let mut at = 0;
        while let Some(&place) = self.running.get(at) {
            let seq = &self.slab[place as usize];
            let needs = seq.decodes
                && seq
                    .computed_at(self.step)
                    .is_multiple_of(self.kv.block_tokens);
            if needs {
                while at < self.running.len() && !self.kv.take(1) {
                    let Some(victim) = self.running.pop() else {
                        break;
                    };
                    self.throw_back(victim, false);
                }
            }
            at += 1;
        }
        true
    }

    /// Throws the last one back while the decoding ones have their blocks; returns its budget.
    fn preempt(&mut self, victim: u32) -> u32 {
        self.running.pop();
        let seq = &self.slab[victim as usize];
        let budget = if seq.decodes { 1 } else { seq.taken };
        self.throw_back(victim, true);
        budget
    }

    fn throw_back(&mut self, victim: u32, reserved: bool) {
        self.free(victim, reserved);
        self.slab[victim as usize].cached_tokens = 0;
        self.waiting.push_front(victim);
        self.preemptions += 1;
    }

    fn reserve(&mut self, place: u32, tokens: u32) -> bool {
        let seq = &mut self.slab[place as usize];
        let missing = self.kv.blocks(seq.computed + tokens) - seq.blocks;
        let fits = self.kv.take(missing);
        if fits {
            seq.blocks += missing;
        }
        fits
    }

    fn admit(&mut self, mut budget: u32) {
        while budget > 0 && self.running.len() < self.params.max_num_seqs as usize {
            let Some(&place) = self.waiting.front() else {
                break;
            };
            let seq = &mut self.slab[place as usize];
            seq.computed = seq.cached_tokens;
            let want = seq.due().min(budget);
            if !self.reserve(place, want) {
                self.slab[place as usize].computed = 0;
                break;
            }
            let seq = &mut self.slab[place as usize];
            self.kv_tokens += u64::from(seq.computed);
            seq.taken = want;
            self.tickets += 1;
            seq.ticket = Some(self.tickets);
            budget -= want;
            self.waiting.pop_front();
            self.running.push(place);
            self.prefilling.push(place);
        }
    }

    /// Enters the planned step as done.
    fn commit(&mut self) {
        self.firsts.clear();
        self.finished.clear();
        self.kv_tokens += u64::from(self.decoding);
        self.finish_decoding();
        let next = self.step + 1;
        let mut still = 0;
        for at in 0..self.prefilling.len() {
            let place = self.prefilling[at];
            let seq = &mut self.slab[place as usize];
            let taken = std::mem::take(&mut seq.taken);
            seq.computed += taken;
            self.kv_tokens += u64::from(taken);
            if seq.due() > 0 {
                self.prefilling[still] = place;
                still += 1;
                continue;
            }
            seq.emitted += 1;
            if seq.emitted == 1 {
                self.firsts.push(seq.id);
            }
            (seq.decodes, seq.since) = (true, next);
            self.decoding += 1;
            self.kv.enter(next, seq.computed);
            if seq.emitted == seq.output_tokens {
                self.finished.push(seq.id);
                self.leaving.push(place);
            } else if let Some(ticket) = seq.ticket {
                let left = u64::from(seq.output_tokens - seq.emitted);
                self.ends.push(Reverse((self.step + left, ticket, place)));
            }
        }
        self.prefilling.truncate(still);
    }

    /// Takes out of the heap who gives the last token in this step.
    fn finish_decoding(&mut self) {
        while let Some(&Reverse((step, ticket, place))) = self.ends.peek() {
            if step > self.step {
                break;
            }
            self.ends.pop();
            let seq = &self.slab[place as usize];
            if seq.ticket == Some(ticket) {
                self.finished.push(seq.id);
                self.leaving.push(place);
            }
        }
    }
}
