//! Why a server is not ready.

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use thiserror::Error;

use super::probe::Prober;
use crate::error::LoadError;
use crate::fetch::FetchError;

/// The server cannot be loaded as it is.
#[derive(Debug, Error)]
pub enum PreflightError {
    /// The load engine itself.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The key is missing or wrong.
    #[error("{url} answers {status}: the API key is missing or wrong")]
    Unauthorized {
        /// 401 or 403.
        status: u16,
        /// What was asked.
        url: String,
        /// In which API.
        protocol: Protocol,
    },
    /// The address leads elsewhere.
    #[error("{url} redirects to {}", to.as_deref().unwrap_or("another address"))]
    Redirected {
        /// What was asked.
        url: String,
        /// Where it leads, if it says so.
        to: Option<String>,
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
    /// The model is not served.
    #[error("the server has no model `{name}`; it serves: {served}")]
    UnknownModel {
        /// As given.
        name: String,
        /// What there is.
        served: String,
    },
    /// There is no model list and no name was given.
    #[error("the server lists no model")]
    NoModels,
    /// Prompt and answer do not fit.
    #[error("prompt and answer take up to {wanted} tokens, the server's context is {limit}")]
    TooLong {
        /// Longest prompt plus longest answer, tokens.
        wanted: u32,
        /// The server's context, tokens.
        limit: u32,
    },
    /// No API that was tried is there and takes the request.
    #[error("the server took no request to {}: {detail}", paths(tried))]
    NoEndpoint {
        /// The APIs.
        tried: Vec<Protocol>,
        /// The last refusal.
        detail: String,
    },
    /// The first request failed.
    #[error("the first request failed ({}): {detail}", outcome.key())]
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

impl PreflightError {
    pub(super) fn of(
        outcome: Outcome,
        detail: String,
        prober: &Prober<'_>,
        protocol: Protocol,
    ) -> Self {
        match outcome {
            Outcome::HttpStatus {
                status: status @ (401 | 403),
            } => Self::Unauthorized {
                status,
                url: prober.target.url(),
                protocol,
            },
            Outcome::TimedOut => Self::NoAnswer {
                seconds: prober.options.timeout.as_secs_f64(),
            },
            _ => Self::FirstRequest { outcome, detail },
        }
    }
}
