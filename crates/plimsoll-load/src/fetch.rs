//! One small HTTP request that waits for its answer: preflight, model lists, metrics pages.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::record::ConnectTimes;
use plimsoll_core::wire::{Part, ResponseReader};
use thiserror::Error;

use crate::clock::Clock;
use crate::connect::{ConnectFault, Connector, tunnel};
use crate::connection::READ_BYTES;
use crate::error::LoadError;
use crate::request::head_and_body;
use crate::source::Built;
use crate::stamps::Stamps;
use crate::target::Target;
use crate::worker;

/// Longest body that is taken, bytes.
const MAX_BODY: usize = 16 << 20;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, lower case.
    pub content_type: String,
    /// `Location` of a redirect.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
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
        fault: String,
    },
    /// The connection broke.
    #[error("{authority} closed the connection without an answer: {fault}")]
    Broken {
        /// Host and port.
        authority: String,
        /// What happened.
        fault: String,
    },
    /// The answer is not HTTP.
    #[error("{authority} does not answer in HTTP: {fault}")]
    NotHttp {
        /// Host and port.
        authority: String,
        /// What is wrong.
        fault: String,
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

fn request(
    target: &Target,
    method: &str,
    built: &Built,
    timeout: Duration,
) -> Result<Response, FetchError> {
    let connector = Connector::to(target)?;
    let runtime = worker::runtime().map_err(LoadError::Worker)?;
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
    let bytes = head_and_body(target, method, built, false);
    match tokio::time::timeout(timeout, exchange(connector, target, &bytes)).await {
        Ok(answer) => answer,
        Err(_) => Err(FetchError::TimedOut {
            authority: target.authority(),
            timeout,
        }),
    }
}

async fn exchange(
    connector: &Connector,
    target: &Target,
    bytes: &[u8],
) -> Result<Response, FetchError> {
    let authority = || target.authority();
    let broken = |fault: &dyn std::fmt::Display| FetchError::Broken {
        authority: authority(),
        fault: fault.to_string(),
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => FetchError::Tls {
            authority: authority(),
            fault: error.to_string(),
        },
        _ => broken(&error),
    };
    let connected = connector
        .connect()
        .await
        .map_err(|source| FetchError::Connect {
            authority: authority(),
            source,
        })?;
    let mut connection = connected.connection;
    connection.send(bytes, || {}).await.map_err(failed)?;
    let stamps = Stamps::new(Clock::start(), Arc::default());
    let mut reader = ResponseReader::new();
    let mut response = Response {
        connect: connected.times,
        ..Response::default()
    };
    let mut take = |part: Part<'_>| match part {
        Part::Head(head) => {
            response.status = head.status;
            response.content_type.clone_from(&head.content_type);
            response.location.clone_from(&head.location);
        }
        Part::Body(bytes) if response.body.len() < MAX_BODY => {
            response.body.extend_from_slice(bytes);
        }
        Part::Body(_) | Part::End => {}
    };
    let mut buffer = vec![0; READ_BYTES];
    while !reader.is_done() {
        let Some(read) = connection.ready_read(&mut buffer, &stamps) else {
            connection.readable().await.map_err(failed)?;
            continue;
        };
        let (count, _) = read.map_err(failed)?;
        if count == 0 {
            reader.close(&mut take).map_err(|fault| broken(&fault))?;
            break;
        }
        reader
            .push(&buffer[..count], &mut take)
            .map_err(|fault| FetchError::NotHttp {
                authority: authority(),
                fault: fault.to_string(),
            })?;
    }
    match target.forward_proxy() {
        // A status that no server behind it sends.
        Some(proxy) if response.status == 407 => Err(FetchError::Connect {
            authority: authority(),
            source: ConnectFault::Proxy {
                proxy: proxy.authority(),
                fault: tunnel::refusal(407, ""),
            },
        }),
        _ => Ok(response),
    }
}
