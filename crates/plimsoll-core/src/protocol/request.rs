//! What a request asks for, and the pieces of its body.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

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
}

impl Extras {
    /// Nothing beside the usual.
    pub const NONE: Self = Self {
        ignore_eos: false,
        include_usage: false,
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
}

/// A JSON object that is written field by field.
pub(super) struct Fields(String);

impl Fields {
    pub(super) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a field whose value is JSON already.
    pub(super) fn json(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let comma = if self.0.len() > 1 { "," } else { "" };
        write!(self.0, "{comma}\"{name}\":{value}").expect("writing to a string does not fail");
        self
    }

    /// Adds a field of text.
    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.json(name, serde_json::Value::from(value))
    }

    /// Adds the settings of the sampling under their own names.
    pub(super) fn sampling(self, sampling: &[(&str, String)]) -> Self {
        let add = |fields: Self, (name, value): &(&str, String)| fields.json(name, value);
        sampling.iter().fold(self, add)
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

impl Prompt<'_> {
    /// The prompt as JSON: a string or an array of numbers.
    pub(super) fn json(self) -> String {
        match self {
            Self::Text(text) => serde_json::Value::from(text).to_string(),
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
