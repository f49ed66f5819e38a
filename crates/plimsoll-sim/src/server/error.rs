//! Refusals, in the shape that the clients of each protocol expect.

use hyper::StatusCode;
use plimsoll_core::protocol::Protocol;
use serde_json::json;

/// A request that is answered with an error instead of tokens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    kind: &'static str,
    message: String,
    param: Option<&'static str>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: String) -> Self {
        Self {
            status,
            kind,
            message,
            param: None,
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequestError", message.into())
    }

    pub(crate) fn unknown_model(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist.");
        let error = Self::new(StatusCode::NOT_FOUND, "NotFoundError", message);
        Self {
            param: Some("model"),
            ..error
        }
    }

    pub(crate) fn unknown_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFoundError",
            "Not Found".to_owned(),
        )
    }

    pub(super) fn wrong_method() -> Self {
        let message = "Method Not Allowed".to_owned();
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "AuthenticationError",
            "Unauthorized".to_owned(),
        )
    }

    pub(super) fn overloaded() -> Self {
        let message = "Too many requests: the queue is full.".to_owned();
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
    }

    pub(crate) fn internal() -> Self {
        let message = "The engine failed (simulated fault).".to_owned();
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            message,
        )
    }

    /// Returns the JSON body.
    pub(crate) fn body(&self, protocol: Protocol) -> String {
        let body = match protocol {
            Protocol::Completions | Protocol::Chat => json!({ "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.status.as_u16(),
            } }),
            Protocol::Ollama => json!({ "error": self.message }),
            Protocol::Anthropic => json!({ "type": "error", "error": {
                "type": anthropic_type(self.status),
                "message": self.message,
            } }),
        };
        body.to_string()
    }
}

/// The type that Anthropic gives to a status.
fn anthropic_type(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::NOT_FOUND => "not_found_error",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        status if status.is_client_error() => "invalid_request_error",
        _ => "api_error",
    }
}
