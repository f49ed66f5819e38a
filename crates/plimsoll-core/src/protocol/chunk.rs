//! What one payload of an answer says, in whatever protocol.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use thiserror::Error;

/// Token counts as the server states them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    #[serde(default)]
    pub prompt_tokens: Option<u32>,
    /// Tokens of the answer.
    #[serde(default)]
    pub completion_tokens: Option<u32>,
}

impl Usage {
    /// Takes what a later payload states. A prompt does not become shorter: a later count may leave
    /// out what came from the cache.
    pub(super) fn take(&mut self, later: Self) {
        self.prompt_tokens = later.prompt_tokens.max(self.prompt_tokens);
        self.completion_tokens = later.completion_tokens.or(self.completion_tokens);
    }
}

/// What one payload says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// It is a part of the answer, with or without output: an event of its record.
    pub is_part: bool,
    /// Output text it carries: answer, reasoning or tool arguments. Empty for role-only deltas.
    pub text: String,
    /// It says why the answer ended.
    pub finished: bool,
    /// Nothing of the answer comes after it.
    pub is_last: bool,
    /// Token counts, wherever they stand.
    pub usage: Option<Usage>,
    /// The message of an error object.
    pub error: Option<String>,
}

/// The payload is not of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a completion chunk: {0}")]
pub struct ChunkFault(pub String);

impl From<serde_json::Error> for ChunkFault {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a payload says, and where it stands in it.
#[derive(Debug, Default)]
pub(super) struct Located {
    /// What it says.
    pub(super) chunk: Chunk,
    /// Where the output text stands, if it is all that the payload says: one string without
    /// escapes, no end, no counts, no error.
    pub(super) text: Option<Range<usize>>,
    /// Where a string stands that says nothing and differs from payload to payload, before the text.
    pub(super) ignored: Option<Range<usize>>,
}

/// A string that is borrowed from the payload unless it has escapes. Serde borrows a `Cow` only in
/// a place of its own, not inside an `Option`.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    /// Where it stands in the payload it was read from; `None` where it has escapes.
    pub(super) fn place(&self, payload: &[u8]) -> Option<Range<usize>> {
        let Cow::Borrowed(text) = self.0 else {
            return None;
        };
        let start = text.as_ptr().addr() - payload.as_ptr().addr();
        Some(start..start + text.len())
    }

    /// Whether it has no characters.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The place of the only text that is not empty; `None` if there are several or none.
pub(super) fn only_place<'a, 'b: 'a>(
    payload: &[u8],
    texts: impl Iterator<Item = &'a Text<'b>>,
) -> Option<Range<usize>> {
    let mut texts = texts.filter(|text| !text.is_empty());
    match (texts.next(), texts.next()) {
        (Some(text), None) => text.place(payload),
        _ => None,
    }
}

/// The message of an error: an object's `message`, or a text.
pub(super) fn error_text(error: &serde_json::Value) -> String {
    error
        .get("message")
        .and_then(serde_json::Value::as_str)
        .or_else(|| error.as_str())
        .map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_count_replaces_that_of_the_answer_and_shortens_no_prompt() {
        let usage = |prompt, completion| Usage {
            prompt_tokens: prompt,
            completion_tokens: completion,
        };
        let mut known = usage(Some(142), Some(1));
        known.take(usage(Some(12), Some(47)));
        assert_eq!(known, usage(Some(142), Some(47)));
        known.take(usage(None, None));
        assert_eq!(known, usage(Some(142), Some(47)));
    }
}
