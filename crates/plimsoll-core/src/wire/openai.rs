//! One `data` payload of an OpenAI-compatible answer: completion or chat chunk, streamed or whole.

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

/// What one payload says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// It has a `choices` array with something in it.
    pub has_choices: bool,
    /// Output text it carries: answer, reasoning or tool arguments. Empty for role-only deltas.
    pub text: String,
    /// A choice says why it ended.
    pub finished: bool,
    /// Token counts, wherever they stand.
    pub usage: Option<Usage>,
    /// The message of an error object.
    pub error: Option<String>,
}

/// The payload is not JSON of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a completion chunk: {0}")]
pub struct ChunkFault(pub String);

/// A string that is borrowed from the payload unless it has escapes. Serde borrows a `Cow` only in
/// a place of its own, not inside an `Option`.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct RawChunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<RawChoice<'a>>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<serde_json::Value>,
    /// vLLM's older error objects: `{"object":"error","message":…}`.
    #[serde(borrow, default)]
    object: Option<Text<'a>>,
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct RawChoice<'a> {
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    delta: Option<RawMessage<'a>>,
    #[serde(borrow, default)]
    message: Option<RawMessage<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning: Option<Text<'a>>,
    #[serde(default)]
    tool_calls: Option<Vec<RawToolCall>>,
}

#[derive(Deserialize)]
struct RawToolCall {
    #[serde(default)]
    function: Option<RawFunction>,
}

#[derive(Deserialize)]
struct RawFunction {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

impl<'a> RawMessage<'a> {
    fn texts(&self) -> impl Iterator<Item = &Text<'a>> {
        [&self.reasoning_content, &self.reasoning, &self.content]
            .into_iter()
            .flatten()
    }

    fn tool_texts(&self) -> impl Iterator<Item = &String> {
        let calls = self.tool_calls.iter().flatten();
        calls
            .filter_map(|call| call.function.as_ref())
            .flat_map(|call| [&call.name, &call.arguments].into_iter().flatten())
    }
}

impl<'a> RawChoice<'a> {
    fn messages(&self) -> impl Iterator<Item = &RawMessage<'a>> {
        [&self.delta, &self.message].into_iter().flatten()
    }

    /// Output texts that are strings of their own in the document.
    fn texts(&self) -> impl Iterator<Item = &Text<'a>> {
        let messages = self.messages().flat_map(RawMessage::texts);
        self.text.iter().chain(messages)
    }

    fn append_to(&self, text: &mut String) {
        text.extend(self.text.iter().map(|part| part.0.as_ref()));
        for message in self.messages() {
            text.extend(message.texts().map(|part| part.0.as_ref()));
            text.extend(message.tool_texts().map(String::as_str));
        }
    }
}

/// Reads one payload (not `[DONE]`).
///
/// # Errors
/// It is not JSON, or not of this protocol's shape.
pub fn parse_chunk(data: &[u8]) -> Result<Chunk, ChunkFault> {
    locate(data).map(|(chunk, _)| chunk)
}

/// As [`parse_chunk`], with the place of the output text in the payload where it is all the payload
/// says: one string without escapes, no end, no counts, no error.
pub(super) fn locate(data: &[u8]) -> Result<(Chunk, Option<Range<usize>>), ChunkFault> {
    let raw: RawChunk<'_> =
        serde_json::from_slice(data).map_err(|error| ChunkFault(error.to_string()))?;
    let mut chunk = Chunk {
        has_choices: raw
            .choices
            .as_ref()
            .is_some_and(|choices| !choices.is_empty()),
        usage: raw.usage,
        error: raw
            .error
            .filter(|error| !error.is_null())
            .map(|error| error_text(&error)),
        ..Chunk::default()
    };
    if chunk.error.is_none() && raw.object.is_some_and(|object| object.0 == "error") {
        chunk.error = Some(
            raw.message
                .map_or_else(|| "error".to_owned(), |text| text.0.into_owned()),
        );
    }
    for choice in raw.choices.iter().flatten() {
        choice.append_to(&mut chunk.text);
        chunk.finished |= choice
            .finish_reason
            .as_ref()
            .is_some_and(|reason| !reason.0.is_empty());
    }
    let says_more = chunk.finished || chunk.usage.is_some() || chunk.error.is_some();
    let text = raw.choices.filter(|_| !says_more);
    let text = text.and_then(|choices| text_place(data, &choices));
    Ok((chunk, text))
}

/// Where the one output text of the one choice stands in the payload.
fn text_place(data: &[u8], choices: &[RawChoice<'_>]) -> Option<Range<usize>> {
    let [choice] = choices else {
        return None;
    };
    let has_tools = choice
        .messages()
        .any(|message| message.tool_texts().next().is_some());
    let mut texts = choice.texts().filter(|text| !text.0.is_empty());
    match (texts.next(), texts.next(), has_tools) {
        // What is borrowed stands in the payload as it is.
        (Some(Text(Cow::Borrowed(text))), None, false) => {
            let start = text.as_ptr().addr() - data.as_ptr().addr();
            Some(start..start + text.len())
        }
        _ => None,
    }
}

fn error_text(error: &serde_json::Value) -> String {
    error
        .get("message")
        .and_then(serde_json::Value::as_str)
        .or_else(|| error.as_str())
        .map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(data: &str) -> Chunk {
        parse_chunk(data.as_bytes()).unwrap()
    }

    #[test]
    fn output_is_text_reasoning_and_tool_arguments() {
        let table = [
            (r#"{"choices":[{"text":" a"}]}"#, " a"),
            (r#"{"choices":[{"delta":{"content":"b"}}]}"#, "b"),
            (r#"{"choices":[{"delta":{"reasoning_content":"c"}}]}"#, "c"),
            (
                r#"{"choices":[{"delta":{"reasoning":"d","content":null}}]}"#,
                "d",
            ),
            (
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{"}}]}}]}"#,
                "{",
            ),
            (
                r#"{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}"#,
                "whole",
            ),
            (r#"{"choices":[{"delta":{"role":"assistant"}}]}"#, ""),
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                "",
            ),
            (r#"{"choices":[]}"#, ""),
            (r#"{"choices":[{"text":"\u9996\u5b57\n"}]}"#, "首字\n"),
        ];
        for (data, text) in table {
            assert_eq!(chunk(data).text, text, "{data}");
        }
    }

    #[test]
    fn usage_counts_in_any_event() {
        let usage = Some(Usage {
            prompt_tokens: Some(5),
            completion_tokens: Some(7),
        });
        let trailing = chunk(r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#);
        assert_eq!((trailing.usage, trailing.has_choices), (usage, false));
        let inside = chunk(
            r#"{"choices":[{"text":"","finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":7}}"#,
        );
        assert_eq!((inside.usage, inside.finished), (usage, true));
        assert_eq!(
            chunk(r#"{"choices":[{"text":"a"}],"usage":null}"#).usage,
            None
        );
    }

    #[test]
    fn errors_in_every_known_shape_are_seen() {
        let table = [
            (
                r#"{"error":{"message":"out of memory","code":500}}"#,
                "out of memory",
            ),
            (r#"{"error":"plain"}"#, "plain"),
            (r#"{"object":"error","message":"old form"}"#, "old form"),
        ];
        for (data, text) in table {
            assert_eq!(chunk(data).error.as_deref(), Some(text), "{data}");
        }
        assert_eq!(chunk(r#"{"error":null,"choices":[]}"#).error, None);
    }

    #[test]
    fn what_is_not_json_is_a_fault() {
        assert!(parse_chunk(b"<html>").is_err());
        assert!(parse_chunk(b"[1]").is_err());
        assert!(parse_chunk(b"").is_err());
    }
}
