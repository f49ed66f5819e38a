//! The bytes of a stream's events. What is the same in every event of a request is written once.

use super::ask::Kind;
use crate::faults::Faults;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::json;

/// Token counts as a response reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u32,
    pub(crate) completion_tokens: u32,
}

impl Usage {
    pub(crate) fn json(self) -> serde_json::Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "completion_tokens": self.completion_tokens,
        })
    }
}

/// Names a response: its id, model and time of creation.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) kind: Kind,
    pub(crate) request: u64,
    pub(crate) model: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

impl Label {
    /// Returns `"id":…,"object":…,"created":…,"model":…`, without braces.
    pub(crate) fn json_fields(&self, streamed: bool) -> String {
        let (prefix, object) = match (self.kind, streamed) {
            (Kind::Completion, _) => ("cmpl", "text_completion"),
            (Kind::Chat, true) => ("chatcmpl", "chat.completion.chunk"),
            (Kind::Chat, false) => ("chatcmpl", "chat.completion"),
        };
        let model = serde_json::Value::from(self.model.as_str());
        format!(
            r#""id":"{prefix}-sim-{:016x}","object":"{object}","created":{},"model":{model}"#,
            self.request, self.created
        )
    }
}

/// Formats the events of one stream.
#[derive(Debug)]
pub(crate) struct Wire {
    kind: Kind,
    /// `data:` with or without its space.
    field: &'static str,
    /// One line end; an event ends with two.
    eol: &'static str,
    fields: String,
    /// Everything of a token event before its text, and everything after it.
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(label: &Label, faults: &Faults) -> Self {
        let field = if faults.no_space { "data:" } else { "data: " };
        let eol = if faults.crlf { "\r\n" } else { "\n" };
        let fields = label.json_fields(true);
        let (open, close) = text_frame(label.kind);
        let before = format!(r#"{field}{{{fields},"choices":[{{"index":0,{open}"#).into_bytes();
        let after =
            format!(r#"{close},"logprobs":null,"finish_reason":null}}]}}{eol}{eol}"#).into_bytes();
        Self {
            kind: label.kind,
            field,
            eol,
            fields,
            before,
            after,
        }
    }

    /// An event that carries text. The text must need no JSON escapes.
    pub(crate) fn text(&self, text: &str) -> Bytes {
        let mut event = BytesMut::with_capacity(self.before.len() + text.len() + self.after.len());
        event.put_slice(&self.before);
        event.put_slice(text.as_bytes());
        event.put_slice(&self.after);
        event.freeze()
    }

    /// The event that carries the last text and the finish reason, as vLLM sends it.
    pub(crate) fn finish(&self, text: &str, reason: &str, usage: Option<Usage>) -> Bytes {
        let (open, close) = text_frame(self.kind);
        let usage = usage.map_or(String::new(), |usage| {
            format!(r#","usage":{}"#, usage.json())
        });
        self.event(&format!(
            r#"{{{},"choices":[{{"index":0,{open}{text}{close},"logprobs":null,"finish_reason":"{reason}","stop_reason":null}}]{usage}}}"#,
            self.fields
        ))
    }

    /// The chat event that names the role and carries no text.
    pub(crate) fn role(&self) -> Bytes {
        self.event(&format!(
            r#"{{{},"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}]}}"#,
            self.fields
        ))
    }

    /// The event after the last choice, with no choices.
    pub(crate) fn usage(&self, usage: Usage) -> Bytes {
        self.event(&format!(
            r#"{{{},"choices":[],"usage":{}}}"#,
            self.fields,
            usage.json()
        ))
    }

    /// An error inside a stream that began well.
    pub(crate) fn error(&self) -> Bytes {
        self.event(&super::error::ApiError::internal().body())
    }

    pub(crate) fn done(&self) -> Bytes {
        self.event("[DONE]")
    }

    pub(crate) fn comment(&self) -> Bytes {
        Bytes::from(format!(": ping{eol}{eol}", eol = self.eol))
    }

    fn event(&self, data: &str) -> Bytes {
        Bytes::from(format!("{}{data}{eol}{eol}", self.field, eol = self.eol))
    }
}

/// What stands around the text in a choice.
fn text_frame(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Completion => (r#""text":""#, r#"""#),
        Kind::Chat => (r#""delta":{"content":""#, r#""}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, Usage, Wire};
    use crate::{faults::Faults, server::ask::Kind};

    #[test]
    fn every_event_is_valid_json_with_the_text_in_place() {
        for (kind, pointer) in [
            (Kind::Completion, "/choices/0/text"),
            (Kind::Chat, "/choices/0/delta/content"),
        ] {
            let label = Label {
                kind,
                request: 1,
                model: "a\"b".to_owned(),
                created: 5,
            };
            let wire = Wire::new(&label, &Faults::default());
            let usage = Usage {
                prompt_tokens: 2,
                completion_tokens: 3,
            };
            let events = [
                (wire.text(" 船"), Some(" 船")),
                (wire.finish(" x", "length", Some(usage)), Some(" x")),
                (wire.usage(usage), None),
                (wire.error(), None),
            ];
            for (bytes, text) in events {
                let line = std::str::from_utf8(&bytes).expect("UTF-8");
                let data = line
                    .strip_prefix("data: ")
                    .and_then(|line| line.strip_suffix("\n\n"));
                let json: serde_json::Value =
                    serde_json::from_str(data.expect("one event")).expect("JSON");
                assert_eq!(json.pointer(pointer).and_then(|text| text.as_str()), text);
            }
        }
    }
}
