//! One request inside the engine: how much of it is computed, emitted, and held in KV blocks.

use super::{Job, kv::KvPool};

/// A job with its progress.
///
/// Every token it knows (the prompt and what it has emitted) must be computed once before it can
/// emit the next one. A preempted sequence starts again with `computed` = 0 but keeps `emitted`,
/// so that recomputation repeats work and never output.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) job: Job,
    /// When it was submitted, in ns.
    pub(super) arrival_ns: u64,
    /// Tokens whose KV exists.
    pub(super) computed: u32,
    /// Output tokens given out so far.
    pub(super) emitted: u32,
    /// Tokens the step being planned computes for it; 0 means it sits the step out.
    pub(super) taken: u32,
    /// Whether it has ever run; a preempted sequence does not count as admitted again.
    pub(super) admitted: bool,
    /// Blocks held that only this sequence knows.
    private_blocks: u32,
    /// Leading prompt blocks held by name.
    named_blocks: u32,
}

impl Sequence {
    pub(super) fn new(job: Job, arrival_ns: u64) -> Self {
        Self {
            job,
            arrival_ns,
            computed: 0,
            emitted: 0,
            taken: 0,
            admitted: false,
            private_blocks: 0,
            named_blocks: 0,
        }
    }

    /// Returns the number of tokens to compute before the next one can be emitted.
    pub(super) fn due(&self) -> u32 {
        self.job.prompt_tokens + self.emitted - self.computed
    }

    /// Whether only the newest output token is missing, so that one token of budget moves it on.
    pub(super) fn decodes(&self) -> bool {
        self.emitted > 0 && self.due() == 1
    }

    pub(super) fn is_finished(&self) -> bool {
        self.emitted == self.job.output_tokens
    }

    /// Makes room for `tokens` more; returns false and changes nothing if the pool has too little.
    pub(super) fn reserve(&mut self, tokens: u32, block_tokens: u32, pool: &mut KvPool) -> bool {
        let needed = (self.computed + tokens).div_ceil(block_tokens);
        let missing = needed.saturating_sub(self.private_blocks + self.named_blocks);
        let fits = pool.take(missing);
        if fits {
            self.private_blocks += missing;
        }
        fits
    }

    /// Starts from what the cache knows of the prompt; returns the tokens found.
    ///
    /// At least one token is always left to compute: the cache holds KV, not the next token.
    pub(super) fn find_prefix(&mut self, block_tokens: u32, pool: &mut KvPool) -> u32 {
        let most = (self.due() - 1) / block_tokens;
        let blocks = self.job.prompt.blocks();
        let usable = &blocks[..blocks.len().min(most as usize)];
        self.named_blocks = pool.hold_prefix(usable);
        self.computed = self.named_blocks * block_tokens;
        self.computed
    }

    /// Enters the step's tokens as computed and names the prompt blocks that became full.
    pub(super) fn commit(&mut self, block_tokens: u32, named: bool, pool: &mut KvPool) {
        self.computed += std::mem::take(&mut self.taken);
        if !named {
            return;
        }
        let full = (self.computed / block_tokens) as usize;
        let blocks = self.job.prompt.blocks();
        for &hash in &blocks[self.named_blocks as usize..full.min(blocks.len())] {
            pool.name(hash);
            self.private_blocks -= 1;
            self.named_blocks += 1;
        }
    }

    /// Gives every block back; what was computed is lost to this sequence.
    pub(super) fn free(&mut self, pool: &mut KvPool) {
        pool.give_back(std::mem::take(&mut self.private_blocks));
        let named = std::mem::take(&mut self.named_blocks) as usize;
        pool.release(&self.job.prompt.blocks()[..named]);
        self.computed = 0;
        self.taken = 0;
    }
}
