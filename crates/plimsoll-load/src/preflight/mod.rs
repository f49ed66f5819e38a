//! What the server is, found out in seconds before any load: reach, key, models, endpoint, optional
//! fields, streaming, `usage`, answer length, prompt length in the server's own tokens, metrics.
//!
//! | file | does |
//! |---|---|
//! | `models` | the list of models |
//! | `probe` | one request: sent on, repeated while the server is not ready |
//! | `patience` | how long it is waited for |
//! | `lengths` | prompts and answers of the lengths asked for |
//! | `error` | why a server cannot be loaded as it is |
//!
//! Which API it has and what of a request it takes is asked for step by step by
//! [`plimsoll_core::negotiation`].

mod error;
mod lengths;
mod models;
mod patience;
mod probe;

use std::time::Duration;

use plimsoll_core::negotiation::{Form, Heard, Negotiation, Next};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{Feature, Protocol};
use plimsoll_core::quote::quoted;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::run::{BodyPlan, ServerInfo};
use plimsoll_core::workload::Workload;

pub use error::PreflightError;
pub use models::without_secrets;

use crate::dialect::Dialect;
use crate::target::Target;
use crate::telemetry::MetricsPage;
use error::Refused;
use lengths::{Failed, PROBE_TOKENS};
use probe::{Ask, Prober};

/// What preflight needs to know.
#[derive(Clone, Debug)]
pub struct PreflightOptions {
    /// Model name, where the user gave one.
    pub model: Option<String>,
    /// Which API; without one, what the server has of them.
    pub protocol: Option<Protocol>,
    /// What will be asked for.
    pub workload: Workload,
    /// What the user wants in each body.
    pub body: BodyPlan,
    /// Seed of the probes' own prompts: that of no load and of no other preflight, so that no prefix
    /// cache answers.
    pub probe_seed: u64,
    /// Time limit of each request.
    pub timeout: Duration,
    /// How long a server that is not ready is waited for.
    pub wait: Duration,
}

/// What happens meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The server is not ready, and is asked again.
    Waiting {
        /// 429 or 503.
        status: u16,
        /// What it said, safe to show.
        said: String,
        /// How long it is left alone.
        pause: Duration,
        /// How much longer it may take after that.
        left: Duration,
    },
    /// The server sends requests on, to another place on it.
    Moved {
        /// The path there, safe to show.
        to: String,
    },
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
    /// What the server does not take, with its words, safe to show.
    pub left_out: Vec<(Feature, String)>,
}

/// Prompt of a probe that asks for no length, at most: prompts may be longer than the context.
const PROBE_PROMPT_TOKENS: u32 = 64;
/// Prompt tokens that a server may add to ids of its own: BOS and the like.
const ADDED_TOKENS: u32 = 4;
/// A metrics page that takes longer than this is none: it is read several times a second.
const METRICS_PATIENCE: Duration = Duration::from_secs(2);

/// Finds out what the server is, and tells what happens meanwhile.
///
/// # Errors
/// It cannot be reached, refuses, or is no API that is known here; the text says what to do.
pub fn preflight(
    target: &Target,
    options: &PreflightOptions,
    tell: &mut dyn FnMut(&News),
) -> Result<Ready, PreflightError> {
    let mut prober = Prober::new(target, options, tell);
    let (models, http) = models::list(&mut prober)?;
    let models = models::without_secrets(models, &target.secrets());
    let model = models::choose(&models, options.model.as_deref())?;
    check_context(model.max_tokens, &options.workload)?;
    let refused = Refused {
        model: &model.id,
        served: models::names(&models),
    };
    let (mut negotiation, dialect) = negotiate(&mut prober, &refused)?;
    let states_context = model.max_tokens.is_some();
    let whole = lengths::whole(&mut prober, &mut negotiation, dialect, states_context);
    let whole = whole.map_err(|failed| match failed {
        Failed::Preflight(error) => error,
        Failed::Refused(refusal) => refused.error(refusal, &prober),
    })?;
    let form = &whole.dialect.form;
    let target = prober.target.clone().speaking(form.protocol);
    let info = ServerInfo {
        url: target.url(),
        http,
        kind: model.kind.clone(),
        model: model.id.clone(),
        max_model_len_tokens: model.max_tokens,
        endpoint: form.protocol,
        reports_usage: whole.record.usage_output_tokens.is_some(),
        honours_output_len: whole.has_asked_length(),
        prompt_form: form.prompt_form(),
        prompt_tokens_measured: whole.record.prompt_tokens.map(f64::from),
        has_metrics: MetricsPage::is_known(&target, options.timeout.min(METRICS_PATIENCE)),
        left_out: negotiation.left_out(),
    };
    let left_out = negotiation.left_out_with_words();
    Ok(Ready {
        request_time: request_time(&whole.record, options.workload.output.mean_tokens()),
        left_out: left_out.map(|(one, said)| (one, quoted(said))).collect(),
        dialect: whole.dialect,
        target,
        info,
    })
}

fn request_time(record: &RequestRecord, output_tokens: u32) -> Option<Duration> {
    let rest = record.tpot_ms()? * f64::from(output_tokens.saturating_sub(1));
    Duration::try_from_secs_f64((record.ttft_ms()? + rest) / 1e3).ok()
}

fn check_context(max_tokens: Option<u32>, workload: &Workload) -> Result<(), PreflightError> {
    let longest = workload.input.longest_tokens();
    let wanted = longest.saturating_add(workload.output.longest_tokens());
    match max_tokens {
        Some(limit) if wanted > limit => Err(PreflightError::TooLong { wanted, limit }),
        _ => Ok(()),
    }
}

/// The richest form of a request that the server takes, by short requests.
fn negotiate(
    prober: &mut Prober<'_>,
    refused: &Refused<'_>,
) -> Result<(Negotiation, Dialect), PreflightError> {
    let options = prober.options;
    let mut negotiation = Negotiation::new(options.protocol, &options.body.unwanted());
    let mut form = negotiation.first();
    let workload = options.workload;
    let ask = Ask {
        prompt_tokens: workload.input.mean_tokens().min(PROBE_PROMPT_TOKENS),
        output_tokens: workload.output.mean_tokens().min(PROBE_TOKENS),
        timeout: options.timeout,
    };
    loop {
        let dialect = Dialect {
            model: refused.model.to_owned(),
            form: form.clone(),
            calibration: None,
            body: options.body.clone(),
        };
        let record = prober.ask(&dialect, ask)?;
        match negotiation.hear(heard(&record, &form)) {
            Next::Ask(next) => form = next,
            Next::Found(form) => return Ok((negotiation, Dialect { form, ..dialect })),
            Next::Fails(refusal) => return Err(refused.error(refusal, prober)),
        }
    }
}

fn heard<'a>(record: &'a RequestRecord, form: &Form) -> Heard<'a> {
    let asked = record.asked_prompt_tokens;
    let is_exact = |tokens: u32| tokens.abs_diff(asked) <= ADDED_TOKENS;
    match record.outcome {
        Outcome::Completed
            if form.has(Feature::TokenIds) && !record.prompt_tokens.is_none_or(is_exact) =>
        {
            Heard::OtherPrompt
        }
        Outcome::Completed => Heard::Answer,
        outcome => Heard::Failure {
            outcome,
            said: record.detail.as_deref().unwrap_or_default(),
        },
    }
}
