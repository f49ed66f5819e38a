//! The endpoints.

use super::ask::{Fields, Kind};
use super::body::{ReplyBody, ResetFlag};
use super::error::ApiError;
use super::generate::generate;
use super::{Shared, metrics};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
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
    Ok(route(&visit, request)
        .await
        .unwrap_or_else(|error| refusal(&error)))
}

async fn route(visit: &Visit, request: Request<Incoming>) -> Result<Response<ReplyBody>, ApiError> {
    let shared = &visit.shared;
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if path.starts_with("/v1/") {
        check_key(&head.headers, shared.config.api_key.as_deref())?;
    }
    match (&head.method, path) {
        (&Method::POST, "/v1/completions") => {
            generate(visit, Kind::Completion, read(body).await?).await
        }
        (&Method::POST, "/v1/chat/completions") => {
            generate(visit, Kind::Chat, read(body).await?).await
        }
        (&Method::POST, "/tokenize") => tokenize(shared, &read(body).await?),
        (&Method::POST, "/sim/reset") => {
            shared.recorder.reset();
            Ok(json_reply(StatusCode::OK, "{}"))
        }
        (&Method::GET, "/v1/models") => Ok(models(shared)),
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
        (_, path) if PATHS.contains(&path) => Err(ApiError::wrong_method()),
        _ => Err(ApiError::unknown_path()),
    }
}

const PATHS: [&str; 9] = [
    "/v1/completions",
    "/v1/chat/completions",
    "/tokenize",
    "/sim/reset",
    "/v1/models",
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

fn check_key(headers: &HeaderMap, key: Option<&str>) -> Result<(), ApiError> {
    let Some(key) = key else { return Ok(()) };
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    match given.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(given) if given == key => Ok(()),
        _ => Err(ApiError::unauthorized()),
    }
}

fn models(shared: &Shared) -> Response<ReplyBody> {
    let model = json!({
        "id": shared.config.model,
        "object": "model",
        "created": shared.created,
        "owned_by": "plimsoll-sim",
        "root": shared.config.model,
        "parent": null,
        "max_model_len": shared.config.engine.max_model_len,
    });
    json_reply(
        StatusCode::OK,
        json!({ "object": "list", "data": [model] }).to_string(),
    )
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

fn refusal(error: &ApiError) -> Response<ReplyBody> {
    let mut response = json_reply(error.status, error.body());
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
