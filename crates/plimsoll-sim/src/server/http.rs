//! The endpoints.

use super::ask::Fields;
use super::body::{ReplyBody, ResetFlag};
use super::error::ApiError;
use super::generate::generate;
use super::models::Model;
use super::{Shared, metrics};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use plimsoll_core::protocol::Protocol;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;

/// Largest request body, in bytes: a prompt of a million token ids fits.
const BODY_LIMIT_BYTES: usize = 16 << 20;

/// What the requests of one connection share.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    /// Index of the worker that serves the connection.
    pub(super) worker: usize,
    pub(super) reset: ResetFlag,
}

/// Answers one request; what can go wrong is an answer too.
pub(super) async fn answer(
    visit: Visit,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Infallible> {
    let protocol = spoken_at(request.uri().path());
    Ok(route(&visit, request)
        .await
        .unwrap_or_else(|error| refusal(&error, protocol)))
}

/// The protocol of a path; OpenAI's where it is of none.
fn spoken_at(path: &str) -> Protocol {
    let generates = |one: &Protocol| one.path() == path;
    let lists = |one: &Protocol| one.models().path == path;
    let found = Protocol::ALL.into_iter().find(generates);
    found
        .or_else(|| Protocol::ALL.into_iter().find(lists))
        .unwrap_or_default()
}

async fn route(visit: &Visit, request: Request<Incoming>) -> Result<Response<ReplyBody>, ApiError> {
    let shared = &visit.shared;
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if path.starts_with("/v1/") || path.starts_with("/api/") {
        check_key(&head.headers, path, shared.config.api_key.as_deref())?;
    }
    let protocol = spoken_at(path);
    if path == protocol.path() && shared.config.protocols.contains(&protocol) {
        return match head.method {
            Method::POST => generate(visit, protocol, read(body).await?).await,
            _ => Err(ApiError::wrong_method()),
        };
    }
    match (&head.method, path) {
        (&Method::POST, "/tokenize") => tokenize(shared, &read(body).await?),
        (&Method::POST, "/sim/reset") => {
            shared.recorder.reset();
            Ok(json_reply(StatusCode::OK, "{}"))
        }
        (&Method::GET, path) if lists_models(shared, path) => Ok(models(shared, protocol)),
        (&Method::GET, "/api/version") if serves(shared, Protocol::Ollama) => {
            let version = json!({ "version": env!("CARGO_PKG_VERSION") });
            Ok(json_reply(StatusCode::OK, version.to_string()))
        }
        (&Method::GET, "/health") => Ok(Response::new(whole(""))),
        (&Method::GET, "/metrics") => {
            let page = metrics::page(&shared.room.gauges(), &shared.config.model);
            Ok(reply(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                page,
            ))
        }
        (&Method::GET, "/sim/truth") => to_json(&shared.recorder.truth()),
        (&Method::GET, "/sim/config") => to_json(&shared.config),
        (_, path) if PATHS.contains(&path) || lists_models(shared, path) => {
            Err(ApiError::wrong_method())
        }
        _ => Err(ApiError::unknown_path()),
    }
}

const PATHS: [&str; 6] = [
    "/tokenize",
    "/sim/reset",
    "/health",
    "/metrics",
    "/sim/truth",
    "/sim/config",
];

async fn read(body: Incoming) -> Result<Bytes, ApiError> {
    let read = Limited::new(body, BODY_LIMIT_BYTES).collect().await;
    read.map(http_body_util::Collected::to_bytes)
        .map_err(|error| ApiError::bad_request(format!("failed to read the request body: {error}")))
}

fn serves(shared: &Shared, protocol: Protocol) -> bool {
    shared.config.protocols.contains(&protocol)
}

fn lists_models(shared: &Shared, path: &str) -> bool {
    let mut served = shared.config.protocols.iter();
    served.any(|one| one.models().path == path)
}

/// The key must stand where the path's protocol has it; a list that several share takes either.
fn check_key(headers: &HeaderMap, path: &str, key: Option<&str>) -> Result<(), ApiError> {
    let Some(key) = key else { return Ok(()) };
    let mut speakers = Protocol::ALL
        .into_iter()
        .filter(|one| one.path() == path || one.models().path == path);
    let shown = |protocol: Protocol| {
        let lines = protocol.auth().headers(Some(key));
        lines.iter().all(|(name, value)| {
            headers
                .get(*name)
                .is_some_and(|given| given.as_bytes() == value.as_bytes())
        })
    };
    let is_shown = match speakers.next() {
        None => shown(Protocol::default()),
        Some(first) => shown(first) || speakers.any(shown),
    };
    if is_shown {
        Ok(())
    } else {
        Err(ApiError::unauthorized())
    }
}

fn models(shared: &Shared, protocol: Protocol) -> Response<ReplyBody> {
    let model = Model {
        name: &shared.config.model,
        created: shared.created,
        max_tokens: Some(shared.config.engine.max_model_len),
    };
    json_reply(StatusCode::OK, model.list(protocol))
}

fn tokenize(shared: &Shared, body: &[u8]) -> Result<Response<ReplyBody>, ApiError> {
    let fields = Fields::parse(body)?;
    fields.check_model(&shared.config.model)?;
    let tokens = fields.prompt_tokens()?;
    let answer = json!({
        "count": tokens.len(),
        "max_model_len": shared.config.engine.max_model_len,
        "tokens": tokens,
    });
    Ok(json_reply(StatusCode::OK, answer.to_string()))
}

fn to_json(value: &impl serde::Serialize) -> Result<Response<ReplyBody>, ApiError> {
    let text = serde_json::to_string(value).map_err(|_| ApiError::internal())?;
    Ok(json_reply(StatusCode::OK, text))
}

fn refusal(error: &ApiError, protocol: Protocol) -> Response<ReplyBody> {
    let mut response = json_reply(error.status, error.body(protocol));
    if error.status == StatusCode::TOO_MANY_REQUESTS {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

pub(super) fn whole(body: impl Into<Bytes>) -> ReplyBody {
    ReplyBody::Whole(Some(body.into()))
}

pub(super) fn json_reply(status: StatusCode, body: impl Into<Bytes>) -> Response<ReplyBody> {
    reply(status, "application/json", body)
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<ReplyBody> {
    with_type(status, kind, whole(body))
}

pub(super) fn with_type(
    status: StatusCode,
    kind: &'static str,
    body: ReplyBody,
) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
