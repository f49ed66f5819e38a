//! What was typed, checked and put in order: everything of a run that is known before the server
//! has been asked anything.

use std::time::Duration;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::quote::is_plain;

use super::address::{self, Address};
use super::args::Parsed;
use super::body::BodyFlags;
use super::dataset::Dataset;
use super::failure::{BenchFault, Failure};
use super::fault::{not_above_0, out_of_bounds};
use super::load::Load;
use super::metrics::Reported;
use crate::bench::warning::Warning;

/// What is saved, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// Whether a file is written.
    pub(crate) save: bool,
    /// Whether it keeps the arrays with one entry a request.
    pub(crate) detailed: bool,
    /// Whether it is appended to.
    pub(crate) append: bool,
    /// Directory.
    pub(crate) dir: Option<String>,
    /// File name; made from the settings if absent.
    pub(crate) file: Option<String>,
    /// First part of a file name that is made.
    pub(crate) label: Option<String>,
    /// Further keys of the result.
    pub(crate) metadata: Vec<(String, String)>,
}

/// A run, as far as the command line tells.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Settings {
    /// The backend's name as typed.
    pub(crate) backend_name: String,
    /// The protocol.
    pub(crate) protocol: Protocol,
    /// The server.
    pub(crate) address: Address,
    /// `--model`.
    pub(crate) model: Option<String>,
    /// `--served-model-name`.
    pub(crate) served_model_name: Option<String>,
    /// `--tokenizer`, for the result alone.
    pub(crate) tokenizer: Option<String>,
    /// Whether the result names no tokenizer.
    pub(crate) skip_tokenizer: bool,
    /// Start of every `x-request-id`; made up if absent.
    pub(crate) request_id_prefix: Option<String>,
    /// Requests asked for.
    pub(crate) num_prompts: usize,
    /// When they are due.
    pub(crate) load: Load,
    /// Fields of the bodies.
    pub(crate) body: BodyFlags,
    /// What they ask.
    pub(crate) dataset: Dataset,
    /// Whether `--seed` was typed, so that prompts repeat from run to run.
    pub(crate) seed_given: bool,
    /// Whether `--temperature` was typed.
    pub(crate) temperature_given: bool,
    /// Requests before the measured ones.
    pub(crate) num_warmups: usize,
    /// How long to wait for the server; zero does not.
    pub(crate) ready_timeout: Duration,
    /// Time limit of one request.
    pub(crate) timeout: Duration,
    /// What is reported.
    pub(crate) reported: Reported,
    /// What is saved.
    pub(crate) output: Output,
    /// Whether progress is left out.
    pub(crate) quiet: bool,
    /// Whether a run without any success still exits with 0.
    pub(crate) exit_zero: bool,
}

impl Settings {
    /// Checks what was typed.
    ///
    /// Shape: `fresh` is a number that differs from run to run. It seeds the content of random
    /// prompts unless `--seed` was typed: a prefix cache must not answer from the last run. Lengths
    /// and arrivals follow `--seed`, or 0, in any case.
    pub(crate) fn read(
        parsed: &Parsed,
        env: &dyn Fn(&str) -> Option<String>,
        fresh: u64,
        warn: &mut dyn FnMut(Warning),
    ) -> Result<Self, Failure> {
        let backend_name = match parsed.text("endpoint-type") {
            Some(older) if !parsed.given("backend") => older,
            _ => parsed.text("backend").unwrap_or_default(),
        };
        let protocol = address::backend(backend_name)?;
        names(parsed)?;
        let address = Address::read(parsed, protocol, env)?;
        if let Some(proxy) = &address.target.route.proxy {
            warn(Warning::Proxied(proxy.to_string()));
        }
        let load = Load::read(parsed)?;
        let output = output(parsed, warn)?;
        let reported = Reported::read(parsed, load.max_concurrency.is_some(), load.is_finite())?;
        if protocol != Protocol::Completions && parsed.given("logprobs") {
            warn(Warning::Logprobs);
        }
        let num_prompts = num_prompts(parsed)?;
        let content_seed = if parsed.given("seed") {
            load.seed
        } else {
            fresh
        };
        let dataset = Dataset::read(parsed, content_seed, warn)?;
        if (dataset.is_random() || parsed.on("ignore-eos")) && !protocol.can_fix_length() {
            warn(Warning::AnswerLength(protocol.path()));
        }
        if num_prompts == 0 && dataset.is_random() {
            return Err(not_above_0("--num-prompts", 0).into());
        }
        Ok(Self {
            backend_name: backend_name.to_owned(),
            protocol,
            address,
            model: owned(parsed, "model"),
            served_model_name: owned(parsed, "served-model-name"),
            tokenizer: owned(parsed, "tokenizer"),
            skip_tokenizer: parsed.on("skip-tokenizer-init"),
            request_id_prefix: owned(parsed, "request-id-prefix"),
            num_prompts,
            load,
            body: BodyFlags::read(parsed, dataset.is_random())?,
            dataset,
            seed_given: parsed.given("seed"),
            temperature_given: parsed.float("temperature").is_some(),
            num_warmups: count(parsed, "num-warmups")?,
            ready_timeout: Duration::from_secs(count(parsed, "ready-check-timeout-sec")? as u64),
            timeout: timeout(parsed)?,
            reported,
            output,
            quiet: parsed.on("disable-tqdm"),
            exit_zero: parsed.on("exit-zero"),
        })
    }
}

/// Words that stand in a header, a path or a file name, where a line break would end it.
const NAMES: [&str; 5] = [
    "model",
    "served-model-name",
    "tokenizer",
    "request-id-prefix",
    "endpoint",
];
/// Names of what is written: a path may have what does not show, but no control character.
const PATHS: [&str; 3] = ["label", "result-dir", "result-filename"];

/// Whether all of them are names.
fn names(parsed: &Parsed) -> Result<(), Failure> {
    let has = |name: &str, is_odd: fn(&str) -> bool| parsed.text(name).is_some_and(is_odd);
    let mut odd_names = NAMES
        .iter()
        .filter(|name| has(name, |text| !is_plain(text)));
    let mut odd_paths = PATHS
        .iter()
        .filter(|name| has(name, |text| text.contains(char::is_control)));
    let odd = odd_names.next().or_else(|| odd_paths.next());
    odd.map_or(Ok(()), |name| Err(BenchFault::NoName(name).into()))
}

fn owned(parsed: &Parsed, name: &str) -> Option<String> {
    parsed
        .text(name)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Requests of one run: their records take about a gigabyte.
const MOST_REQUESTS: i64 = 1_000_000;

fn count(parsed: &Parsed, name: &str) -> Result<usize, Failure> {
    let value = parsed.int(name).unwrap_or(0);
    let within = Some(value).filter(|value| (0..=MOST_REQUESTS).contains(value));
    within
        .and_then(|value| usize::try_from(value).ok())
        .ok_or_else(|| out_of_bounds(name, (0, MOST_REQUESTS), value).into())
}

fn num_prompts(parsed: &Parsed) -> Result<usize, Failure> {
    let count = count(parsed, "num-prompts")?;
    // 0 means every row of a file, in custom data sets.
    if count == 0 && parsed.text("dataset-name") == Some("sharegpt") {
        return Err(not_above_0("--num-prompts", 0).into());
    }
    Ok(count)
}

fn timeout(parsed: &Parsed) -> Result<Duration, Failure> {
    let seconds = parsed.float("timeout").unwrap_or(0.0);
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|timeout| !timeout.is_zero() && *timeout <= Duration::from_secs(31_536_000))
        .ok_or_else(|| BenchFault::Timeout(seconds).into())
}

fn output(parsed: &Parsed, warn: &mut dyn FnMut(Warning)) -> Result<Output, Failure> {
    let mut metadata = Vec::new();
    for pair in parsed.list("metadata") {
        let (key, value) = pair
            .split_once('=')
            .ok_or(BenchFault::KeyValue("--metadata"))?;
        metadata.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    let append = parsed.on("append-result");
    let save = append || parsed.on("save-result");
    for name in ["result-filename", "result-dir", "metadata", "save-detailed"] {
        if !save && parsed.given(name) {
            warn(Warning::NothingSaved(name));
        }
    }
    Ok(Output {
        save,
        detailed: parsed.on("save-detailed"),
        append,
        dir: owned(parsed, "result-dir"),
        file: owned(parsed, "result-filename"),
        label: owned(parsed, "label"),
        metadata,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::args::{Command, parse};
    use super::*;

    /// The settings of a command line, and what they warned of.
    pub(crate) fn settings(line: &str) -> Result<(Settings, Vec<String>), Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Command::Run(parsed) = parse(&words)? else {
            panic!("help");
        };
        let mut warnings = Vec::new();
        let mut warn = |warning: Warning| warnings.push(warning.to_string());
        let settings = Settings::read(&parsed, &|_| None, 99, &mut warn)?;
        Ok((settings, warnings))
    }

    #[test]
    fn the_guides_second_script_is_told_that_nothing_is_saved() {
        let (settings, warnings) = settings(
            "--backend vllm --model /path/to/your/model --dataset-name random \
             --num-prompts 1000 --request-rate 20 --max-concurrency 10 --random-input-len 512 \
             --random-output-len 128 --result-filename qps_20_concurrency_10.json",
        )
        .unwrap();
        assert!(!settings.output.save);
        assert!(warnings[0].contains("--save-result"));
        assert_eq!(settings.load.max_concurrency, Some(10));
        assert_eq!(settings.backend_name, "vllm");
    }

    #[test]
    fn prompts_are_new_in_every_run_unless_a_seed_is_given() {
        use super::super::dataset::{Item, Style};
        let item = |line| -> Item { settings(line).unwrap().0.dataset.item(0, Style::TokenIds) };
        let (fresh, seeded) = (
            item("--random-input-len 9"),
            item("--random-input-len 9 --seed 0"),
        );
        assert_ne!(fresh.prompt, seeded.prompt);
        assert_eq!(fresh.input_tokens, seeded.input_tokens);
        assert_eq!(seeded, item("--random-input-len 9 --seed 0"));
    }

    #[test]
    fn the_older_name_of_the_backend_is_known() {
        let line = "--endpoint-type openai-chat --endpoint /v1/chat/completions";
        assert_eq!(settings(line).unwrap().0.protocol, Protocol::Chat);
    }

    #[test]
    fn impossible_settings_are_usage_errors() {
        for line in [
            "--num-prompts 0",
            "--num-prompts -1",
            "--timeout 0",
            "--metadata novalue",
            "--num-warmups -1",
            "--extra-body [1]",
            "--backend tensorrt-llm",
            "--backend ollama --endpoint /v1/completions",
            "--endpoint /api/chat",
        ] {
            assert_eq!(settings(line).unwrap_err().code, 2, "{line}");
        }
    }
}
