//! Why a server is not ready.

use plimsoll_core::negotiation::{Refusal, is_about_the_key};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::quote::quoted;
use thiserror::Error;

use super::probe::Prober;
use crate::error::LoadError;
use crate::fetch::FetchError;
use crate::target::RedirectFault;

/// The server cannot be loaded as it is.
#[derive(Debug, Error)]
pub enum PreflightError {
    /// The load engine itself.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The server lets this client not in, or not to this.
    #[error("{url} answers {status}{}", denied(*is_key, said))]
    Unauthorized {
        /// 401 or 403.
        status: u16,
        /// What was asked.
        url: String,
        /// In which API.
        protocol: Protocol,
        /// What was said, safe to show.
        said: String,
        /// Whether the key is missing or wrong, as far as the answer says.
        is_key: bool,
        /// Whether only the list of models was asked for, which a given model makes needless.
        is_list: bool,
    },
    /// The address leads elsewhere.
    #[error("{url} redirects to {}: {why}", to.as_deref().unwrap_or("another address"))]
    Redirected {
        /// What was asked.
        url: String,
        /// Where it leads, if it says so.
        to: Option<String>,
        /// Why it is not followed.
        why: RedirectFault,
    },
    /// A web page instead of an API.
    #[error("{url} is a web page, not an API")]
    WebPage {
        /// What was asked.
        url: String,
    },
    /// Something else instead of an API.
    #[error("{url} is no model list of an API that is known here")]
    NotAnApi {
        /// What was asked.
        url: String,
    },
    /// There is no model list for another reason than that the server has none.
    #[error("{url} answers {status}{}", colon(said))]
    NoList {
        /// What was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// What was said, safe to show.
        said: String,
    },
    /// The model is not served.
    #[error("the server has no model `{name}`{}", instead(served, said))]
    UnknownModel {
        /// As given.
        name: String,
        /// What there is; empty where there is no list.
        served: String,
        /// What was said, safe to show.
        said: String,
    },
    /// There is no model list and no name was given.
    #[error("the server lists no model")]
    NoModels,
    /// The model's name is none: it would show as something else.
    #[error(
        "the server calls its model `{0}`, which is no name: it has more than 1024 bytes, or characters that do not show"
    )]
    ModelName(String),
    /// Prompt and answer do not fit.
    #[error("prompt and answer take up to {wanted} tokens, the server's context is {limit}")]
    TooLong {
        /// Longest prompt plus longest answer, tokens.
        wanted: u32,
        /// The server's context, tokens.
        limit: u32,
    },
    /// Prompt and answer do not fit, as the server says.
    #[error(
        "prompts of up to {input_tokens} tokens and answers of up to {output_tokens} do not fit into \
         the server's context: {said}"
    )]
    ContextTooShort {
        /// Longest prompt, tokens.
        input_tokens: u32,
        /// Longest answer, tokens.
        output_tokens: u32,
        /// What was said, safe to show.
        said: String,
    },
    /// The server cuts prompts.
    #[error("the server cuts prompts: of {asked} tokens it takes {counted}")]
    PromptsCut {
        /// Tokens sent.
        asked: u32,
        /// Tokens that the server counts.
        counted: u32,
    },
    /// No API that was tried is there and takes the request.
    #[error("the server took no request to {}{}", paths(tried), colon(detail))]
    NoEndpoint {
        /// The APIs.
        tried: Vec<Protocol>,
        /// The last refusal.
        detail: String,
    },
    /// The first request failed.
    #[error("the first request failed ({}){}", outcome.key(), colon(detail))]
    FirstRequest {
        /// How it ended.
        outcome: Outcome,
        /// What was said.
        detail: String,
    },
    /// The first answer did not come.
    #[error("no answer to the first request within {seconds} s")]
    NoAnswer {
        /// The limit, s.
        seconds: f64,
    },
}

fn paths(tried: &[Protocol]) -> String {
    let paths: Vec<&str> = tried.iter().map(|one| one.path()).collect();
    paths.join(", ")
}

fn colon(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

fn denied(is_key: bool, said: &str) -> String {
    let key = if is_key {
        ": the API key is missing or wrong"
    } else {
        ""
    };
    format!("{key}{}", colon(said))
}

fn instead(served: &str, said: &str) -> String {
    if served.is_empty() {
        colon(said)
    } else {
        format!("; it serves: {served}")
    }
}

/// What is known beside a refusal.
pub(super) struct Refused<'a> {
    /// The model asked for.
    pub(super) model: &'a str,
    /// The models there are.
    pub(super) served: String,
}

impl Refused<'_> {
    /// What a refusal means.
    pub(super) fn error(&self, refusal: Refusal, prober: &Prober<'_>) -> PreflightError {
        match refusal {
            Refusal::Missing { tried, said } | Refusal::NotTaken { tried, said } => {
                PreflightError::NoEndpoint {
                    tried,
                    detail: quoted(&said),
                }
            }
            Refusal::UnknownModel { said } => PreflightError::UnknownModel {
                name: self.model.to_owned(),
                served: self.served.clone(),
                said: quoted(&said),
            },
            Refusal::Denied {
                protocol,
                status,
                said,
            } => PreflightError::Unauthorized {
                is_key: is_about_the_key(status, &said),
                is_list: false,
                url: prober.target.url_of(protocol.path()),
                said: quoted(&said),
                status,
                protocol,
            },
            Refusal::TooLong { said } => PreflightError::ContextTooShort {
                input_tokens: prober.workload().input.longest_tokens(),
                output_tokens: prober.workload().output.longest_tokens(),
                said: quoted(&said),
            },
            Refusal::Failed {
                outcome: Outcome::TimedOut,
                ..
            } => PreflightError::NoAnswer {
                seconds: prober.options.timeout.as_secs_f64(),
            },
            Refusal::Failed { outcome, said, .. } => PreflightError::FirstRequest {
                outcome,
                detail: quoted(&said),
            },
        }
    }
}
