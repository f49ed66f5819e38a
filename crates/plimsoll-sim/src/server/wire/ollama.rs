//! Ollama's chat: a line of JSON an event.

use super::{Finish, Frame, Label, Usage, Wire};
use crate::server::clock::rfc3339;
use crate::server::error::ApiError;
use bytes::Bytes;
use plimsoll_core::protocol::Protocol;
use serde_json::json;

/// Writes the lines of a chat.
#[derive(Debug)]
pub(super) struct Ollama {
    /// The model and the time, without braces.
    fields: String,
    token: Frame,
}

impl Ollama {
    pub(super) fn new(label: &Label) -> Self {
        let model = serde_json::Value::from(label.model.as_str());
        let at = rfc3339(label.created);
        let fields = format!(r#""model":{model},"created_at":"{at}""#);
        let before = format!(r#"{{{fields},"message":{{"role":"assistant","content":""#);
        let token = Frame::new(before, "\"},\"done\":false}\n".to_owned());
        Self { fields, token }
    }

    fn last_object(&self, text: &str, finish: Finish, usage: Option<Usage>) -> String {
        let reason = match finish {
            Finish::Length => "length",
            Finish::Stop => "stop",
        };
        let counts = usage.map_or(String::new(), |usage| {
            format!(
                r#","prompt_eval_count":{},"eval_count":{}"#,
                usage.prompt_tokens, usage.completion_tokens
            )
        });
        format!(
            r#"{{{},"message":{{"role":"assistant","content":"{text}"}},"done_reason":"{reason}","done":true{counts}}}"#,
            self.fields
        )
    }
}

impl Wire for Ollama {
    fn opening(&self, _: Option<Usage>) -> Option<Bytes> {
        None
    }

    fn text(&self, text: &str) -> Bytes {
        self.token.around(text)
    }

    fn last(&self, text: &str, _: Finish, _: Option<Usage>) -> Bytes {
        self.text(text)
    }

    fn closing(&self, finish: Finish, usage: Option<Usage>) -> Vec<Bytes> {
        vec![Bytes::from(self.last_object("", finish, usage) + "\n")]
    }

    fn error(&self) -> Bytes {
        Bytes::from(ApiError::internal().body(Protocol::Ollama) + "\n")
    }

    fn comment(&self) -> Bytes {
        Bytes::from_static(b"\n")
    }

    fn whole(&self, text: &str, finish: Option<Finish>, usage: Option<Usage>) -> String {
        if let Some(finish) = finish {
            return self.last_object(text, finish, usage);
        }
        let message = json!({ "role": "assistant", "content": text });
        format!(r#"{{{},"message":{message},"done":false}}"#, self.fields)
    }
}
