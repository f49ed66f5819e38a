//! Step-time parameters from data-sheet figures: decoding waits for memory, prefill for arithmetic.

use crate::engine::EngineParams;

/// Share of the data sheet's memory bandwidth that large kernels reach; 0.75–0.9 is usual.
const BANDWIDTH_SHARE: f64 = 0.8;
/// Share of the data sheet's FLOP/s that prefill reaches; 0.4–0.6 is usual.
const FLOPS_SHARE: f64 = 0.5;
/// Scheduler, launch and sampling per step, in µs: what a step costs beside its kernels.
const STEP_OVERHEAD_US: f64 = 1000.0;
/// Sampling, detokenising and streaming per sequence and step, in µs.
const SEQUENCE_US: f64 = 12.0;
/// Latency of one small all-reduce over `NVLink`, in µs.
const ALL_REDUCE_US: f64 = 10.0;
/// Share of the memory that the server may use; vLLM's default.
const MEMORY_SHARE: f64 = 0.9;
/// Activations, graphs and the framework's own memory on each card, in GB.
const ACTIVATIONS_GB: f64 = 1.5;
/// Bytes of a weight and of a KV value: bf16.
const BYTES: f64 = 2.0;
/// Tokens in one KV block; vLLM's default.
const BLOCK_TOKENS: u32 = 16;

/// Public figures of an accelerator card.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Its usual name.
    pub name: &'static str,
    /// Memory bandwidth in GB/s.
    pub bandwidth_gb_per_s: f64,
    /// Dense (not sparse) bf16 arithmetic in TFLOP/s.
    pub bf16_tflop_per_s: f64,
    /// Memory in GB.
    pub memory_gb: f64,
    /// Bandwidth to the other cards, one direction, in GB/s.
    pub link_gb_per_s: f64,
}

/// Public figures of a dense transformer with grouped-query attention.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its usual name.
    pub name: &'static str,
    /// Parameters, in 10⁹.
    pub params_b: f64,
    /// Number of layers.
    pub layers: f64,
    /// Key/value heads of a layer.
    pub kv_heads: f64,
    /// Values in one head.
    pub head_dim: f64,
    /// Width of the residual stream, in values.
    pub hidden: f64,
}

pub(super) const H100_SXM: Card = Card {
    name: "H100 SXM 80 GB",
    bandwidth_gb_per_s: 3350.0,
    bf16_tflop_per_s: 989.0,
    memory_gb: 80.0,
    link_gb_per_s: 450.0,
};
pub(super) const RTX_4090: Card = Card {
    name: "RTX 4090 24 GB",
    bandwidth_gb_per_s: 1008.0,
    bf16_tflop_per_s: 165.0,
    memory_gb: 24.0,
    link_gb_per_s: 32.0,
};
pub(super) const H20: Card = Card {
    name: "H20 96 GB",
    bandwidth_gb_per_s: 4000.0,
    bf16_tflop_per_s: 148.0,
    memory_gb: 96.0,
    link_gb_per_s: 450.0,
};
pub(super) const LLAMA_8B: Model = Model {
    name: "Llama 3.1 8B bf16",
    params_b: 8.03,
    layers: 32.0,
    kv_heads: 8.0,
    head_dim: 128.0,
    hidden: 4096.0,
};
pub(super) const LLAMA_70B: Model = Model {
    name: "Llama 3.1 70B bf16",
    params_b: 70.6,
    layers: 80.0,
    kv_heads: 8.0,
    head_dim: 128.0,
    hidden: 8192.0,
};

/// A model served by one or more equal cards with tensor parallelism.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// What each of the cards can do.
    pub card: &'static Card,
    /// What is served on them.
    pub model: &'static Model,
    /// Number of cards the model is split over; ≥ 1.
    pub cards: u32,
    /// As [`EngineParams::max_num_seqs`], in sequences.
    pub max_num_seqs: u32,
    /// As [`EngineParams::max_num_batched_tokens`], in tokens.
    pub max_num_batched_tokens: u32,
    /// As [`EngineParams::max_model_len`], in tokens.
    pub max_model_len: u32,
}

impl Deployment {
    /// Returns the engine that the roofline formula gives.
    pub fn engine(&self) -> EngineParams {
        EngineParams {
            step_base_us: self.weights_read_us() + self.reduce_latency_us() + STEP_OVERHEAD_US,
            prefill_us_per_token: self.arithmetic_us() + self.reduce_volume_us(),
            sequence_us: SEQUENCE_US,
            kv_us_per_token: self.kv_bytes()
                / (self.card.bandwidth_gb_per_s * BANDWIDTH_SHARE)
                / 1e3,
            max_num_seqs: self.max_num_seqs,
            max_num_batched_tokens: self.max_num_batched_tokens,
            kv_blocks: (self.kv_tokens() / f64::from(BLOCK_TOKENS)) as u32,
            block_tokens: BLOCK_TOKENS,
            queue_limit: None,
            jitter_cv: 0.03,
            prefix_cache: true,
            max_model_len: self.max_model_len,
        }
    }

    /// Weights on each card, in GB.
    fn weights_gb(&self) -> f64 {
        self.model.params_b * BYTES / f64::from(self.cards)
    }

    fn weights_read_us(&self) -> f64 {
        self.weights_gb() / (self.card.bandwidth_gb_per_s * BANDWIDTH_SHARE) * 1e6
    }

    /// Two multiply-adds' worth of FLOP per parameter and token, shared by the cards.
    fn arithmetic_us(&self) -> f64 {
        let tflop = 2.0 * self.model.params_b / 1e3 / f64::from(self.cards);
        tflop / (self.card.bf16_tflop_per_s * FLOPS_SHARE) * 1e6
    }

    /// All-reduces of a step: two a layer, none on a single card.
    fn reduces(&self) -> f64 {
        if self.cards > 1 {
            2.0 * self.model.layers
        } else {
            0.0
        }
    }

    fn reduce_latency_us(&self) -> f64 {
        self.reduces() * ALL_REDUCE_US
    }

    /// A ring all-reduce moves 2·(n−1)/n of the vector over each link.
    fn reduce_volume_us(&self) -> f64 {
        let cards = f64::from(self.cards);
        let bytes = self.model.hidden * BYTES * 2.0 * (cards - 1.0) / cards;
        self.reduces() * bytes / self.card.link_gb_per_s / 1e3
    }

    /// KV bytes of one token on each card: a key and a value for every layer and head.
    fn kv_bytes(&self) -> f64 {
        2.0 * self.model.layers * self.model.kv_heads * self.model.head_dim * BYTES
            / f64::from(self.cards)
    }

    fn kv_tokens(&self) -> f64 {
        let free_gb = self.card.memory_gb * MEMORY_SHARE - self.weights_gb() - ACTIVATIONS_GB;
        (free_gb * 1e9 / self.kv_bytes()).max(0.0)
    }

    /// Returns the formula with the figures put in, one quantity a line.
    pub fn explain(&self) -> String {
        let (card, model, engine) = (self.card, self.model, self.engine());
        let bandwidth = card.bandwidth_gb_per_s;
        format!(
            "{model_name} on {cards} × {card_name}: a roofline estimate, not a measurement\n\
             weights   {params} G × 2 B / {cards} = {weights:.2} GB a card\n\
             t0        {weights:.2} GB / ({bandwidth:.0} GB/s × {BANDWIDTH_SHARE}) \
             + {reduces:.0} all-reduces × {ALL_REDUCE_US} µs + {STEP_OVERHEAD_US} µs \
             = {t0:.0} µs a step\n\
             a         2 × {params} G / ({cards} × {tflops:.0} TFLOP/s × {FLOPS_SHARE}) \
             + {volume:.2} µs all-reduce volume = {a:.2} µs a prompt token\n\
             b         {SEQUENCE_US} µs a sequence (assumed)\n\
             kv        2 × {layers} layers × {heads} heads × {dim} × 2 B / {cards} \
             = {kv_kb:.1} kB a token and card\n\
             c         {kv_kb:.1} kB / ({bandwidth:.0} GB/s × {BANDWIDTH_SHARE}) \
             = {c:.4} µs a KV token\n\
             KV cache  ({memory} GB × {MEMORY_SHARE} − {weights:.2} GB − {ACTIVATIONS_GB} GB) \
             / {kv_kb:.1} kB = {tokens} tokens\n",
            model_name = model.name,
            card_name = card.name,
            cards = self.cards,
            params = model.params_b,
            weights = self.weights_gb(),
            reduces = self.reduces(),
            t0 = engine.step_base_us,
            tflops = card.bf16_tflop_per_s,
            volume = self.reduce_volume_us(),
            a = engine.prefill_us_per_token,
            layers = model.layers,
            heads = model.kv_heads,
            dim = model.head_dim,
            kv_kb = self.kv_bytes() / 1e3,
            c = engine.kv_us_per_token,
            memory = card.memory_gb,
            tokens = engine.kv_tokens(),
        )
    }

    /// [`explain`](Self::explain), in Chinese.
    pub fn explain_in_chinese(&self) -> String {
        let (card, model, engine) = (self.card, self.model, self.engine());
        let bandwidth = card.bandwidth_gb_per_s;
        format!(
            "{cards} × {card_name} 上的 {model_name}：按 roofline 估算，不是实测\n\
             权重      {params} G × 2 B / {cards} = 每卡 {weights:.2} GB\n\
             t0        {weights:.2} GB / ({bandwidth:.0} GB/s × {BANDWIDTH_SHARE}) \
             + {reduces:.0} 次 all-reduce × {ALL_REDUCE_US} µs + {STEP_OVERHEAD_US} µs \
             = 每步 {t0:.0} µs\n\
             a         2 × {params} G / ({cards} × {tflops:.0} TFLOP/s × {FLOPS_SHARE}) \
             + {volume:.2} µs all-reduce 传输 = 每个输入 token {a:.2} µs\n\
             b         每条序列 {SEQUENCE_US} µs（假定）\n\
             kv        2 × {layers} 层 × {heads} 头 × {dim} × 2 B / {cards} \
             = 每 token 每卡 {kv_kb:.1} kB\n\
             c         {kv_kb:.1} kB / ({bandwidth:.0} GB/s × {BANDWIDTH_SHARE}) \
             = 每个 KV token {c:.4} µs\n\
             KV 缓存   ({memory} GB × {MEMORY_SHARE} − {weights:.2} GB − {ACTIVATIONS_GB} GB) \
             / {kv_kb:.1} kB = {tokens} token\n",
            model_name = model.name,
            card_name = card.name,
            cards = self.cards,
            params = model.params_b,
            weights = self.weights_gb(),
            reduces = self.reduces(),
            t0 = engine.step_base_us,
            tflops = card.bf16_tflop_per_s,
            volume = self.reduce_volume_us(),
            a = engine.prefill_us_per_token,
            layers = model.layers,
            heads = model.kv_heads,
            dim = model.head_dim,
            kv_kb = self.kv_bytes() / 1e3,
            c = engine.kv_us_per_token,
            memory = card.memory_gb,
            tokens = engine.kv_tokens(),
        )
    }
}
