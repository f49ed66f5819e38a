//! Named engines: three derived from public card and model figures, one chosen for tests.

mod roofline;

use crate::engine::EngineParams;
pub use roofline::{Card, Deployment, Model};

/// Parameters of an engine under a name, with where they come from.
///
/// A derived profile is a roofline estimate, good for the shape of a load curve and its order of
/// magnitude; it is no measurement of that card.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name, as the command line takes it.
    pub name: &'static str,
    /// What the engine is made with.
    pub engine: EngineParams,
    origin: Origin,
}

#[derive(Debug, Clone, PartialEq)]
enum Origin {
    Derived(Deployment),
    Chosen,
}

impl Profile {
    /// Returns the names that [`Profile::named`] knows, in alphabetical order.
    pub fn names() -> &'static [&'static str] {
        &["4090-8b", "h100-8b", "h20-70b-tp8", "toy"]
    }

    /// Returns the profile of that name, or `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        let deployment = match name {
            "4090-8b" => Deployment {
                card: &roofline::RTX_4090,
                model: &roofline::LLAMA_8B,
                cards: 1,
                max_num_seqs: 256,
                max_num_batched_tokens: 2048,
                max_model_len: 8192,
            },
            "h100-8b" => Deployment {
                card: &roofline::H100_SXM,
                model: &roofline::LLAMA_8B,
                cards: 1,
                max_num_seqs: 1024,
                max_num_batched_tokens: 8192,
                max_model_len: 32_768,
            },
            "h20-70b-tp8" => Deployment {
                card: &roofline::H20,
                model: &roofline::LLAMA_70B,
                cards: 8,
                max_num_seqs: 1024,
                max_num_batched_tokens: 8192,
                max_model_len: 32_768,
            },
            "toy" => {
                return Some(Self {
                    name: "toy",
                    engine: toy(),
                    origin: Origin::Chosen,
                });
            }
            _ => return None,
        };
        let name = Self::names().iter().find(|known| **known == name)?;
        Some(Self {
            name,
            engine: deployment.engine(),
            origin: Origin::Derived(deployment),
        })
    }

    /// [`explain`](Self::explain), in Chinese.
    pub fn explain_in_chinese(&self) -> String {
        match &self.origin {
            Origin::Derived(deployment) => {
                format!("{}：{}", self.name, deployment.explain_in_chinese())
            }
            Origin::Chosen => explain_toy_in_chinese(&self.engine),
        }
    }

    /// Returns how the parameters came about: the formula with the figures put in, one a line.
    pub fn explain(&self) -> String {
        match &self.origin {
            Origin::Derived(deployment) => format!("{}: {}", self.name, deployment.explain()),
            Origin::Chosen => explain_toy(&self.engine),
        }
    }
}

/// An engine for tests and demonstrations, chosen so that a request of 512 + 128 tokens takes
/// 0.2 s, its first token 20 ms, and its 24 streams slow a step by a third. Prefill takes more than
/// half of its time when it is full, and memory never binds.
fn toy() -> EngineParams {
    EngineParams {
        step_base_us: 1_500.0,
        prefill_us_per_token: 36.0,
        sequence_us: 14.0,
        kv_us_per_token: 0.0137,
        max_num_seqs: 24,
        max_num_batched_tokens: 2048,
        kv_blocks: 8192,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.03,
        prefix_cache: false,
        max_model_len: 8192,
    }
}

/// What the toy's numbers come to, ms: a first token, a step of one sequence, and of a full batch.
fn toy_times_ms(engine: &EngineParams) -> (f64, f64, f64) {
    (
        engine.step_us(512, 1, 512) / 1e3,
        engine.step_us(0, 1, 576) / 1e3,
        engine.step_us(0, 24, 24 * 576) / 1e3,
    )
}

fn explain_toy_in_chinese(engine: &EngineParams) -> String {
    let (first, alone, full) = toy_times_ms(engine);
    format!(
        "toy：数值是选定的，不由任何显卡推导\n\
         首字         输入 512 token：{first:.1} ms\n\
         一步         1 条序列：{alone:.2} ms；24 条序列：{full:.2} ms（{:+.0} %）\n\
         一个请求     单独运行 512 + 128 token：{:.0} ms\n\
         KV 缓存      {} token\n",
        (full / alone - 1.0) * 100.0,
        first + 127.0 * alone,
        engine.kv_tokens(),
    )
}

fn explain_toy(engine: &EngineParams) -> String {
    let (first, alone, full) = toy_times_ms(engine);
    format!(
        "toy: chosen, not derived from any card\n\
         first token  512 prompt tokens: {first:.1} ms\n\
         step         1 sequence: {alone:.2} ms; 24 sequences: {full:.2} ms ({:+.0} %)\n\
         request      512 + 128 tokens alone: {:.0} ms\n\
         KV cache     {} tokens\n",
        (full / alone - 1.0) * 100.0,
        first + 127.0 * alone,
        engine.kv_tokens(),
    )
}

#[cfg(test)]
mod tests {
    use super::Profile;
    use crate::engine::{Engine, EngineParams, Job, PromptKey};

    #[test]
    fn every_name_has_a_valid_engine_and_an_explanation() {
        for name in Profile::names() {
            let profile = Profile::named(name).expect("a listed name");
            assert_eq!(profile.engine.validate(), Ok(()), "{name}");
            assert!(
                profile.explain().starts_with(&format!("{name}: ")),
                "{name}"
            );
            assert!(
                profile
                    .explain_in_chinese()
                    .starts_with(&format!("{name}：")),
                "{name}"
            );
        }
        assert_eq!(Profile::named("tpu"), None);
    }

    #[test]
    fn a_single_toy_request_takes_the_promised_time() {
        let toy = Profile::named("toy").expect("a listed name").engine;
        let mut engine = Engine::new(
            EngineParams {
                jitter_cv: 0.0,
                ..toy
            },
            1,
        );
        let prompt = PromptKey::unshared();
        engine.submit(
            0,
            Job {
                id: 1,
                prompt,
                prompt_tokens: 512,
                output_tokens: 128,
            },
        );
        let ends: Vec<f64> = std::iter::from_fn(|| engine.step())
            .map(|step| step.end_ns() as f64 / 1e6)
            .collect();
        assert_eq!(ends.len(), 128);
        assert!(
            (ends[0] - 20.0).abs() < 0.5,
            "first token after {} ms",
            ends[0]
        );
        assert!(
            (ends[127] - 212.0).abs() < 6.0,
            "last token after {} ms",
            ends[127]
        );
    }

    #[test]
    fn the_derived_figures_are_of_the_known_order() {
        let h100 = Profile::named("h100-8b").expect("a listed name").engine;
        // 16 GB of weights at 80 % of 3.35 TB/s are 6 ms; 128 KiB of KV a token.
        assert!(
            (6000.0..8000.0).contains(&h100.step_base_us),
            "{}",
            h100.step_base_us
        );
        assert!(
            (380_000..440_000).contains(&h100.kv_tokens()),
            "{}",
            h100.kv_tokens()
        );
        let small = Profile::named("4090-8b").expect("a listed name").engine;
        assert!(
            small.kv_tokens() < 40_000,
            "24 GB leave little beside the weights"
        );
    }
}
