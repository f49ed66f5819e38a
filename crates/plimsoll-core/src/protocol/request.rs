//! What a request asks for, and the pieces of its body.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How prompts of an exact length are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PromptForm {
    /// Token ids: the length is exact, no tokenizer is needed.
    TokenIds,
    /// Words, calibrated against the server's own `usage`.
    Words,
}

/// A prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt<'a> {
    /// One message of a user, or a text to go on with.
    Text(&'a str),
    /// Tokens by their ids, for protocols that take them.
    TokenIds(&'a [u32]),
}

/// What not every server of a protocol knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Go on to the length asked for, whatever the model says.
    pub ignore_eos: bool,
    /// Token counts at the end of a stream.
    pub include_usage: bool,
    /// The length of the answer in the newer of its two fields.
    pub max_completion_tokens: bool,
}

impl Extras {
    /// Nothing beside the usual.
    pub const NONE: Self = Self {
        ignore_eos: false,
        include_usage: false,
        max_completion_tokens: false,
    };
}

/// What a request asks for. It always streams.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Model name.
    pub model: &'a str,
    /// The prompt.
    pub prompt: Prompt<'a>,
    /// Longest answer, tokens.
    pub output_tokens: u32,
    /// What is sent beside the usual.
    pub extras: Extras,
    /// Settings of the sampling, by `OpenAI`'s or vLLM's names, with JSON values.
    pub sampling: &'a [(&'a str, String)],
    /// Fields of the user's own, beside the others and over them.
    pub extra: Option<&'a Map<String, Value>>,
}

/// A JSON object that is written field by field, with what the user wants beside and over them.
pub(super) struct Fields<'a> {
    text: String,
    extra: Option<&'a Map<String, Value>>,
    /// Fields that are of both.
    merged: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new() -> Self {
        Self::beside(None)
    }

    /// With these fields beside; of a field that is written as well they win, and an object there is
    /// merged with theirs.
    pub(super) fn beside(extra: Option<&'a Map<String, Value>>) -> Self {
        Self {
            text: "{".to_owned(),
            extra,
            merged: Vec::new(),
        }
    }

    /// Adds a field whose value is JSON already.
    pub(super) fn json(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        match self.extra.and_then(|extra| extra.get_key_value(name)) {
            None => self.push(name, value),
            Some((name, extra)) => {
                let own = serde_json::from_str(&value.to_string()).unwrap_or_default();
                self.merged.push(name);
                self.push(name, merged(own, extra));
            }
        }
        self
    }

    /// Adds a field of text.
    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.json(name, Value::from(value))
    }

    /// Adds the settings of the sampling under their own names.
    pub(super) fn sampling(self, sampling: &[(&str, String)]) -> Self {
        let add = |fields: Self, (name, value): &(&str, String)| fields.json(name, value);
        sampling.iter().fold(self, add)
    }

    pub(super) fn end(mut self) -> String {
        for (name, value) in self.extra.into_iter().flatten() {
            if !self.merged.contains(&name.as_str()) {
                self.push(name, value);
            }
        }
        self.text.push('}');
        self.text
    }

    fn push(&mut self, name: &str, value: impl std::fmt::Display) {
        let comma = if self.text.len() > 1 { "," } else { "" };
        let name = Value::from(name);
        write!(self.text, "{comma}{name}:{value}").expect("writing to a string does not fail");
    }
}

/// The second over the first; objects are merged key by key.
fn merged(own: Value, extra: &Value) -> Value {
    match (own, extra) {
        (Value::Object(mut own), Value::Object(extra)) => {
            for (key, value) in extra {
                let old = own.remove(key).unwrap_or_default();
                let _ = own.insert(key.clone(), merged(old, value));
            }
            Value::Object(own)
        }
        (_, extra) => extra.clone(),
    }
}

impl Prompt<'_> {
    /// The prompt as JSON: a string or an array of numbers.
    pub(super) fn json(self) -> String {
        match self {
            Self::Text(text) => Value::from(text).to_string(),
            Self::TokenIds(ids) => json_ids(ids),
        }
    }

    /// One message of the user, as an array of messages.
    pub(super) fn messages(self) -> String {
        format!(r#"[{{"role":"user","content":{}}}]"#, self.json())
    }
}

fn json_ids(ids: &[u32]) -> String {
    let mut text = String::with_capacity(ids.len() * 6 + 2);
    text.push('[');
    for (i, id) in ids.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&id.to_string());
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_users_own_stand_beside_the_others_and_over_them() {
        let extra = r#"{"temperature":1,"options":{"num_ctx":4096},"think":false}"#;
        let extra: Map<String, Value> = serde_json::from_str(extra).unwrap();
        let body = Fields::beside(Some(&extra))
            .text("model", "m")
            .json("options", r#"{"num_predict":5}"#)
            .json("temperature", 0)
            .end();
        assert_eq!(
            body,
            r#"{"model":"m","options":{"num_ctx":4096,"num_predict":5},"temperature":1,"think":false}"#
        );
        assert_eq!(Fields::beside(Some(&extra)).end(), extra_text(&extra));
        assert_eq!(Fields::new().json("a", 1).end(), r#"{"a":1}"#);
    }

    fn extra_text(extra: &Map<String, Value>) -> String {
        serde_json::to_string(extra).unwrap()
    }
}
