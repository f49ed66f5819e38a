//! What the server is, found out in seconds before any load: reach, key, models, endpoint,
//! streaming, `usage`, answer length, prompt length in the server's own tokens, metrics.

mod error;
mod models;
mod probe;

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{PromptForm, Protocol};
use plimsoll_core::record::RequestRecord;
use plimsoll_core::run::ServerInfo;
use plimsoll_core::workload::{Calibration, Workload};

pub use error::PreflightError;

use crate::batch::BatchRecord;
use crate::dialect::Dialect;
use crate::target::Target;
use crate::telemetry::MetricsPage;
use probe::Prober;

/// What preflight needs to know.
#[derive(Clone, Debug)]
pub struct PreflightOptions {
    /// Model name, where the user gave one.
    pub model: Option<String>,
    /// Which API; without one, what the server has of them.
    pub protocol: Option<Protocol>,
    /// What will be asked for.
    pub workload: Workload,
    /// Time limit of each request.
    pub timeout: Duration,
}

/// A server that is ready for load.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The server, spoken to in the API that was found.
    pub target: Target,
    /// For the report.
    pub info: ServerInfo,
    /// For the requests.
    pub dialect: Dialect,
    /// How long one request will take alone, by the probe's first token and its pace; `None` where
    /// the probe was too short to tell.
    pub request_time: Option<Duration>,
}

/// Words of the short calibration prompt, and the shortest of the long one.
const SHORT_WORDS: u32 = 16;
const LEAST_LONG_WORDS: u32 = 64;
/// A probe's answer, at most.
const PROBE_TOKENS: u32 = 8;
/// Prompt tokens that a server may add to ids of its own: BOS and the like.
const ADDED_TOKENS: u32 = 4;

/// Finds out what the server is.
///
/// # Errors
/// It cannot be reached, refuses, or is no OpenAI-compatible API; the text says what to do.
pub fn preflight(target: &Target, options: &PreflightOptions) -> Result<Ready, PreflightError> {
    let (models, http) = models::list(target, options.protocol, options.timeout)?;
    let model = models::choose(&models, options.model.as_deref())?;
    check_context(model.max_tokens, &options.workload)?;
    let prober = Prober {
        target,
        options,
        model: &model.id,
    };
    let (dialect, answer) = dialect(&prober, options.protocol)?;
    let target = target.clone().speaking(dialect.protocol);
    let record = &answer.record;
    let asked = record.asked_output_tokens;
    let info = ServerInfo {
        url: target.url(),
        http,
        kind: model.kind.clone(),
        model: model.id.clone(),
        max_model_len_tokens: model.max_tokens,
        endpoint: dialect.protocol,
        reports_usage: record.usage_output_tokens.is_some(),
        honours_output_len: record
            .output_tokens()
            .is_some_and(|(tokens, _)| tokens == asked),
        prompt_form: dialect.prompt_form,
        prompt_tokens_measured: record.prompt_tokens.map(f64::from),
        has_metrics: MetricsPage::is_known(&target, options.timeout),
    };
    let request_time = request_time(record, options.workload.output.mean_tokens());
    Ok(Ready {
        target,
        info,
        dialect,
        request_time,
    })
}

fn request_time(record: &RequestRecord, output_tokens: u32) -> Option<Duration> {
    let rest = record.tpot_ms()? * f64::from(output_tokens.saturating_sub(1));
    Duration::try_from_secs_f64((record.ttft_ms()? + rest) / 1e3).ok()
}

fn check_context(max_tokens: Option<u32>, workload: &Workload) -> Result<(), PreflightError> {
    let wanted = workload.input.longest_tokens() + workload.output.longest_tokens();
    match max_tokens {
        Some(limit) if wanted > limit => Err(PreflightError::TooLong { wanted, limit }),
        _ => Ok(()),
    }
}

/// The first dialect that the server answers to, with its answer. Where no API is named these are
/// `OpenAI`'s, and the others where it has neither of them.
fn dialect(
    prober: &Prober<'_>,
    protocol: Option<Protocol>,
) -> Result<(Dialect, BatchRecord), PreflightError> {
    let first = match &protocol {
        Some(protocol) => std::slice::from_ref(protocol),
        None => Protocol::USUAL.as_slice(),
    };
    let (detail, is_refusal) = match first_of(prober, first)? {
        Tried::Works(found) => return Ok(*found),
        Tried::Missing(detail) => (detail, false),
        Tried::Refused(detail) => (detail, true),
    };
    let mut tried = first.to_vec();
    if protocol.is_none() && !is_refusal {
        let mut others = Protocol::ALL.to_vec();
        others.retain(|other| !first.contains(other));
        if let Tried::Works(found) = first_of(prober, &others)? {
            return Ok(*found);
        }
        tried.extend(others);
    }
    Err(PreflightError::NoEndpoint { tried, detail })
}

/// The first of these APIs that works; else the last refusal, and only if there is none, what was
/// said of one that is missing.
fn first_of(prober: &Prober<'_>, protocols: &[Protocol]) -> Result<Tried, PreflightError> {
    let mut best = Tried::Missing(String::new());
    for protocol in protocols {
        match one(prober, *protocol)? {
            Tried::Missing(_) if matches!(best, Tried::Refused(_)) => {}
            Tried::Works(found) => return Ok(Tried::Works(found)),
            tried => best = tried,
        }
    }
    Ok(best)
}

/// The most exact form that the API takes.
fn one(prober: &Prober<'_>, protocol: Protocol) -> Result<Tried, PreflightError> {
    if protocol.takes_token_ids() {
        match by_token_ids(prober, protocol)? {
            Tried::Refused(_) => {}
            tried => return Ok(tried),
        }
    }
    by_words(prober, protocol)
}

/// What came of a try.
enum Tried {
    Works(Box<(Dialect, BatchRecord)>),
    /// There is no such endpoint.
    Missing(String),
    /// The endpoint is there and refuses this form.
    Refused(String),
}

fn by_token_ids(prober: &Prober<'_>, protocol: Protocol) -> Result<Tried, PreflightError> {
    let tried = with_fewer_extras(prober, protocol, PromptForm::TokenIds)?;
    if let Tried::Works(found) = &tried {
        let record = &found.1.record;
        let exact = record
            .prompt_tokens
            .is_none_or(|tokens| tokens.abs_diff(record.asked_prompt_tokens) <= ADDED_TOKENS);
        if !exact {
            return Ok(Tried::Refused(
                "token ids are not taken as they are".to_owned(),
            ));
        }
    }
    Ok(tried)
}

fn by_words(prober: &Prober<'_>, protocol: Protocol) -> Result<Tried, PreflightError> {
    let tried = with_fewer_extras(prober, protocol, PromptForm::Words)?;
    let Tried::Works(found) = tried else {
        return Ok(tried);
    };
    let (mut dialect, mut answer) = *found;
    if answer.record.prompt_tokens.is_some() {
        let long = prober.workload().input.mean_tokens().max(LEAST_LONG_WORDS);
        let short_tokens = prober.measure_words(&dialect, SHORT_WORDS)?;
        let long_tokens = prober.measure_words(&dialect, long)?;
        dialect.calibration = short_tokens
            .zip(long_tokens)
            .and_then(|(short, measured)| Calibration::fit((SHORT_WORDS, short), (long, measured)));
        answer = prober.ask(&dialect, prober.workload().input.mean_tokens())?;
    }
    // The calibrated prompt may be longer than the one that worked.
    let detail = answer.record.detail.clone().unwrap_or_default();
    match answer.record.outcome {
        Outcome::Completed => Ok(Tried::Works(Box::new((dialect, answer)))),
        Outcome::HttpStatus { status: 400 | 422 } => Ok(Tried::Refused(detail)),
        outcome => Err(PreflightError::of(outcome, detail, prober, protocol)),
    }
}

/// Tries a form with all extras, and with fewer where the server refuses the request as such.
fn with_fewer_extras(
    prober: &Prober<'_>,
    protocol: Protocol,
    prompt_form: PromptForm,
) -> Result<Tried, PreflightError> {
    let mut refusal = String::new();
    for extras in protocol.extras() {
        let dialect = Dialect {
            model: prober.model.to_owned(),
            protocol,
            prompt_form,
            calibration: None,
            extras: *extras,
        };
        let answer = prober.ask(&dialect, prober.workload().input.mean_tokens())?;
        let detail = answer.record.detail.clone().unwrap_or_default();
        match answer.record.outcome {
            Outcome::Completed => return Ok(Tried::Works(Box::new((dialect, answer)))),
            Outcome::HttpStatus {
                status: 404 | 405 | 501,
            } => return Ok(Tried::Missing(detail)),
            Outcome::HttpStatus { status: 400 | 422 } => refusal = detail,
            outcome => return Err(PreflightError::of(outcome, detail, prober, protocol)),
        }
    }
    Ok(Tried::Refused(refusal))
}
