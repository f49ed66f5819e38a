//! KV blocks, counted: how many are free, and how many the decoding sequences need in each step.
//!
//! A sequence that decodes needs a block whenever its computed tokens are a multiple of the block
//! size. One token a step means once in `block_tokens` steps, at a phase that never changes: so
//! sequences are counted by phase, and a step's demand is one look-up.

/// The pool and the phases.
#[derive(Debug, Clone)]
pub(super) struct Kv {
    pub(super) block_tokens: u32,
    pub(super) capacity: u32,
    pub(super) free: u32,
    phases: Vec<u32>,
}

impl Kv {
    pub(super) fn new(blocks: u32, block_tokens: u32) -> Self {
        Self {
            block_tokens,
            capacity: blocks,
            free: blocks,
            phases: vec![0; block_tokens as usize],
        }
    }

    /// Blocks that hold `tokens`.
    pub(super) fn blocks(&self, tokens: u32) -> u32 {
        tokens.div_ceil(self.block_tokens)
    }

    /// Takes blocks, all or none.
    pub(super) fn take(&mut self, count: u32) -> bool {
        let fits = self.free >= count;
        if fits {
            self.free -= count;
        }
        fits
    }

    /// Blocks that the decoding sequences need in `step`.
    pub(super) fn demand(&self, step: u64) -> u32 {
        self.phases[self.index(step)]
    }

    /// A sequence with `computed` tokens decodes from `step` on.
    pub(super) fn enter(&mut self, step: u64, computed: u32) {
        let index = self.phase(step, computed);
        self.phases[index] += 1;
    }

    /// It decodes no more; `computed` tokens as of `step`.
    pub(super) fn leave(&mut self, step: u64, computed: u32) {
        let index = self.phase(step, computed);
        self.phases[index] -= 1;
    }

    fn index(&self, step: u64) -> usize {
        (step % u64::from(self.block_tokens)) as usize
    }

    /// The step (modulo block size) in which `computed` becomes a multiple of the block size.
    fn phase(&self, step: u64, computed: u32) -> usize {
        let to_go = (self.block_tokens - computed % self.block_tokens) % self.block_tokens;
        self.index(step + u64::from(to_go))
    }
}
