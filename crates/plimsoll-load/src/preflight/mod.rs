//! What the server is, found out in seconds before any load: reach, key, models, endpoint,
//! streaming, `usage`, answer length, prompt length in the server's own tokens, metrics.

mod error;
mod models;
mod probe;

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::run::{Endpoint, PromptForm, ServerInfo};
use plimsoll_core::workload::{Calibration, Workload};

pub use error::PreflightError;
pub use models::{ServedModel, read_models};

use crate::batch::BatchRecord;
use crate::completions::Dialect;
use crate::target::Target;
use crate::telemetry::MetricsPage;
use probe::Prober;

/// Which API to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointChoice {
    /// Completions if the server has it, else chat.
    Auto,
    /// `/v1/completions`.
    Completions,
    /// `/v1/chat/completions`.
    Chat,
}

/// What preflight needs to know.
#[derive(Clone, Debug)]
pub struct PreflightOptions {
    /// Model name, where the user gave one.
    pub model: Option<String>,
    /// Which API.
    pub endpoint: EndpointChoice,
    /// What will be asked for.
    pub workload: Workload,
    /// Time limit of each request.
    pub timeout: Duration,
}

/// A server that is ready for load.
#[derive(Clone, Debug)]
pub struct Ready {
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
    let (models, http) = models::list(target, options.timeout)?;
    let model = models::choose(&models, options.model.as_deref())?;
    check_context(model.max_tokens, &options.workload)?;
    let prober = Prober {
        target,
        options,
        model: &model.id,
    };
    let (dialect, answer) = dialect(&prober, options.endpoint)?;
    let record = &answer.record;
    let asked = record.asked_output_tokens;
    let info = ServerInfo {
        url: target.url(),
        http,
        kind: model.kind.clone(),
        model: model.id.clone(),
        max_model_len_tokens: model.max_tokens,
        endpoint: dialect.endpoint,
        reports_usage: record.usage_output_tokens.is_some(),
        honours_output_len: record
            .output_tokens()
            .is_some_and(|(tokens, _)| tokens == asked),
        prompt_form: dialect.prompt_form,
        prompt_tokens_measured: record.prompt_tokens.map(f64::from),
        has_metrics: MetricsPage::is_known(target, options.timeout),
    };
    let request_time = request_time(record, options.workload.output.mean_tokens());
    Ok(Ready {
        info,
        dialect,
        request_time,
    })
}

fn request_time(record: &RequestRecord, output_tokens: u32) -> Option<Duration> {
    let rest = record.tpot_ms()? * f64::from(output_tokens.saturating_sub(1));
    Some(Duration::from_secs_f64((record.ttft_ms()? + rest) / 1e3))
}

fn check_context(max_tokens: Option<u32>, workload: &Workload) -> Result<(), PreflightError> {
    let wanted = workload.input.longest_tokens() + workload.output.longest_tokens();
    match max_tokens {
        Some(limit) if wanted > limit => Err(PreflightError::TooLong { wanted, limit }),
        _ => Ok(()),
    }
}

/// The first dialect that the server answers to, with its answer.
fn dialect(
    prober: &Prober<'_>,
    choice: EndpointChoice,
) -> Result<(Dialect, BatchRecord), PreflightError> {
    let endpoints: &[Endpoint] = match choice {
        EndpointChoice::Auto => &[Endpoint::Completions, Endpoint::Chat],
        EndpointChoice::Completions => &[Endpoint::Completions],
        EndpointChoice::Chat => &[Endpoint::Chat],
    };
    let mut refusal = None;
    for endpoint in endpoints {
        if *endpoint == Endpoint::Completions {
            match by_token_ids(prober)? {
                Tried::Works(found) => return Ok(*found),
                Tried::Missing(detail) => {
                    refusal = Some(detail);
                    continue;
                }
                Tried::Refused(_) => {}
            }
        }
        match by_words(prober, *endpoint)? {
            Tried::Works(found) => return Ok(*found),
            Tried::Missing(detail) | Tried::Refused(detail) => refusal = Some(detail),
        }
    }
    Err(PreflightError::NoEndpoint {
        detail: refusal.unwrap_or_default(),
    })
}

/// What came of a try.
enum Tried {
    Works(Box<(Dialect, BatchRecord)>),
    /// There is no such endpoint.
    Missing(String),
    /// The endpoint is there and refuses this form.
    Refused(String),
}

fn by_token_ids(prober: &Prober<'_>) -> Result<Tried, PreflightError> {
    let tried = with_fewer_extras(prober, Endpoint::Completions, PromptForm::TokenIds, None)?;
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

fn by_words(prober: &Prober<'_>, endpoint: Endpoint) -> Result<Tried, PreflightError> {
    let tried = with_fewer_extras(prober, endpoint, PromptForm::Words, None)?;
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
    Ok(Tried::Works(Box::new((dialect, answer))))
}

/// Tries a form with all extras, and with fewer where the server refuses the request as such.
fn with_fewer_extras(
    prober: &Prober<'_>,
    endpoint: Endpoint,
    prompt_form: PromptForm,
    calibration: Option<Calibration>,
) -> Result<Tried, PreflightError> {
    let mut refusal = String::new();
    for (ignore_eos, include_usage) in [(true, true), (false, true), (false, false)] {
        let dialect = Dialect {
            model: prober.model.to_owned(),
            endpoint,
            prompt_form,
            calibration,
            ignore_eos,
            include_usage,
        };
        let answer = prober.ask(&dialect, prober.workload().input.mean_tokens())?;
        let detail = answer.record.detail.clone().unwrap_or_default();
        match answer.record.outcome {
            Outcome::Completed => return Ok(Tried::Works(Box::new((dialect, answer)))),
            Outcome::HttpStatus {
                status: 404 | 405 | 501,
            } => return Ok(Tried::Missing(detail)),
            Outcome::HttpStatus { status: 400 | 422 } => refusal = detail,
            outcome => return Err(PreflightError::of(outcome, detail, prober)),
        }
    }
    Ok(Tried::Refused(refusal))
}
