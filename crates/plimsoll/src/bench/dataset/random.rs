//! `--dataset-name random`: prompts of exact lengths that mean nothing.

use plimsoll_core::workload::Workload;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::{Item, Prompt, Style};
use crate::bench::args::Parsed;
use crate::bench::failure::{BenchFault, Failure};
use crate::bench::fault::out_of_bounds;
use crate::bench::json::Json;

/// Index of the prompt that serves as the shared prefix.
const PREFIX_INDEX: u64 = (1 << 62) - 1;

/// Multiplier that spreads indices over the seeds (2^64 / golden ratio).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Longest prompt or answer, tokens: more than any server takes, and few enough to be written.
const MOST_TOKENS: u32 = 10_000_000;

/// Random prompts. Lengths are uniform whole numbers in ⌊L(1−r)⌋..=⌈L(1+r)⌉.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    input_tokens: u32,
    output_tokens: u32,
    input_ratio: f64,
    output_ratio: f64,
    prefix_tokens: u32,
    length_seed: u64,
    content: Workload,
}

/// A workload of which only the content is used.
pub(super) fn workload(seed: u64) -> Workload {
    Workload::uniform(1, 1, 0.0, seed)
}

impl Random {
    pub(super) fn read(parsed: &Parsed, content_seed: u64) -> Result<Self, Failure> {
        let (input_ratio, output_ratio) = ratios(parsed.json("random-range-ratio"))?;
        let random = Self {
            input_tokens: tokens(parsed, "input-len", "random-input-len", 0)?,
            output_tokens: tokens(parsed, "output-len", "random-output-len", 1)?,
            input_ratio,
            output_ratio,
            prefix_tokens: tokens(parsed, "random-prefix-len", "random-prefix-len", 0)?,
            length_seed: parsed.int("seed").unwrap_or(0).cast_unsigned(),
            content: workload(content_seed),
        };
        if random.prefix_tokens + bounds(random.input_tokens, input_ratio).0 < 1 {
            return Err(BenchFault::NoPrompt.into());
        }
        Ok(random)
    }

    /// What request `index` asks.
    pub(super) fn item(&self, index: u64, style: Style) -> Item {
        let seed = self.length_seed ^ index.wrapping_add(1).wrapping_mul(SPREAD);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut draw = |(low, high): (u32, u32)| rng.random_range(low..=high);
        let own_tokens = draw(bounds(self.input_tokens, self.input_ratio));
        let output_tokens = draw(bounds(self.output_tokens, self.output_ratio)).max(1);
        let input_tokens = self.prefix_tokens + own_tokens;
        let prompt = match style {
            Style::TokenIds => {
                let mut ids = self.content.token_ids(PREFIX_INDEX, self.prefix_tokens);
                ids.extend(self.content.token_ids(index, own_tokens));
                Prompt::Ids(ids)
            }
            Style::Words(calibration) => {
                let words = calibration.words_for(input_tokens);
                let prefix = f64::from(self.prefix_tokens) / calibration.tokens_per_word;
                let prefix = (prefix.round() as u32).min(words);
                let parts = [
                    self.content.words(PREFIX_INDEX, prefix),
                    self.content.words(index, words - prefix),
                ];
                let parts: Vec<&str> = parts
                    .iter()
                    .map(String::as_str)
                    .filter(|part| !part.is_empty())
                    .collect();
                Prompt::Text(parts.join(" "))
            }
        };
        Item {
            prompt,
            input_tokens,
            output_tokens,
        }
    }

    /// Length of the longest prompt, tokens.
    pub(crate) fn longest_input_tokens(&self) -> u32 {
        self.prefix_tokens + bounds(self.input_tokens, self.input_ratio).1
    }

    /// Words that no request sends, to measure what words are in tokens.
    pub(crate) fn sample_words(&self, index: u64, words: u32) -> String {
        self.content.words(index, words)
    }
}

/// Smallest and largest length around a mean.
fn bounds(mean: u32, ratio: f64) -> (u32, u32) {
    let mean = f64::from(mean);
    (
        (mean * (1.0 - ratio)).floor() as u32,
        (mean * (1.0 + ratio)).ceil() as u32,
    )
}

/// A length: the general flag if it was typed, else the data set's own.
pub(super) fn tokens(
    parsed: &Parsed,
    general: &str,
    own: &str,
    least: u32,
) -> Result<u32, Failure> {
    let name = if parsed.given(general) { general } else { own };
    let value = parsed.int(name).unwrap_or_default();
    u32::try_from(value)
        .ok()
        .filter(|value| (least..=MOST_TOKENS).contains(value))
        .ok_or_else(|| {
            out_of_bounds(name, (i64::from(least), i64::from(MOST_TOKENS)), value).into()
        })
}

/// The shares by which prompt and answer lengths vary.
fn ratios(value: Option<&Json>) -> Result<(f64, f64), Failure> {
    let fault = || Failure::from(BenchFault::RangeRatio);
    let valid = |value: Option<&Json>| {
        value
            .and_then(Json::as_f64)
            .filter(|ratio| (0.0..1.0).contains(ratio))
            .ok_or_else(fault)
    };
    match value {
        None => Ok((0.0, 0.0)),
        Some(Json::Object(object)) => {
            Ok((valid(object.get("input"))?, valid(object.get("output"))?))
        }
        number => Ok((valid(number)?, valid(number)?)),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::workload::Calibration;

    use super::super::tests::read;
    use super::super::{UNCALIBRATED, WARMUP_INDEX};
    use super::*;

    fn item(line: &str, index: u64, style: Style) -> Item {
        read(line).unwrap().0.item(index, style)
    }

    fn ids(line: &str, index: u64) -> Vec<u32> {
        match item(line, index, Style::TokenIds).prompt {
            Prompt::Ids(ids) => ids,
            Prompt::Text(text) => panic!("{text}"),
        }
    }

    fn text(line: &str, index: u64, calibration: Calibration) -> String {
        match item(line, index, Style::Words(calibration)).prompt {
            Prompt::Text(text) => text,
            Prompt::Ids(ids) => panic!("{ids:?}"),
        }
    }

    #[test]
    fn lengths_are_exact_without_a_range() {
        let line = "--random-input-len 512 --random-output-len 128";
        let item = item(line, 3, Style::TokenIds);
        assert_eq!((item.input_tokens, item.output_tokens), (512, 128));
        assert_eq!(ids(line, 3).len(), 512);
        assert_eq!(ids("--input-len 7 --output-len 2", 0).len(), 7);
    }

    #[test]
    fn lengths_fill_their_range_and_nothing_beyond() {
        // ⌊15·0.5⌋ = 7, ⌈15·1.5⌉ = 23; ⌊10·0.75⌋ = 7, ⌈10·1.25⌉ = 13.
        let line = "--random-input-len 15 --random-output-len 10 \
                    --random-range-ratio.input 0.5 --random-range-ratio.output 0.25";
        let items: Vec<Item> = (0..2000).map(|i| item(line, i, Style::TokenIds)).collect();
        let inputs: std::collections::BTreeSet<u32> =
            items.iter().map(|item| item.input_tokens).collect();
        let outputs: std::collections::BTreeSet<u32> =
            items.iter().map(|item| item.output_tokens).collect();
        assert_eq!(inputs, (7..=23).collect());
        assert_eq!(outputs, (7..=13).collect());
    }

    #[test]
    fn prompts_share_their_prefix_and_nothing_else() {
        let line = "--random-input-len 20 --random-prefix-len 10";
        let (a, b) = (ids(line, 0), ids(line, 1));
        assert_eq!((a.len(), &a[..10]), (30, &b[..10]));
        assert_ne!(a[10], b[10]);
        assert_ne!(ids(line, WARMUP_INDEX)[10..], a[10..]);
        let (a, b) = (text(line, 0, UNCALIBRATED), text(line, 1, UNCALIBRATED));
        let prefix = |text: &str| text.split(' ').take(10).collect::<Vec<_>>().join(" ");
        assert_eq!(a.split(' ').count(), 30);
        assert_eq!(prefix(&a), prefix(&b));
        assert_ne!(a, b);
    }

    #[test]
    fn words_follow_the_calibration() {
        let calibration = Calibration {
            fixed_tokens: 12.0,
            tokens_per_word: 2.0,
        };
        let text = text("--random-input-len 112", 0, calibration);
        assert_eq!(text.split(' ').count(), 50);
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for line in [
            "--random-input-len 0",
            "--random-input-len 1 --random-range-ratio 0.5",
            "--random-output-len 0",
            "--random-range-ratio 1",
            "--random-range-ratio -0.1",
            "--random-range-ratio {\"input\":0.5}",
        ] {
            assert_eq!(read(line).unwrap_err().code, 2, "{line}");
        }
        read("--random-input-len 0 --random-prefix-len 1").unwrap();
    }
}
