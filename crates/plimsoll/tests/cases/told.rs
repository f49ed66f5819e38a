//! What a command told: its exit code, its words, and the requests that it saved.

use std::path::Path;
use std::process::Output;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{RequestLine, RequestRecord};
use plimsoll_core::run::Run;
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
    /// The run, of `find` and `check`, where there is one.
    pub(crate) run: Option<Run>,
    pub(crate) server: Counts,
}

impl Told {
    /// Reads what a command that ran in `folder` left.
    pub(crate) fn read(output: &Output, folder: &Path, server: Counts) -> Self {
        let text = [&output.stdout, &output.stderr].map(|bytes| words(bytes));
        let saved = folder.join(RUN_FOLDER);
        let run = read(&saved.join("run.json")).map(|text| serde_json::from_str(&text).unwrap());
        let lines = read(&saved.join("requests.jsonl")).unwrap_or_default();
        let mut ended: Vec<Ended> = lines.lines().filter_map(of_line).collect();
        if let Some(text) = read(&folder.join(BENCH_FILE)) {
            ended = of_bench(&serde_json::from_str(&text).unwrap());
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
    let record = RequestRecord::from(serde_json::from_str::<RequestLine>(line).unwrap());
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
