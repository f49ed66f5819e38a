//! The numbers that describe a modelled engine, their validation, and the change of single ones.

use plimsoll_core::run::EngineOverrides;
use serde::{Deserialize, Serialize};

/// A modelled engine: its step-time law, its limits and its KV cache.
///
/// Step time = (`step_base_us` + `prefill_us_per_token`·prefill tokens + `sequence_us`·sequences
/// + `kv_us_per_token`·KV tokens held by running sequences) × jitter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineParams {
    /// Time of a step that does nothing but read the weights, in µs; > 0.
    pub step_base_us: f64,
    /// Time added by one prompt token prefilled in the step, in µs; ≥ 0.
    pub prefill_us_per_token: f64,
    /// Time added by one sequence in the step, in µs; ≥ 0.
    pub sequence_us: f64,
    /// Time added by one KV token that a running sequence holds, in µs; ≥ 0.
    pub kv_us_per_token: f64,
    /// Most sequences that run at once; ≥ 1.
    pub max_num_seqs: u32,
    /// Most tokens computed in one step, decode tokens first; ≥ `max_num_seqs`.
    pub max_num_batched_tokens: u32,
    /// Size of the KV cache, in blocks; ≥ 1.
    pub kv_blocks: u32,
    /// Tokens in one KV block; ≥ 1.
    pub block_tokens: u32,
    /// Most requests that may wait beyond `max_num_seqs`; the next one is rejected.
    /// `None` means that the queue has no end.
    pub queue_limit: Option<usize>,
    /// Coefficient of variation of the lognormal step jitter (mean 1); 0 turns it off.
    pub jitter_cv: f64,
    /// Whether full prompt blocks are kept and found again by their token ids.
    pub prefix_cache: bool,
    /// Most tokens of one request, prompt and output together; ≥ 2.
    pub max_model_len: u32,
}

/// Why a set of parameters describes no engine.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParamError {
    /// A time or a ratio is negative, not finite, or zero where it must not be.
    #[error("engine parameter `{name}` must be finite and {bound}, got `{value}`")]
    Time {
        /// Name of the field.
        name: &'static str,
        /// The bound that was broken, in words.
        bound: &'static str,
        /// What was given.
        value: f64,
    },
    /// A count is too small.
    #[error("engine parameter `{name}` must be at least {least}, got `{value}`")]
    Count {
        /// Name of the field.
        name: &'static str,
        /// The least value allowed.
        least: u32,
        /// What was given.
        value: u32,
    },
}

impl EngineParams {
    /// These parameters, with every one that is `Some` in `changed` replaced; nothing is validated.
    #[must_use]
    pub fn with(&self, changed: &EngineOverrides) -> Self {
        Self {
            step_base_us: changed.step_base_us.unwrap_or(self.step_base_us),
            prefill_us_per_token: changed
                .prefill_us_per_token
                .unwrap_or(self.prefill_us_per_token),
            sequence_us: changed.sequence_us.unwrap_or(self.sequence_us),
            kv_us_per_token: changed.kv_us_per_token.unwrap_or(self.kv_us_per_token),
            max_num_seqs: changed.max_num_seqs.unwrap_or(self.max_num_seqs),
            max_num_batched_tokens: changed
                .max_num_batched_tokens
                .unwrap_or(self.max_num_batched_tokens),
            kv_blocks: changed.kv_blocks.unwrap_or(self.kv_blocks),
            block_tokens: changed.block_tokens.unwrap_or(self.block_tokens),
            queue_limit: changed.queue_limit.or(self.queue_limit),
            jitter_cv: changed.jitter_cv.unwrap_or(self.jitter_cv),
            prefix_cache: changed.prefix_cache.unwrap_or(self.prefix_cache),
            max_model_len: changed.max_model_len.unwrap_or(self.max_model_len),
        }
    }

    /// Returns the KV cache's size in tokens.
    pub fn kv_tokens(&self) -> u64 {
        u64::from(self.kv_blocks) * u64::from(self.block_tokens)
    }

    /// Returns the mean time of a step, in µs, for what it holds.
    ///
    /// Shape: `prefill_tokens` computed in the step, `sequences` taking part, `kv_tokens` held by
    /// all running sequences at its end.
    pub fn step_us(&self, prefill_tokens: u64, sequences: u64, kv_tokens: u64) -> f64 {
        self.step_base_us
            + self.prefill_us_per_token * prefill_tokens as f64
            + self.sequence_us * sequences as f64
            + self.kv_us_per_token * kv_tokens as f64
    }

    /// Checks every bound given in the fields' docs.
    pub fn validate(&self) -> Result<(), ParamError> {
        let positive = [("step_base_us", self.step_base_us)];
        let non_negative = [
            ("prefill_us_per_token", self.prefill_us_per_token),
            ("sequence_us", self.sequence_us),
            ("kv_us_per_token", self.kv_us_per_token),
            ("jitter_cv", self.jitter_cv),
        ];
        for (name, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return Err(ParamError::Time {
                    name,
                    bound: "> 0",
                    value,
                });
            }
        }
        for (name, value) in non_negative {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ParamError::Time {
                    name,
                    bound: "≥ 0",
                    value,
                });
            }
        }
        let counts = [
            ("max_num_seqs", 1, self.max_num_seqs),
            // Below this, running sequences would starve each other in every step.
            (
                "max_num_batched_tokens",
                self.max_num_seqs,
                self.max_num_batched_tokens,
            ),
            ("kv_blocks", 1, self.kv_blocks),
            ("block_tokens", 1, self.block_tokens),
            ("max_model_len", 2, self.max_model_len),
        ];
        for (name, least, value) in counts {
            if value < least {
                return Err(ParamError::Count { name, least, value });
            }
        }
        Ok(())
    }
}
