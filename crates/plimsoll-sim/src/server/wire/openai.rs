//! OpenAI's completions and chat, as vLLM writes them.

use super::{Finish, Frame, Label, Sse, Usage, Wire};
use crate::faults::Faults;
use crate::server::error::ApiError;
use bytes::Bytes;
use plimsoll_core::protocol::Protocol;
use serde_json::json;

/// Writes completion and chat chunks.
#[derive(Debug)]
pub(super) struct OpenAi {
    label: Label,
    sse: Sse,
    usage_in_last_choice: bool,
    fields: String,
    token: Frame,
}

impl OpenAi {
    pub(super) fn new(label: &Label, faults: &Faults) -> Self {
        let sse = Sse::new(faults);
        let Sse { field, eol } = sse;
        let fields = fields(label, true);
        let (open, close) = text_frame(label.protocol);
        let before = format!(r#"{field}{{{fields},"choices":[{{"index":0,{open}"#);
        let after = format!(r#"{close},"logprobs":null,"finish_reason":null}}]}}{eol}{eol}"#);
        Self {
            label: label.clone(),
            sse,
            usage_in_last_choice: faults.usage_in_last_choice,
            fields,
            token: Frame::new(before, after),
        }
    }

    fn event(&self, data: &str) -> Bytes {
        let Sse { field, eol } = self.sse;
        Bytes::from(format!("{field}{data}{eol}{eol}"))
    }
}

impl Wire for OpenAi {
    /// The chat event that names the role and carries no text.
    fn opening(&self, _: Option<Usage>) -> Option<Bytes> {
        (self.label.protocol == Protocol::Chat).then(|| {
            self.event(&format!(
                r#"{{{},"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}]}}"#,
                self.fields
            ))
        })
    }

    fn text(&self, text: &str) -> Bytes {
        self.token.around(text)
    }

    fn last(&self, text: &str, finish: Finish, usage: Option<Usage>) -> Bytes {
        let (open, close) = text_frame(self.label.protocol);
        let reason = reason(finish);
        let usage = usage.filter(|_| self.usage_in_last_choice);
        let usage = usage.map_or(String::new(), |usage| {
            format!(r#","usage":{}"#, json(usage))
        });
        self.event(&format!(
            r#"{{{},"choices":[{{"index":0,{open}{text}{close},"logprobs":null,"finish_reason":"{reason}","stop_reason":null}}]{usage}}}"#,
            self.fields
        ))
    }

    fn closing(&self, _: Finish, usage: Option<Usage>) -> Vec<Bytes> {
        let usage = usage.filter(|_| !self.usage_in_last_choice);
        let counts = usage.map(|usage| {
            let (fields, usage) = (&self.fields, json(usage));
            self.event(&format!(r#"{{{fields},"choices":[],"usage":{usage}}}"#))
        });
        counts.into_iter().chain([self.event("[DONE]")]).collect()
    }

    fn error(&self) -> Bytes {
        self.event(&ApiError::internal().body(self.label.protocol))
    }

    fn comment(&self) -> Bytes {
        Bytes::from(format!(": ping{eol}{eol}", eol = self.sse.eol))
    }

    fn whole(&self, text: &str, finish: Option<Finish>, usage: Option<Usage>) -> String {
        let reason = finish.map(reason);
        let mut choice = json!({ "index": 0, "logprobs": null, "finish_reason": reason });
        match self.label.protocol {
            Protocol::Completions => choice["text"] = text.into(),
            _ => choice["message"] = json!({ "role": "assistant", "content": text }),
        }
        let usage = usage.map_or(String::new(), |usage| {
            format!(r#","usage":{}"#, json(usage))
        });
        let fields = fields(&self.label, false);
        format!(r#"{{{fields},"choices":[{choice}]{usage}}}"#)
    }
}

fn json(usage: Usage) -> serde_json::Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "completion_tokens": usage.completion_tokens,
    })
}

fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Stop => "stop",
    }
}

/// `"id":…,"object":…,"created":…,"model":…`, without braces.
fn fields(label: &Label, streamed: bool) -> String {
    let (prefix, object) = match (label.protocol, streamed) {
        (Protocol::Completions, _) => ("cmpl", "text_completion"),
        (_, true) => ("chatcmpl", "chat.completion.chunk"),
        (_, false) => ("chatcmpl", "chat.completion"),
    };
    let model = serde_json::Value::from(label.model.as_str());
    format!(
        r#""id":"{prefix}-sim-{:016x}","object":"{object}","created":{},"model":{model}"#,
        label.request, label.created
    )
}

/// What stands around the text in a choice.
fn text_frame(protocol: Protocol) -> (&'static str, &'static str) {
    match protocol {
        Protocol::Completions => (r#""text":""#, r#"""#),
        _ => (r#""delta":{"content":""#, r#""}"#),
    }
}
