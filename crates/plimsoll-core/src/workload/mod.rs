//! What requests ask for: lengths from one seed, prompts from another.
//!
//! Request `i` is a function of the seeds and `i`, and requests are numbered through the run: each
//! level has fresh lengths, so that what one sample of lengths does to the mean averages away over
//! the visits of a load.

mod calibration;
mod law;
mod named;
mod think;

pub use calibration::Calibration;
pub use law::LengthLaw;
pub use named::{GuideNumbers, NamedWorkload};
pub use think::ThinkTime;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Token ids that every tokenizer of these models has and that are no special tokens.
const ID_RANGE: std::ops::Range<u32> = 1_000..20_000;

/// Short English words that are one token, with their leading space, in the usual vocabularies.
const WORDS: [&str; 96] = [
    "the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by",
    "on", "not", "he", "his", "but", "at", "are", "this", "have", "from", "or", "had", "an",
    "they", "which", "one", "you", "were", "all", "her", "she", "there", "would", "their", "we",
    "him", "been", "has", "when", "who", "will", "no", "more", "if", "out", "so", "up", "said",
    "what", "its", "about", "than", "into", "them", "can", "only", "other", "time", "new", "some",
    "could", "these", "two", "may", "first", "then", "do", "any", "like", "my", "now", "over",
    "such", "our", "man", "me", "even", "most", "made", "after", "also", "did", "many", "off",
    "before", "must", "well", "back", "through", "years", "much", "where",
];

/// Lengths that vary less than this, as standard deviation by mean, leave streams in lockstep: those
/// that start together stay together (statistics.md §3.2).
const LOCKSTEP_VARIATION: f64 = 0.05;

/// Lengths of one request, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Prompt.
    pub input_tokens: u32,
    /// Answer.
    pub output_tokens: u32,
}

/// What requests ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Law of the prompts' lengths.
    pub input: LengthLaw,
    /// Law of the answers' lengths.
    pub output: LengthLaw,
    /// Seed of the lengths.
    pub seed: u64,
    /// Seed of the prompts: another one where lengths are to repeat and prompts are not, so that no
    /// prefix cache knows them.
    pub prompt_seed: u64,
}

impl Workload {
    /// Lengths within a share of two means, each at least 1.
    pub const fn uniform(
        input_tokens: u32,
        output_tokens: u32,
        spread_ratio: f64,
        seed: u64,
    ) -> Self {
        Self {
            input: LengthLaw::Uniform {
                mean_tokens: input_tokens,
                spread_ratio,
            },
            output: LengthLaw::Uniform {
                mean_tokens: output_tokens,
                spread_ratio,
            },
            seed,
            prompt_seed: seed,
        }
    }

    /// The lengths of request `index`.
    pub fn lengths(&self, index: u64) -> Lengths {
        let mut rng = rng(self.seed, index, 0);
        Lengths {
            input_tokens: self.input.draw(&mut rng),
            output_tokens: self.output.draw(&mut rng),
        }
    }

    /// Whether all requests take so nearly the same time that the phases of streams never mix.
    pub fn is_lockstep(&self) -> bool {
        let laws = [self.input, self.output];
        laws.iter().all(|law| law.variation() < LOCKSTEP_VARIATION)
    }

    /// A prompt of token ids for request `index`: fresh from the first token on, so that no prefix
    /// cache answers.
    pub fn token_ids(&self, index: u64, tokens: u32) -> Vec<u32> {
        let mut rng = rng(self.prompt_seed, index, 1);
        (0..tokens).map(|_| rng.random_range(ID_RANGE)).collect()
    }

    /// A prompt of words for request `index`.
    pub fn words(&self, index: u64, words: u32) -> String {
        let mut rng = rng(self.prompt_seed, index, 1);
        let mut text = String::with_capacity(words as usize * 5);
        for i in 0..words {
            if i > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[rng.random_range(0..WORDS.len())]);
        }
        text
    }
}

fn rng(seed: u64, index: u64, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index.wrapping_mul(2).wrapping_add(purpose));
    rng
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKLOAD: Workload = Workload::uniform(512, 128, 0.1, 3);

    #[test]
    fn lengths_vary_around_their_mean_and_repeat_for_a_seed() {
        let lengths: Vec<Lengths> = (0..2_000).map(|i| WORKLOAD.lengths(i)).collect();
        assert!(
            lengths
                .iter()
                .all(|one| (461..=563).contains(&one.input_tokens))
        );
        assert!(
            lengths
                .iter()
                .all(|one| (115..=141).contains(&one.output_tokens))
        );
        let mean = lengths
            .iter()
            .map(|one| f64::from(one.input_tokens))
            .sum::<f64>()
            / 2_000.0;
        assert!((mean - 512.0).abs() < 3.0, "{mean}");
        assert_eq!(WORKLOAD.lengths(7), lengths[7]);
    }

    #[test]
    fn a_spread_of_zero_is_one_fixed_length() {
        let fixed = Workload::uniform(512, 128, 0.0, 3);
        assert_eq!(
            fixed.lengths(1),
            Lengths {
                input_tokens: 512,
                output_tokens: 128
            }
        );
    }

    #[test]
    fn lengths_that_hardly_vary_keep_streams_in_lockstep() {
        // 5 % of a uniform half-width is 2.9 % of variation, 10 % is 5.8 %.
        for (spread_ratio, lockstep) in [(0.0, true), (0.05, true), (0.1, false), (0.5, false)] {
            let one = Workload::uniform(512, 128, spread_ratio, 3);
            assert_eq!(one.is_lockstep(), lockstep, "{spread_ratio}");
        }
    }

    /// Of one run and of the next, whatever their lengths: servers find a prefix again by blocks of
    /// 16 tokens or more, and a word is a token at least.
    #[test]
    fn no_two_prompts_share_their_first_words() {
        let next = Workload {
            prompt_seed: 4,
            ..WORKLOAD
        };
        assert_eq!(next.lengths(5), WORKLOAD.lengths(5));
        let mut seen = std::collections::HashSet::new();
        for index in 0..4_000 {
            for run in [WORKLOAD, next] {
                let length = 16 + index as u32 % 40;
                let words = run.words(index, length);
                let first: Vec<&str> = words.split(' ').take(8).collect();
                assert!(seen.insert(first.join(" ")), "{words}");
                let ids = run.token_ids(index, length);
                assert!(seen.insert(format!("{:?}", &ids[..8])), "{ids:?}");
            }
        }
    }

    #[test]
    fn prompts_differ_from_the_first_token_on() {
        let firsts: std::collections::BTreeSet<u32> =
            (0..200).map(|i| WORKLOAD.token_ids(i, 8)[0]).collect();
        assert!(firsts.len() > 180);
        assert_eq!(WORKLOAD.words(1, 40).split(' ').count(), 40);
        assert_ne!(WORKLOAD.words(1, 40), WORKLOAD.words(2, 40));
    }
}
