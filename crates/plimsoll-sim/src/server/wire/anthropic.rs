//! Anthropic's messages: server-sent events with names.

use super::{Finish, Frame, Label, Sse, Usage, Wire};
use crate::faults::Faults;
use crate::server::error::ApiError;
use bytes::Bytes;
use plimsoll_core::protocol::Protocol;
use serde_json::{Value, json};

/// Writes the events of a message.
#[derive(Debug)]
pub(super) struct Anthropic {
    label: Label,
    sse: Sse,
    token: Frame,
}

impl Anthropic {
    pub(super) fn new(label: &Label, faults: &Faults) -> Self {
        let sse = Sse::new(faults);
        let Sse { field, eol } = sse;
        let name = "content_block_delta";
        let before = format!(
            r#"event: {name}{eol}{field}{{"type":"{name}","index":0,"delta":{{"type":"text_delta","text":""#
        );
        Self {
            label: label.clone(),
            sse,
            token: Frame::new(before, format!("\"}}}}{eol}{eol}")),
        }
    }

    /// An event of the type that its data names.
    fn event(&self, data: &Value) -> Bytes {
        let Sse { field, eol } = self.sse;
        let name = data["type"].as_str().unwrap_or_default();
        Bytes::from(format!("event: {name}{eol}{field}{data}{eol}{eol}"))
    }

    fn message(&self, content: &Value, reason: Option<&str>, usage: Option<Usage>) -> Value {
        json!({
            "id": format!("msg_sim{:016x}", self.label.request),
            "type": "message",
            "role": "assistant",
            "model": self.label.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": null,
            "usage": usage.map(json),
        })
    }
}

impl Wire for Anthropic {
    fn opening(&self, usage: Option<Usage>) -> Option<Bytes> {
        let started = usage.map(|usage| Usage {
            completion_tokens: 1,
            ..usage
        });
        let message = self.message(&json!([]), None, started);
        let start = json!({ "type": "message_start", "message": message });
        let block = json!({ "type": "text", "text": "" });
        let block = json!({ "type": "content_block_start", "index": 0, "content_block": block });
        Some([self.event(&start), self.event(&block)].concat().into())
    }

    fn text(&self, text: &str) -> Bytes {
        self.token.around(text)
    }

    fn last(&self, text: &str, _: Finish, _: Option<Usage>) -> Bytes {
        self.text(text)
    }

    fn closing(&self, finish: Finish, usage: Option<Usage>) -> Vec<Bytes> {
        let delta = json!({ "stop_reason": reason(finish), "stop_sequence": null });
        let usage = usage.map(json);
        [
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "message_delta", "delta": delta, "usage": usage }),
            json!({ "type": "message_stop" }),
        ]
        .iter()
        .map(|data| self.event(data))
        .collect()
    }

    fn error(&self) -> Bytes {
        let Sse { field, eol } = self.sse;
        let data = ApiError::internal().body(Protocol::Anthropic);
        Bytes::from(format!("event: error{eol}{field}{data}{eol}{eol}"))
    }

    fn comment(&self) -> Bytes {
        self.event(&json!({ "type": "ping" }))
    }

    fn whole(&self, text: &str, finish: Option<Finish>, usage: Option<Usage>) -> String {
        let content = json!([{ "type": "text", "text": text }]);
        self.message(&content, finish.map(reason), usage)
            .to_string()
    }
}

fn json(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
    })
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "max_tokens",
        Finish::Stop => "end_turn",
    }
}
