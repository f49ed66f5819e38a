//! One small HTTP request that waits for its answer: preflight, model lists, metrics pages.

mod exchange;

use std::time::Duration;

use plimsoll_core::record::ConnectTimes;
use plimsoll_core::run::HttpVersion;
use plimsoll_core::wire::HttpFault;
use thiserror::Error;

use crate::connect::{ConnectFault, Connector};
use crate::error::LoadError;
use crate::runtime;
use crate::source::Built;
use crate::target::{RedirectFault, Target};

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, lower case.
    pub content_type: String,
    /// `Location` of a redirect.
    pub location: Option<String>,
    /// `Retry-After` in seconds, be it given as a number or as a date.
    pub retry_after_s: Option<u32>,
    /// `Content-Encoding`, lower case.
    pub content_encoding: String,
    /// All of the body, with the transfer and the content coding taken off.
    pub body: Vec<u8>,
    /// The version of HTTP that it came in.
    pub http: HttpVersion,
    /// How long the connection took, which is new for each request.
    pub connect: ConnectTimes,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it is a web page.
    pub fn is_page(&self) -> bool {
        self.content_type.starts_with("text/html")
    }

    /// The body as text, bad UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Name, TLS settings or runtime.
    #[error(transparent)]
    Setup(#[from] LoadError),
    /// No connection, at whatever stage.
    #[error("no connection to {authority}")]
    Connect {
        /// Host and port.
        authority: String,
        /// The stage, and what was said.
        source: ConnectFault,
    },
    /// TLS broke after the handshake: a server may refuse the client's certificate that late.
    #[error("TLS with {authority} failed: {fault}")]
    Tls {
        /// Host and port.
        authority: String,
        /// What is wrong, with a way out where there is one.
        fault: BreakFault,
    },
    /// The connection broke.
    #[error("{authority} closed the connection without an answer: {fault}")]
    Broken {
        /// Host and port.
        authority: String,
        /// What happened.
        fault: BreakFault,
    },
    /// The answer is not HTTP.
    #[error("{authority} does not answer in HTTP: {fault}")]
    NotHttp {
        /// Host and port.
        authority: String,
        /// What is wrong.
        fault: BreakFault,
    },
    /// Nothing came in time.
    #[error("no answer from {authority} within {} s", timeout.as_secs_f64())]
    TimedOut {
        /// Host and port.
        authority: String,
        /// The limit.
        timeout: Duration,
    },
}

/// What was seen of a connection that broke.
#[derive(Debug, Error)]
pub enum BreakFault {
    /// By the socket, or a [`TlsFault`](crate::connect::TlsFault).
    #[error("{0}")]
    Io(std::io::Error),
    /// By HTTP/1.1.
    #[error("{0}")]
    Http(HttpFault),
    /// By HTTP/2, in the words of its library.
    #[error("{0}")]
    Http2(String),
}

/// GET `path` below the target's base.
///
/// # Errors
/// There is no HTTP answer within `timeout`. A status that is not 2xx is an answer.
pub fn get(target: &Target, path: &str, timeout: Duration) -> Result<Response, FetchError> {
    request(
        target,
        "GET",
        &Built {
            path: path.to_owned(),
            ..Built::default()
        },
        timeout,
    )
}

/// POST a JSON body to `path` below the target's base.
///
/// # Errors
/// As [`get`].
pub fn post(
    target: &Target,
    path: &str,
    body: Vec<u8>,
    timeout: Duration,
) -> Result<Response, FetchError> {
    request(
        target,
        "POST",
        &Built {
            path: path.to_owned(),
            body,
            ..Built::default()
        },
        timeout,
    )
}

/// An answer at the end of all redirects.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    /// The last answer.
    pub(crate) response: Response,
    /// The server, with the redirects that led there.
    pub(crate) target: Target,
    /// Why it is a redirect still.
    pub(crate) fault: Option<RedirectFault>,
}

/// As many redirects are followed; a browser takes some more, an API has one.
const MOST_REDIRECTS: usize = 5;

/// A request that follows redirects to other places of the same server.
///
/// # Errors
/// As [`get`].
pub(crate) fn followed(
    target: &Target,
    method: &str,
    built: &Built,
    timeout: Duration,
) -> Result<Followed, FetchError> {
    let mut target = target.clone();
    for _ in 0..MOST_REDIRECTS {
        let response = request(&target, method, built, timeout)?;
        let is_redirect = (300..400).contains(&response.status);
        let moved = is_redirect
            .then(|| target.follow(&built.path, response.status, response.location.as_deref()));
        match moved {
            Some(Ok(moved)) => target = moved,
            other => {
                return Ok(Followed {
                    response,
                    target,
                    fault: other.and_then(Result::err),
                });
            }
        }
    }
    Ok(Followed {
        response: Response::default(),
        target,
        fault: Some(RedirectFault::Nowhere),
    })
}

fn request(
    target: &Target,
    method: &str,
    built: &Built,
    timeout: Duration,
) -> Result<Response, FetchError> {
    let connector = Connector::to(target)?;
    let runtime = runtime::single_threaded().map_err(LoadError::Worker)?;
    runtime.block_on(bounded(&connector, target, method, built, timeout))
}

/// One request on a connection of its own, within a time limit.
pub(crate) async fn bounded(
    connector: &Connector,
    target: &Target,
    method: &str,
    built: &Built,
    timeout: Duration,
) -> Result<Response, FetchError> {
    // An HTTP/2 connection is driven by a task of its own, which ends with this set.
    let local = tokio::task::LocalSet::new();
    let exchange = local.run_until(exchange::exchange(connector, target, method, built));
    match tokio::time::timeout(timeout, exchange).await {
        Ok(answer) => answer,
        Err(_) => Err(FetchError::TimedOut {
            authority: target.authority(),
            timeout,
        }),
    }
}
