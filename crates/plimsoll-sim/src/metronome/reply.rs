//! Answers that are given at once.

use super::MetronomeState;
use super::request::Route;
use crate::server::error::ApiError;
use serde_json::json;

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

impl From<&ApiError> for Reply {
    fn from(error: &ApiError) -> Self {
        Self {
            status: error.status,
            content_type: JSON,
            body: error.body().into_bytes(),
        }
    }
}

/// Answers everything that is not generated.
pub(super) fn reply(shared: &MetronomeState, route: Route) -> Reply {
    match route {
        Route::Models => Reply::ok(JSON, models(shared)),
        Route::Health => Reply::ok("text/plain", ""),
        Route::Metrics => Reply::ok("text/plain; version=0.0.4; charset=utf-8", metrics(shared)),
        Route::Truth => serde_json::to_vec(&shared.recorder.truth()).map_or_else(
            |_| (&ApiError::internal()).into(),
            |body| Reply::ok(JSON, body),
        ),
        Route::TruthRequests => Reply::ok("application/x-ndjson", shared.recorder.request_lines()),
        Route::Reset => {
            shared.recorder.reset();
            Reply::ok(JSON, "{}")
        }
        Route::Generate(_) | Route::Unknown => (&ApiError::unknown_path()).into(),
    }
}

fn models(shared: &MetronomeState) -> String {
    let model = json!({
        "id": shared.defaults.model,
        "object": "model",
        "created": shared.created,
        "owned_by": "plimsoll-sim",
        "root": shared.defaults.model,
        "parent": null,
    });
    json!({ "object": "list", "data": [model] }).to_string()
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
