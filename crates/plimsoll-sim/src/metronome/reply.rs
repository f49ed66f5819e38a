//! Answers that are given at once.

use super::MetronomeState;
use super::request::Route;
use crate::server::error::ApiError;
use crate::server::models::Model;
use plimsoll_core::protocol::Protocol;

const JSON: &str = "application/json";

/// A response as a whole.
#[derive(Debug)]
pub(super) struct Reply {
    status: hyper::StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Reply {
    fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: hyper::StatusCode::OK,
            content_type,
            body: body.into(),
        }
    }

    /// A refusal, in the protocol that was spoken.
    pub(super) fn refusal(error: &ApiError, protocol: Protocol) -> Self {
        Self {
            status: error.status,
            content_type: JSON,
            body: error.body(protocol).into_bytes(),
        }
    }

    /// Its bytes; `close` tells the client that it is the last one.
    pub(super) fn bytes(&self, close: bool) -> Vec<u8> {
        let connection = if close { "connection: close\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n{connection}\r\n",
            self.status,
            self.content_type,
            self.body.len()
        );
        [head.as_bytes(), &self.body].concat()
    }
}

/// Answers everything that is not generated.
pub(super) fn reply(shared: &MetronomeState, route: Route) -> Reply {
    match route {
        Route::Models(protocol) => Reply::ok(JSON, models(shared, protocol)),
        Route::Health => Reply::ok("text/plain", ""),
        Route::Metrics => Reply::ok("text/plain; version=0.0.4; charset=utf-8", metrics(shared)),
        Route::Truth => serde_json::to_vec(&shared.recorder.truth()).map_or_else(
            |_| Reply::refusal(&ApiError::internal(), Protocol::default()),
            |body| Reply::ok(JSON, body),
        ),
        Route::TruthRequests => Reply::ok("application/x-ndjson", shared.recorder.request_lines()),
        Route::Reset => {
            shared.recorder.reset();
            Reply::ok(JSON, "{}")
        }
        Route::Generate(_) | Route::Unknown => {
            Reply::refusal(&ApiError::unknown_path(), Protocol::default())
        }
    }
}

fn models(shared: &MetronomeState, protocol: Protocol) -> String {
    let model = Model {
        name: &shared.defaults.model,
        created: shared.created,
        max_tokens: None,
    };
    model.list(protocol)
}

/// A page of vLLM's with the one figure that there is; nothing ever waits.
fn metrics(shared: &MetronomeState) -> String {
    let model = shared
        .defaults
        .model
        .replace('\\', r"\\")
        .replace('"', r#"\""#);
    let labels = format!(r#"{{engine="0",model_name="{model}"}}"#);
    let running = shared.recorder.in_flight();
    format!(
        "# HELP vllm:num_requests_running Requests being answered.\n\
         # TYPE vllm:num_requests_running gauge\n\
         vllm:num_requests_running{labels} {running}\n\
         # HELP vllm:num_requests_waiting Requests in the queue.\n\
         # TYPE vllm:num_requests_waiting gauge\n\
         vllm:num_requests_waiting{labels} 0\n"
    )
}
