//! What a command told: its exit code, its words, and the requests that it saved.

use std::path::Path;
use std::process::Output;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{RequestLine, RequestTrace};
use serde_json::Value;

use super::server::Counts;

/// Where `bench serve` saves its result.
pub(crate) const BENCH_FILE: &str = "bench.json";
/// Where `find` and `check` save their run.
pub(crate) const RUN_FOLDER: &str = "run";

/// One request of the load.
#[derive(Debug)]
pub(crate) struct Ended {
    /// As a key: `completed`, `http_429`.
    pub(crate) outcome: String,
    /// Answer length asked for; `bench serve` does not save it.
    pub(crate) asked_output_tokens: Option<u32>,
    pub(crate) output_tokens: Option<u32>,
    /// Only of `find` and `check`.
    pub(crate) ttft_ms: Option<f64>,
    /// Only of `find` and `check`.
    pub(crate) tpot_ms: Option<f64>,
}

/// What a command told, and what the server counted meanwhile.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    /// stdout and stderr.
    pub(crate) text: String,
    /// The requests of the load that came to an end by themselves.
    pub(crate) ended: Vec<Ended>,
    /// `run.json` of `find` and `check`; null where there is none.
    pub(crate) run: Value,
    pub(crate) server: Counts,
}

impl Told {
    /// Whether the words stand in what it printed. Where a line is broken is not theirs to say: it
    /// depends on how long the numbers before them are.
    pub(crate) fn says(&self, words: &str) -> bool {
        in_one_line(&self.text).contains(&in_one_line(words))
    }

    /// The gateway cap that a search advises, streams.
    pub(crate) fn cap(&self) -> Option<u64> {
        self.run["verdict"]["recommended"]["cap"]["streams"].as_u64()
    }

    /// Whether some level of a run says that the server breaks an objective.
    pub(crate) fn has_a_fail(&self) -> bool {
        let levels = self.run["levels"].as_array();
        levels.is_some_and(|levels| levels.iter().any(|level| level["verdict"] == "fail"))
    }

    /// Reads what a command that ran in `folder` left.
    pub(crate) fn read(output: &Output, folder: &Path, server: Counts) -> Self {
        let text = [&output.stdout, &output.stderr].map(|bytes| words(bytes));
        let saved = folder.join(RUN_FOLDER);
        let run = read(&saved.join("run.json")).map_or(Value::Null, |text| json(&text));
        let lines = read(&saved.join("requests.jsonl")).unwrap_or_default();
        let mut ended: Vec<Ended> = lines.lines().filter_map(of_line).collect();
        if let Some(text) = read(&folder.join(BENCH_FILE)) {
            ended = of_bench(&json(&text));
        }
        Self {
            code: output.status.code(),
            text: text.concat(),
            ended,
            run,
            server,
        }
    }
}

/// With one space wherever there is any, or an end of a line.
fn in_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_whitespace() {
            true if line.ends_with(' ') => {}
            true => line.push(' '),
            false => line.push(character),
        }
    }
    line
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What was printed, without the line in which `bench serve` repeats its arguments.
fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("Namespace("))
        .collect()
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn of_line(line: &str) -> Option<Ended> {
    let record = RequestTrace::from(serde_json::from_str::<RequestLine>(line).unwrap());
    let is_own = record.outcome.is_completed() || record.outcome.is_failure();
    is_own.then(|| Ended {
        outcome: record.outcome.key(),
        asked_output_tokens: Some(record.asked_output_tokens),
        output_tokens: record.output_tokens().map(|(count, _)| count),
        ttft_ms: record.ttft_ms(),
        tpot_ms: record.tpot_ms(),
    })
}

fn of_bench(result: &Value) -> Vec<Ended> {
    let column = |key: &str| result[key].as_array().into_iter().flatten();
    column("plimsoll_outcome_of_request")
        .zip(column("output_lens"))
        .map(|(outcome, length)| {
            let outcome = outcome.as_str().unwrap().to_owned();
            let is_whole = Outcome::from_key(&outcome) == Some(Outcome::Completed);
            Ended {
                outcome,
                asked_output_tokens: None,
                output_tokens: length
                    .as_u64()
                    .filter(|_| is_whole)
                    .map(|count| count as u32),
                ttft_ms: None,
                tpot_ms: None,
            }
        })
        .collect()
}
