//! Why a server is not ready, and what to do about it.

use plimsoll_core::outcome::Outcome;
use thiserror::Error;

use super::probe::Prober;
use crate::connect::ConnectFault;
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
    #[error("{url} is no model list of an OpenAI-compatible API")]
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
    /// Neither completions nor chat.
    #[error("the server answers neither /v1/completions nor /v1/chat/completions: {detail}")]
    NoEndpoint {
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

impl PreflightError {
    pub(super) fn of(outcome: Outcome, detail: String, prober: &Prober<'_>) -> Self {
        match outcome {
            Outcome::HttpStatus {
                status: status @ (401 | 403),
            } => Self::Unauthorized {
                status,
                url: prober.target.url(),
            },
            Outcome::TimedOut => Self::NoAnswer {
                seconds: prober.options.timeout.as_secs_f64(),
            },
            _ => Self::FirstRequest { outcome, detail },
        }
    }

    /// The way out, where there is one to name.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Fetch(FetchError::Connect {
                source: ConnectFault::Tcp { .. },
                ..
            }) => {
                "is the server running, and is the port right? `curl http://HOST:PORT/v1/models` must answer"
            }
            Self::Fetch(FetchError::Connect {
                source: ConnectFault::Proxy { .. },
                ..
            }) => {
                "--no-proxy HOST goes straight to the server; user and password of a proxy stand in its address: --proxy http://USER:PASSWORD@HOST:PORT"
            }
            Self::Fetch(FetchError::Connect {
                source: ConnectFault::Http2 { .. },
                ..
            }) => "leave --http 2 away: HTTP/1.1 is the default",
            Self::Fetch(FetchError::Broken { .. } | FetchError::NotHttp { .. }) => {
                "is this an HTTP port? a server with TLS wants https://, one that speaks nothing but HTTP/2 wants --http 2"
            }
            Self::Fetch(FetchError::TimedOut { .. }) | Self::NoAnswer { .. } => {
                "give a server that is slow to answer more time with --timeout"
            }
            Self::Fetch(FetchError::Setup(LoadError::Resolve { .. }))
            | Self::Load(LoadError::Resolve { .. }) => "check the spelling of the host name",
            Self::Fetch(FetchError::Setup(LoadError::SourceIp { .. }))
            | Self::Load(LoadError::SourceIp { .. }) => {
                "`ip address` lists those of this machine; `ip address add IP/32 dev lo` adds one"
            }
            Self::Fetch(FetchError::Setup(LoadError::OtherFamily { .. }))
            | Self::Load(LoadError::OtherFamily { .. }) => "give a --source-ip of that family too",
            Self::Unauthorized { .. } => {
                "put the key into OPENAI_API_KEY, or name its variable with --api-key-env"
            }
            Self::Redirected { .. } => "give the address it leads to",
            Self::WebPage { .. } | Self::NotAnApi { .. } => {
                "give the API's address: the part before /v1, for example http://HOST:8000"
            }
            Self::UnknownModel { .. } => "choose one of these with --model, or leave --model away",
            Self::NoModels => "name the model with --model",
            Self::TooLong { .. } => "ask for less with --input-len and --output-len",
            Self::NoEndpoint { .. } => {
                "choose the API with --endpoint completions or --endpoint chat"
            }
            _ => return None,
        })
    }
}
