//! What the engine knows of a prompt: one hash per full block, each chained to the one before.

use crate::random::mix;
use std::sync::Arc;

/// Names a prompt's full blocks, so that equal beginnings can share KV cache.
///
/// Two prompts have equal first *k* hashes exactly when (but for 64-bit collisions) their first
/// *k* blocks hold the same token ids. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptKey {
    blocks: Arc<[u64]>,
}

impl PromptKey {
    /// Returns a key that shares nothing with any other prompt.
    pub fn unshared() -> Self {
        Self {
            blocks: Arc::from([]),
        }
    }

    /// Returns the key of a prompt, given its token ids and the engine's block size in tokens.
    ///
    /// # Panics
    /// If `block_tokens` is 0.
    pub fn from_tokens(tokens: &[u32], block_tokens: u32) -> Self {
        let mut chain = 0_u64;
        let blocks = tokens
            .chunks_exact(block_tokens as usize)
            .map(|block| {
                chain = block
                    .iter()
                    .fold(mix(chain), |hash, &id| mix(hash ^ u64::from(id)));
                chain
            })
            .collect();
        Self { blocks }
    }

    /// Returns the chained hashes, one per full block, in the prompt's order.
    pub fn blocks(&self) -> &[u64] {
        &self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::PromptKey;

    #[test]
    fn equal_beginnings_share_hashes_and_later_blocks_do_not() {
        let mut tokens: Vec<u32> = (0..40).collect();
        let one = PromptKey::from_tokens(&tokens, 16);
        tokens[20] = 99;
        let other = PromptKey::from_tokens(&tokens, 16);
        assert_eq!(
            one.blocks().len(),
            2,
            "the half-filled third block has no hash"
        );
        assert_eq!(one.blocks()[0], other.blocks()[0]);
        assert_ne!(one.blocks()[1], other.blocks()[1]);
    }

    #[test]
    fn a_block_with_the_same_tokens_after_another_beginning_differs() {
        let one = PromptKey::from_tokens(&[1, 2, 3, 3], 2);
        let other = PromptKey::from_tokens(&[2, 1, 3, 3], 2);
        assert_ne!(one.blocks()[1], other.blocks()[1]);
    }
}
