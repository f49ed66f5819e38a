//! Data sets from files: `sharegpt` (a JSON array of conversations) and `custom` (JSON Lines).
//!
//! There is no tokenizer here, so lengths of texts are estimated for choosing rows; what is
//! reported is what the server counts.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use super::{Row, random};
use crate::bench::args::Parsed;
use crate::bench::failure::{BenchFault, Failure};
use crate::bench::warning::Warning;

/// vLLM's bounds on `ShareGPT` rows, tokens.
const SHAREGPT_LEAST: u32 = 4;
const SHAREGPT_LONGEST_PROMPT: u32 = 1024;
const SHAREGPT_LONGEST_TOTAL: u32 = 2048;

#[derive(Deserialize)]
struct Conversation {
    #[serde(default, alias = "conversation")]
    conversations: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct CustomLine {
    prompt: String,
    #[serde(default)]
    output_tokens: Option<u32>,
}

/// Whether a path names a file of JSON Lines.
pub(super) fn is_json_lines(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "jsonl")
}

/// Reads a file and chooses its rows.
pub(super) fn read(
    parsed: &Parsed,
    name: &str,
    path: &str,
    warn: &mut dyn FnMut(Warning),
) -> Result<Vec<Row>, Failure> {
    let rows = if name == "sharegpt" {
        let fixed = fixed_length(parsed, "sharegpt-output-len")?;
        warn(Warning::EstimatedRows);
        sharegpt(path, fixed)?
    } else {
        if !parsed.on("skip-chat-template") {
            warn(Warning::NoTemplate);
        }
        custom(path, fixed_length(parsed, "custom-output-len")?)?
    };
    if rows.is_empty() {
        return Err(BenchFault::NoRows(path.to_owned()).into());
    }
    Ok(choose(rows, parsed, warn))
}

/// The answer length of all rows; `None` takes each row's own.
fn fixed_length(parsed: &Parsed, own: &str) -> Result<Option<u32>, Failure> {
    let by_row = !parsed.given("output-len") && matches!(parsed.int(own), None | Some(-1));
    if by_row {
        return Ok(None);
    }
    random::tokens(parsed, "output-len", own, 1).map(Some)
}

fn open(path: &str) -> Result<BufReader<File>, Failure> {
    File::open(path).map(BufReader::new).map_err(|error| {
        let path = path.to_owned();
        BenchFault::Unreadable { path, error }.into()
    })
}

fn sharegpt(path: &str, fixed: Option<u32>) -> Result<Vec<Row>, Failure> {
    let conversations: Vec<Conversation> =
        serde_json::from_reader(open(path)?).map_err(|error| {
            let path = path.to_owned();
            BenchFault::NotShareGpt { path, error }
        })?;
    let rows = conversations.into_iter().filter_map(|one| {
        let mut turns = one.conversations.into_iter();
        let (prompt, answer) = (turns.next()?.value, turns.next()?.value);
        let row = Row {
            input_tokens: estimate_tokens(&prompt),
            output_tokens: fixed.unwrap_or_else(|| estimate_tokens(&answer)),
            prompt,
        };
        let long_enough = row.input_tokens >= SHAREGPT_LEAST
            && (fixed.is_some() || row.output_tokens >= SHAREGPT_LEAST);
        let short_enough = row.input_tokens <= SHAREGPT_LONGEST_PROMPT
            && row.input_tokens + row.output_tokens <= SHAREGPT_LONGEST_TOTAL;
        (long_enough && short_enough).then_some(row)
    });
    Ok(rows.collect())
}

fn custom(path: &str, fixed: Option<u32>) -> Result<Vec<Row>, Failure> {
    if !is_json_lines(path) {
        return Err(BenchFault::NotJsonLines(path.to_owned()).into());
    }
    let mut rows = Vec::new();
    for (number, line) in open(path)?.lines().enumerate() {
        let (path, number) = (|| path.to_owned(), number + 1);
        let text = line.map_err(|error| BenchFault::Line {
            path: path(),
            line: number,
            error,
        })?;
        if text.trim().is_empty() {
            continue;
        }
        let line: CustomLine =
            serde_json::from_str(&text).map_err(|error| BenchFault::LineJson {
                path: path(),
                line: number,
                error,
            })?;
        let output_tokens = fixed.or(line.output_tokens);
        let output_tokens = output_tokens.ok_or_else(|| BenchFault::NoOutputTokens {
            path: path(),
            line: number,
        })?;
        rows.push(Row {
            input_tokens: estimate_tokens(&line.prompt),
            output_tokens,
            prompt: line.prompt,
        });
    }
    Ok(rows)
}

/// The rows to send: shuffled, cut to `--num-prompts`, and drawn again where they are too few.
fn choose(mut rows: Vec<Row>, parsed: &Parsed, warn: &mut dyn FnMut(Warning)) -> Vec<Row> {
    let seed = parsed.int("seed").unwrap_or(0).cast_unsigned();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    if !parsed.on("disable-shuffle") {
        rows.shuffle(&mut rng);
    }
    let asked = parsed.int("num-prompts").unwrap_or(0);
    let asked = usize::try_from(asked).unwrap_or(0);
    if asked == 0 {
        return rows;
    }
    let available = rows.len();
    rows.truncate(asked);
    if available < asked && parsed.on("no-oversample") {
        warn(Warning::FewRows { available, asked });
    } else if available < asked {
        warn(Warning::RowsAgain { available, asked });
        for _ in available..asked {
            let again = rows[rng.random_range(0..available)].clone();
            rows.push(again);
        }
    }
    rows
}

/// About how many tokens a text has: 1.3 a word, 1 a Chinese, Japanese or Korean character.
fn estimate_tokens(text: &str) -> u32 {
    let is_cjk = |c: &char| matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}');
    let characters = text.chars().filter(is_cjk).count();
    let words = text
        .split(|c: char| c.is_whitespace() || is_cjk(&c))
        .filter(|word| !word.is_empty())
        .count();
    (words as f64 * 1.3).round() as u32 + u32::try_from(characters).unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::tests::read;
    use super::super::{Dataset, Item, Prompt, Style, UNCALIBRATED, WARMUP_INDEX};
    use super::*;

    fn file(suffix: &str, content: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file
    }

    fn rows(line: &str, file: &tempfile::NamedTempFile) -> Result<Vec<Row>, Failure> {
        let line = format!("{line} --dataset-path {}", file.path().display());
        match read(&line)?.0 {
            Dataset::Rows { rows, .. } => Ok(rows),
            Dataset::Random(_) => panic!("random"),
        }
    }

    fn share(pairs: &[(usize, usize)]) -> String {
        let text = |words| vec!["w"; words].join(" ");
        let entries: Vec<String> = pairs
            .iter()
            .map(|(prompt, answer)| {
                format!(
                    r#"{{"id": "x", "conversations": [{{"from": "human", "value": "{}"}},
                       {{"from": "gpt", "value": "{}"}}]}}"#,
                    text(*prompt),
                    text(*answer)
                )
            })
            .collect();
        format!("[{}, {{\"conversations\": []}}]", entries.join(","))
    }

    #[test]
    fn sharegpt_rows_are_filtered_by_their_estimated_length() {
        // Kept: 10 words (13 tokens) and 20 (26). Too short: 2 words (3 tokens) on either side.
        // Too long: 800 words (1040); 700 + 900 words (910 + 1170 = 2080).
        let file = file(
            ".json",
            &share(&[(10, 20), (2, 20), (10, 2), (800, 5), (700, 900)]),
        );
        let kept = rows("--dataset-name sharegpt --num-prompts 1", &file).unwrap();
        assert_eq!((kept[0].input_tokens, kept[0].output_tokens), (13, 26));
        let line = "--dataset-name sharegpt --sharegpt-output-len 7 --no-oversample";
        let kept = rows(line, &file).unwrap();
        // With a fixed length the short answer and the long one are no reasons to drop a row.
        assert_eq!(kept.len(), 3);
        assert!(kept.iter().all(|row| row.output_tokens == 7));
    }

    #[test]
    fn custom_rows_keep_the_files_order_or_are_shuffled_by_seed() {
        let lines: Vec<String> = (0..50)
            .map(|i| format!(r#"{{"prompt": "p{i}", "output_tokens": {}}}"#, i + 1))
            .collect();
        let file = file(".jsonl", &lines.join("\n"));
        let names = |line: &str| -> Vec<String> {
            rows(line, &file)
                .unwrap()
                .into_iter()
                .map(|row| row.prompt)
                .collect()
        };
        let plain = "--dataset-name custom --num-prompts 0 --disable-shuffle";
        assert_eq!(names(plain)[..3], ["p0", "p1", "p2"]);
        let shuffled = "--dataset-name custom --num-prompts 50";
        assert_ne!(names(shuffled), names(plain));
        assert_eq!(names(shuffled), names(shuffled));
        assert_ne!(names(shuffled), names(&format!("{shuffled} --seed 1")));
        let by_row = rows(&format!("{plain} --custom-output-len -1"), &file).unwrap();
        assert_eq!(by_row[4].output_tokens, 5);
        assert_eq!(rows(plain, &file).unwrap()[4].output_tokens, 256);
    }

    #[test]
    fn too_few_rows_are_drawn_again_or_sent_once() {
        let file = file(".jsonl", "{\"prompt\": \"a\"}\n\n{\"prompt\": \"b\"}\n");
        let line = "--dataset-name custom --num-prompts 5";
        assert_eq!(rows(line, &file).unwrap().len(), 5);
        assert_eq!(
            rows(&format!("{line} --no-oversample"), &file)
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn warm_ups_never_use_a_row() {
        let file = file(".jsonl", "{\"prompt\": \"a b c d e f g h i j\"}\n");
        let line = format!(
            "--dataset-name custom --dataset-path {}",
            file.path().display()
        );
        let dataset = read(&line).unwrap().0;
        let text = |index| match dataset.item(index, Style::Words(UNCALIBRATED)) {
            Item {
                prompt: Prompt::Text(text),
                ..
            } => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(0), "a b c d e f g h i j");
        assert_ne!(text(WARMUP_INDEX), text(0));
        assert_ne!(text(WARMUP_INDEX), text(WARMUP_INDEX + 1));
        assert_eq!(text(WARMUP_INDEX).split(' ').count(), 13);
    }

    #[test]
    fn files_that_cannot_be_used_say_where() {
        let bad = file(".jsonl", "{\"prompt\": \"a\"}\n{\"text\": \"b\"}\n");
        let failure = rows("--dataset-name custom", &bad).unwrap_err();
        assert!(failure.fault.to_string().contains("line 2") && failure.code == 1);
        let wrong = file(".txt", "");
        assert_eq!(rows("--dataset-name custom", &wrong).unwrap_err().code, 2);
        assert!(rows("--dataset-name sharegpt", &wrong).is_err());
        assert!(read("--dataset-name custom --dataset-path /nowhere.jsonl").is_err());
    }

    #[test]
    fn chinese_counts_by_character() {
        assert_eq!(estimate_tokens("one two three four five"), 7);
        assert_eq!(estimate_tokens("首字时延"), 4);
        assert_eq!(estimate_tokens("用 GPU 跑"), 3);
    }
}
