//! Decides what the next step computes: who decodes, whose prompt goes on, who is let in, who is
//! thrown out. The rules and their order are those of vLLM's scheduler (v1), but decode tokens
//! always come out of the budget before prompt chunks.

use super::Engine;

impl Engine {
    /// Sets every running sequence's `taken` and returns the number of preemptions.
    pub(super) fn plan(&mut self) -> u32 {
        let mut budget = self.params.max_num_batched_tokens;
        let mut preempted = 0;
        for decoding in [true, false] {
            let mut at = 0;
            while at < self.running.len() {
                let seq = &self.running[at];
                if seq.taken == 0 && seq.decodes() == decoding {
                    let want = seq.due().min(budget);
                    if want > 0 {
                        preempted += self.make_room(at, want, &mut budget);
                    }
                }
                at += 1;
            }
        }
        // While blocks are short, a newcomer would only be thrown out again.
        if preempted == 0 {
            self.admit(budget);
        }
        preempted
    }

    /// Gives `want` tokens to the sequence at `at`, throwing out the last admitted ones until
    /// there is room, itself in the end; returns how many were thrown out.
    fn make_room(&mut self, at: usize, want: u32, budget: &mut u32) -> u32 {
        let mut preempted = 0;
        while at < self.running.len() {
            let seq = &mut self.running[at];
            if seq.reserve(want, self.params.block_tokens, &mut self.pool) {
                seq.taken = want;
                *budget -= want;
                break;
            }
            *budget += self.preempt_last();
            preempted += 1;
        }
        preempted
    }

    /// Throws the last admitted sequence back to the queue's front; returns the budget it had.
    fn preempt_last(&mut self) -> u32 {
        let Some(mut victim) = self.running.pop() else {
            return 0;
        };
        let returned = victim.taken;
        victim.free(&mut self.pool);
        self.waiting.push_front(victim);
        self.totals.preemptions_total += 1;
        returned
    }

    /// Lets waiting requests in, in order, while places, budget and blocks last.
    fn admit(&mut self, mut budget: u32) {
        let block_tokens = self.params.block_tokens;
        while budget > 0 && self.running.len() < self.params.max_num_seqs as usize {
            let Some(seq) = self.waiting.front_mut() else {
                break;
            };
            let known = seq.due();
            let found = if self.params.prefix_cache {
                seq.find_prefix(block_tokens, &mut self.pool)
            } else {
                0
            };
            let want = seq.due().min(budget);
            if !seq.reserve(want, block_tokens, &mut self.pool) {
                seq.free(&mut self.pool);
                break;
            }
            seq.taken = want;
            budget -= want;
            if self.params.prefix_cache {
                self.totals.prefix_queries_total += u64::from(known);
                self.totals.prefix_hits_total += u64::from(found);
            }
            if !std::mem::replace(&mut seq.admitted, true) {
                self.totals.admitted_total += 1;
                self.totals.prompt_tokens_total += u64::from(seq.job.prompt_tokens);
                self.totals.queue_time_ns_total += self.clock_ns.saturating_sub(seq.arrival_ns);
            }
            self.running.extend(self.waiting.pop_front());
        }
    }
}
