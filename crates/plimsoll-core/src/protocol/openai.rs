//! What `OpenAI`'s completions and chat share: payloads, streamed or whole, and the model list.

use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use super::chunk::{Chunk, ChunkFault, Located, Text, Usage, error_text, only_place};
use super::models::{ModelList, ServedModel, text};
use super::request::{Extras, Fields};

/// Where users of this API keep the key.
pub(super) const BEARER_KEY: &str = "OPENAI_API_KEY";
/// The payload after the last event.
pub(super) const DONE: &str = "[DONE]";
/// `ignore_eos` is vLLM's and llama.cpp's; some servers know no `stream_options` either.
pub(super) const EXTRAS: [Extras; 3] = [
    Extras {
        ignore_eos: true,
        include_usage: true,
    },
    Extras {
        ignore_eos: false,
        include_usage: true,
    },
    Extras::NONE,
];
/// `GET /v1/models`.
pub(super) const MODELS: ModelList = ModelList {
    path: "/v1/models",
    read: read_models,
};

/// Adds to a body what not every server knows.
pub(super) fn with_extras(mut fields: Fields, extras: Extras) -> Fields {
    if extras.include_usage {
        fields = fields.json("stream_options", r#"{"include_usage":true}"#);
    }
    if extras.ignore_eos {
        fields = fields.json("ignore_eos", true);
    }
    fields
}

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

/// Reads one payload.
pub(super) fn locate(data: &[u8]) -> Result<Located, ChunkFault> {
    if data.trim_ascii() == DONE.as_bytes() {
        let chunk = Chunk {
            is_last: true,
            ..Chunk::default()
        };
        return Ok(Located {
            chunk,
            ..Located::default()
        });
    }
    let raw: RawChunk<'_> = serde_json::from_slice(data)?;
    let choices = raw.choices.unwrap_or_default();
    let mut chunk = Chunk {
        is_part: !choices.is_empty(),
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
    for choice in &choices {
        choice.append_to(&mut chunk.text);
        chunk.finished |= choice
            .finish_reason
            .as_ref()
            .is_some_and(|reason| !reason.is_empty());
    }
    let says_more = chunk.finished || chunk.usage.is_some() || chunk.error.is_some();
    Ok(Located {
        text: (!says_more).then(|| text_place(data, &choices)).flatten(),
        chunk,
        ignored: None,
    })
}

/// Where the one output text of the one choice stands in the payload.
fn text_place(data: &[u8], choices: &[RawChoice<'_>]) -> Option<Range<usize>> {
    let [choice] = choices else {
        return None;
    };
    let has_tools = choice
        .messages()
        .any(|message| message.tool_texts().next().is_some());
    if has_tools {
        return None;
    }
    only_place(data, choice.texts())
}

fn read_models(page: &Value) -> Option<Vec<ServedModel>> {
    let models = page.get("data")?.as_array()?;
    Some(models.iter().filter_map(model).collect())
}

fn model(entry: &Value) -> Option<ServedModel> {
    let tokens = |value: Option<&Value>| {
        value
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
    };
    let meta = entry.get("meta");
    Some(ServedModel {
        id: text(entry, "id")?,
        root: text(entry, "root"),
        max_tokens: tokens(entry.get("max_model_len"))
            .or_else(|| tokens(meta.and_then(|meta| meta.get("n_ctx")))),
        kind: text(entry, "owned_by").map(|owner| {
            if owner == "llamacpp" {
                "llama.cpp".to_owned()
            } else {
                owner
            }
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(data: &str) -> Chunk {
        locate(data.as_bytes()).unwrap().chunk
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
        assert_eq!((trailing.usage, trailing.is_part), (usage, false));
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
        assert!(locate(b"<html>").is_err());
        assert!(locate(b"[1]").is_err());
        assert!(locate(b"").is_err());
    }

    #[test]
    fn done_is_the_last_word() {
        assert!(chunk("[DONE]").is_last);
        assert!(chunk(" [DONE] ").is_last);
        assert!(!chunk(r#"{"choices":[]}"#).is_last);
    }

    #[test]
    fn the_lists_of_known_servers_are_read() {
        let vllm = br#"{"object":"list","data":[{"id":"m","owned_by":"vllm","root":"/models/m","max_model_len":8192}]}"#;
        let models = MODELS.read(vllm).unwrap();
        assert_eq!(
            (models[0].id.as_str(), models[0].max_tokens),
            ("m", Some(8_192))
        );
        let llama =
            br#"{"models":[],"data":[{"id":"s","owned_by":"llamacpp","meta":{"n_ctx":1024}}]}"#;
        let models = MODELS.read(llama).unwrap();
        assert_eq!(
            (models[0].kind.as_deref(), models[0].max_tokens),
            (Some("llama.cpp"), Some(1_024))
        );
        assert_eq!(MODELS.read(b"{}"), None);
        assert_eq!(MODELS.read(b"<html>"), None);
    }
}
