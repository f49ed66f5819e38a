//! What has to be learned from the server before the run: whether it answers, the model's name in
//! requests, and how random prompts are written.
//!
//! One short request answers all of it in the usual case. Without `--model` the list of models is
//! asked for first. Where prompts have to be words, two requests measure how many tokens words
//! are. A model name that the server refuses costs the list and one more request.
//!
//! vLLM sends `--model` as it is, and so does this. But scripts often hold a path that the server
//! never heard of; vLLM then reports that every request failed. Here, if the server says that it
//! does not know the model and lists exactly one, requests name that one, with a warning. The
//! result keeps `--model` as its `model_id`.

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::runner::Go;
use plimsoll_core::workload::Calibration;

use super::body::Writer;
use super::dataset::{Dataset, Item, Prompt, Random, Style, UNCALIBRATED, WARMUP_INDEX};
use super::failure::{BenchFault, Failure, WayOut};
use super::probe::{Answer, NoList, Probe};
use super::settings::Settings;
use crate::bench::warning::Warning;

/// Token ids of the question whether the server takes token ids.
const PROBE_IDS: [u32; 2] = [1_000, 1_001];

/// Words of the shorter measurement of how many tokens words are.
const SHORT_WORDS: u32 = 16;

/// Fewest and most words of the longer one.
const LONG_WORDS: (u32, u32) = (64, 4_096);

/// Prompts of measurements are those of indices from here on, which nothing else uses.
const SAMPLE_INDEX: u64 = WARMUP_INDEX << 1;

/// Between two looks whether the server is up, as in vLLM.
const RETRY: Duration = Duration::from_secs(5);

/// What was learned.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    /// The model's id for the result.
    pub(crate) model_id: String,
    /// Writes requests with the name that the server knows.
    pub(crate) writer: Writer,
    /// How random prompts are written.
    pub(crate) style: Style,
}

/// One try: the model's id, the writer, and the answer to the first request.
struct Try {
    model_id: String,
    writer: Writer,
    answer: Answer,
}

/// Learns it. Waits for the server as long as the settings say.
pub(crate) fn preflight(
    settings: &Settings,
    id_prefix: &str,
    probe: &mut dyn Probe,
    warn: &mut dyn FnMut(Warning),
) -> Result<Learned, Failure> {
    let mut waited = Duration::ZERO;
    let first = loop {
        let tried = attempt(settings, id_prefix, probe, warn);
        if tried.is_err() && probe.wait(Duration::ZERO) == Go::Stop {
            return Err(stopped());
        }
        let refused = match &tried {
            Ok(tried) => tried.answer.outcome == Outcome::Connect,
            Err(failure) => failure.hint == Some(WayOut::IsItRunning),
        };
        let fault = match tried {
            Ok(tried) if is_up(&tried.answer) || refuses_ids(settings, &tried.answer) => {
                break tried;
            }
            Ok(tried) if settings.ready_timeout.is_zero() => {
                warn(Warning::FirstFailed(tried.answer.fault()));
                break tried;
            }
            Ok(tried) => tried.answer.fault(),
            Err(failure) if settings.ready_timeout.is_zero() => return Err(failure),
            Err(failure) => failure.fault.to_string(),
        };
        if waited >= settings.ready_timeout {
            return Err(BenchFault::NotUp {
                seconds: settings.ready_timeout.as_secs(),
                seen: fault,
                refused,
            }
            .into());
        }
        let span = RETRY.min(settings.ready_timeout.saturating_sub(waited));
        if probe.wait(span) == Go::Stop {
            return Err(stopped());
        }
        waited += span;
    };
    let style = match &settings.dataset {
        Dataset::Rows { .. } => Style::Words(UNCALIBRATED),
        Dataset::Random(random) => style(settings, random, &first, probe, warn)?,
    };
    Ok(Learned {
        model_id: first.model_id,
        writer: first.writer,
        style,
    })
}

/// The user stopped the run before it began.
pub(crate) fn stopped() -> Failure {
    BenchFault::Stopped.into()
}

fn is_up(answer: &Answer) -> bool {
    // An answer that ends early or without text is an answer: the server is up.
    matches!(
        answer.outcome,
        Outcome::Completed | Outcome::Empty | Outcome::EndedEarly
    )
}

/// Whether the first request of these settings is one of token ids.
fn asks_ids(settings: &Settings) -> bool {
    settings.dataset.is_random() && settings.protocol.takes_token_ids()
}

/// Whether the server is up but takes no token ids.
fn refuses_ids(settings: &Settings, answer: &Answer) -> bool {
    let refused = match answer.outcome {
        Outcome::HttpStatus { status } => {
            (400..500).contains(&status) && ![401, 403, 404, 408, 429].contains(&status)
        }
        Outcome::ErrorEvent | Outcome::Malformed => true,
        _ => false,
    };
    asks_ids(settings) && refused
}

fn attempt(
    settings: &Settings,
    id_prefix: &str,
    probe: &mut dyn Probe,
    warn: &mut dyn FnMut(Warning),
) -> Result<Try, Failure> {
    let (model_id, request_model) = names(settings, probe)?;
    let mut writer = Writer {
        protocol: settings.protocol,
        path: settings.address.path.clone(),
        model: request_model,
        flags: settings.body.clone(),
        id_prefix: id_prefix.to_owned(),
    };
    let prompt = match &settings.dataset {
        _ if asks_ids(settings) => Prompt::Ids(PROBE_IDS.to_vec()),
        Dataset::Random(random) => Prompt::Text(random.sample_words(SAMPLE_INDEX, SHORT_WORDS)),
        Dataset::Rows { .. } => Prompt::Text("Hi".to_owned()),
    };
    let mut answer = ask(&writer, prompt.clone(), probe)?;
    if unknown_model(&answer)
        && let Some(only) = only_other_model(&writer.model, probe)
    {
        let named = Writer {
            model: only,
            ..writer.clone()
        };
        let second = ask(&named, prompt, probe)?;
        if !unknown_model(&second) {
            warn(Warning::OtherModel {
                asked: writer.model.clone(),
                served: named.model.clone(),
            });
            (writer, answer) = (named, second);
        }
    }
    Ok(Try {
        model_id,
        writer,
        answer,
    })
}

/// The model's id for the result, and its name in requests.
fn names(settings: &Settings, probe: &mut dyn Probe) -> Result<(String, String), Failure> {
    if let Some(model) = &settings.model {
        let name = settings.served_model_name.as_ref().unwrap_or(model);
        return Ok((model.clone(), name.clone()));
    }
    let fault = |none: NoList| BenchFault::NoModelName {
        seen: none.seen,
        refused: none.refused,
    };
    let models = probe.models().map_err(fault)?;
    let first = models
        .into_iter()
        .next()
        .ok_or_else(|| fault("it lists no models".into()))?;
    let name = settings
        .served_model_name
        .clone()
        .unwrap_or_else(|| first.id.clone());
    Ok((first.root.unwrap_or(first.id), name))
}

fn unknown_model(answer: &Answer) -> bool {
    let Outcome::HttpStatus { status } = answer.outcome else {
        return false;
    };
    let detail = answer
        .detail
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let says_so = detail.contains("model")
        && [
            "not exist",
            "not found",
            "unknown",
            "not a valid",
            "no such",
        ]
        .iter()
        .any(|words| detail.contains(words));
    status == 404 || ([400, 422].contains(&status) && says_so)
}

fn only_other_model(name: &str, probe: &mut dyn Probe) -> Option<String> {
    match probe.models().ok()?.as_slice() {
        [only] if only.id != name => Some(only.id.clone()),
        _ => None,
    }
}

fn ask(writer: &Writer, prompt: Prompt, probe: &mut dyn Probe) -> Result<Answer, Failure> {
    let item = Item {
        prompt,
        input_tokens: 0,
        output_tokens: 1,
    };
    let answer = probe.completion(writer.request(&item, "probe"))?;
    if answer.outcome == Outcome::CutAtEnd {
        return Err(stopped());
    }
    Ok(answer)
}

fn style(
    settings: &Settings,
    random: &Random,
    first: &Try,
    probe: &mut dyn Probe,
    warn: &mut dyn FnMut(Warning),
) -> Result<Style, Failure> {
    let short = if refuses_ids(settings, &first.answer) {
        warn(Warning::NoTokenIds);
        let prompt = Prompt::Text(random.sample_words(SAMPLE_INDEX, SHORT_WORDS));
        ask(&first.writer, prompt, probe)?
    } else if asks_ids(settings) {
        return Ok(Style::TokenIds);
    } else {
        first.answer.clone()
    };
    if !is_up(&short) {
        return Ok(Style::Words(UNCALIBRATED));
    }
    let words = random
        .longest_input_tokens()
        .clamp(LONG_WORDS.0, LONG_WORDS.1);
    let prompt = Prompt::Text(random.sample_words(SAMPLE_INDEX + 1, words));
    let long = ask(&first.writer, prompt, probe)?;
    let fitted = short
        .prompt_tokens
        .zip(long.prompt_tokens)
        .and_then(|(a, b)| Calibration::fit((SHORT_WORDS, a), (words, b)));
    if fitted.is_none() {
        warn(Warning::NoPromptLength);
    }
    Ok(Style::Words(fitted.unwrap_or(UNCALIBRATED)))
}

#[cfg(test)]
#[path = "preflight_tests.rs"]
mod tests;
