//! What the requests ask: prompts and answer lengths, all decided before the run.

mod files;
mod random;

pub(crate) use random::Random;

use plimsoll_core::workload::{Calibration, Workload};

use super::args::Parsed;
use super::failure::{BenchFault, Failure, Instead, WayOut};
use super::fault::needs;
use crate::bench::warning::Warning;

/// From this index on, requests are warm-ups and readiness checks: fresh prompts that no measured
/// request shares.
pub(crate) const WARMUP_INDEX: u64 = 1 << 40;

/// A prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Token ids: the length is exact.
    Ids(Vec<u32>),
    /// Text.
    Text(String),
}

/// What one request asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// What is sent as `prompt` or as the user's message.
    pub(crate) prompt: Prompt,
    /// Prompt length asked for, tokens.
    pub(crate) input_tokens: u32,
    /// Answer length asked for, tokens.
    pub(crate) output_tokens: u32,
}

/// How random prompts are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Style {
    /// As token ids.
    TokenIds,
    /// As words, with the number of tokens that words make on this server.
    Words(Calibration),
}

/// Words count as one token each where the server has not told otherwise.
pub(crate) const UNCALIBRATED: Calibration = Calibration {
    fixed_tokens: 0.0,
    tokens_per_word: 1.0,
};

/// One row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) prompt: String,
    /// Estimated: there is no tokenizer here.
    pub(crate) input_tokens: u32,
    pub(crate) output_tokens: u32,
}

/// The prompts of a run.
#[derive(Clone, Debug)]
pub(crate) enum Dataset {
    /// Random tokens of given lengths.
    Random(Random),
    /// The rows of a file, chosen and in the order to send.
    Rows {
        /// At least one.
        rows: Vec<Row>,
        /// Prompts of warm-ups, which are never rows of the file.
        filler: Workload,
    },
}

impl Dataset {
    /// Reads the flags of the data set, and its file if it has one. `content_seed` decides the
    /// words or ids of random prompts; lengths and the choice of rows depend on `--seed` alone.
    pub(crate) fn read(
        parsed: &Parsed,
        content_seed: u64,
        warn: &mut dyn FnMut(Warning),
    ) -> Result<Self, Failure> {
        let path = parsed.text("dataset-path");
        let name = match (path, parsed.given("dataset-name")) {
            (Some(path), false) => {
                let name = if files::is_json_lines(path) {
                    "custom"
                } else {
                    "sharegpt"
                };
                warn(Warning::GuessedDataset {
                    path: path.to_owned(),
                    name,
                });
                name
            }
            _ => parsed.text("dataset-name").unwrap_or_default(),
        };
        match name {
            "random" => {
                if let Some(path) = path {
                    warn(Warning::FileNotRead(path.to_owned()));
                }
                Ok(Self::Random(Random::read(parsed, content_seed)?))
            }
            "sharegpt" | "custom" => {
                let path =
                    path.ok_or_else(|| needs(&format!("--dataset-name {name}"), "--dataset-path"))?;
                let rows = files::read(parsed, name, path, warn)?;
                Ok(Self::Rows {
                    rows,
                    filler: random::workload(content_seed),
                })
            }
            other => Err(refused(other)),
        }
    }

    /// How many requests the run has, if `--num-prompts` asks for `asked`.
    pub(crate) fn count(&self, asked: usize) -> usize {
        match self {
            Self::Random(_) => asked,
            Self::Rows { rows, .. } => rows.len(),
        }
    }

    /// Whether prompts can be written as token ids.
    pub(crate) fn is_random(&self) -> bool {
        matches!(self, Self::Random(_))
    }

    /// What request `index` asks.
    pub(crate) fn item(&self, index: u64, style: Style) -> Item {
        match self {
            Self::Random(random) => random.item(index, style),
            Self::Rows { rows, filler } => {
                let row = &rows[(index % rows.len() as u64) as usize];
                let prompt = if index >= WARMUP_INDEX {
                    filler.words(index, row.input_tokens)
                } else {
                    row.prompt.clone()
                };
                Item {
                    prompt: Prompt::Text(prompt),
                    input_tokens: row.input_tokens,
                    output_tokens: row.output_tokens,
                }
            }
        }
    }
}

fn refused(name: &str) -> Failure {
    let instead = match name {
        "random-mm" | "custom_image" | "custom_audio" | "random-rerank" => Instead::Media,
        "prefix_repetition" => Instead::SharedPrefix,
        "hf" | "burstgpt" | "spec_bench" | "speed_bench" | "timed_trace" | "sonnet" => {
            Instead::Dataset
        }
        _ => {
            let known = "random, sharegpt, custom".to_owned();
            return Failure::from(BenchFault::InvalidChoice {
                name: "--dataset-name",
                value: name.to_owned(),
            })
            .hint(WayOut::ChooseFrom(known));
        }
    };
    let fault = BenchFault::NotOffered(format!("--dataset-name {name}"));
    Failure::from(fault).hint(WayOut::Instead(instead))
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, parse};
    use super::*;

    /// The data set of a command line, and what it warned of.
    pub(super) fn read(line: &str) -> Result<(Dataset, Vec<String>), Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Command::Run(parsed) = parse(&words)? else {
            panic!("help");
        };
        let mut warnings = Vec::new();
        let dataset = Dataset::read(&parsed, 1, &mut |warning| {
            warnings.push(warning.to_string());
        })?;
        Ok((dataset, warnings))
    }

    #[test]
    fn data_sets_that_are_not_offered_say_what_to_do() {
        for name in [
            "hf",
            "random-mm",
            "prefix_repetition",
            "timed_trace",
            "sonnet",
            "nonsense",
        ] {
            let failure = read(&format!("--dataset-name {name}")).unwrap_err();
            assert!(failure.code == 2 && failure.hint.is_some(), "{name}");
        }
    }

    #[test]
    fn a_file_beside_random_prompts_is_named_and_left() {
        let (dataset, warnings) = read("--dataset-name random --dataset-path x.json").unwrap();
        assert!(dataset.is_random());
        assert!(warnings[0].contains("x.json"));
        assert!(
            read("--dataset-name sharegpt")
                .unwrap_err()
                .fault
                .to_string()
                .contains("--dataset-path")
        );
    }
}
