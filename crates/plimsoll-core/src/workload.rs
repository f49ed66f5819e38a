//! What requests ask for: lengths and prompts, all from one seed. Request `i` of a seed is always
//! the same, whoever sends it.

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

/// A workload of uniformly varied lengths around two means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Mean prompt length, tokens, at least 1.
    pub input_tokens: u32,
    /// Mean answer length, tokens, at least 1.
    pub output_tokens: u32,
    /// Lengths vary uniformly by this share of their mean, 0..1.
    pub spread_ratio: f64,
    /// Seed of everything.
    pub seed: u64,
}

impl Workload {
    /// The lengths of request `index`.
    pub fn lengths(&self, index: u64) -> Lengths {
        let mut rng = self.rng(index, 0);
        Lengths {
            input_tokens: vary(&mut rng, self.input_tokens, self.spread_ratio),
            output_tokens: vary(&mut rng, self.output_tokens, self.spread_ratio),
        }
    }

    /// Whether all requests take so nearly the same time that the phases of streams never mix.
    pub fn is_lockstep(&self) -> bool {
        // A uniform distribution of half-width h has the standard deviation h/√3.
        self.spread_ratio / 3.0_f64.sqrt() < LOCKSTEP_VARIATION
    }

    /// A prompt of token ids for request `index`: fresh from the first token on, so that no prefix
    /// cache answers.
    pub fn token_ids(&self, index: u64, tokens: u32) -> Vec<u32> {
        let mut rng = self.rng(index, 1);
        (0..tokens).map(|_| rng.random_range(ID_RANGE)).collect()
    }

    /// A prompt of words for request `index`.
    pub fn words(&self, index: u64, words: u32) -> String {
        let mut rng = self.rng(index, 1);
        let mut text = String::with_capacity(words as usize * 5);
        for i in 0..words {
            if i > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[rng.random_range(0..WORDS.len())]);
        }
        text
    }

    fn rng(&self, index: u64, purpose: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(index.wrapping_mul(2).wrapping_add(purpose));
        rng
    }
}

fn vary(rng: &mut ChaCha8Rng, mean: u32, spread_ratio: f64) -> u32 {
    let reach = (f64::from(mean) * spread_ratio).round() as u32;
    if reach == 0 {
        mean
    } else {
        rng.random_range(mean.saturating_sub(reach).max(1)..=mean + reach)
    }
}

/// How many words make a prompt of a given number of tokens: tokens = `fixed` + `per_word` · words,
/// measured on the server itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Tokens of an empty prompt: template and special tokens.
    pub fixed_tokens: f64,
    /// Tokens of one word.
    pub tokens_per_word: f64,
}

impl Calibration {
    /// Fits two measurements of (words, tokens); `None` if they do not rise.
    pub fn fit(short: (u32, u32), long: (u32, u32)) -> Option<Self> {
        let words = f64::from(long.0) - f64::from(short.0);
        let tokens = f64::from(long.1) - f64::from(short.1);
        (words > 0.0 && tokens > 0.0).then(|| {
            let tokens_per_word = tokens / words;
            Self {
                fixed_tokens: f64::from(short.1) - tokens_per_word * f64::from(short.0),
                tokens_per_word,
            }
        })
    }

    /// Words for a prompt of `tokens`, at least one.
    pub fn words_for(&self, tokens: u32) -> u32 {
        ((f64::from(tokens) - self.fixed_tokens) / self.tokens_per_word)
            .round()
            .max(1.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKLOAD: Workload = Workload {
        input_tokens: 512,
        output_tokens: 128,
        spread_ratio: 0.1,
        seed: 3,
    };

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
        let fixed = Workload {
            spread_ratio: 0.0,
            ..WORKLOAD
        };
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
            let one = Workload {
                spread_ratio,
                ..WORKLOAD
            };
            assert_eq!(one.is_lockstep(), lockstep, "{spread_ratio}");
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

    #[test]
    fn calibration_inverts_its_fit() {
        let fitted = Calibration::fit((10, 17), (110, 127)).unwrap();
        assert_eq!(fitted.words_for(512), 460);
        assert_eq!(fitted.words_for(1), 1);
        assert_eq!(Calibration::fit((10, 17), (110, 17)), None);
    }
}
