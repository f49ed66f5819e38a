//! What `OpenAI`'s completions and chat share: payloads, streamed or whole, and the model list.

use serde_json::Value;

use super::chunk::{Chunk, ChunkFault, Located, Output};
use super::json::Json;
use super::models::{ModelList, ServedModel, text};
use super::refusal::{Ending, ending, refusal, words};
use super::request::{Extras, Fields};
use super::usage::Usage;

/// Where users of this API keep the key.
pub(super) const BEARER_KEY: &str = "OPENAI_API_KEY";
/// The payload after the last event.
pub(super) const DONE: &str = "[DONE]";
/// `GET /v1/models`.
pub(super) const MODELS: ModelList = ModelList {
    path: "/v1/models",
    read: read_models,
};

/// The field that holds the length of the answer. `OpenAI`'s newer models take the newer one alone.
pub(super) fn length_field(extras: Extras) -> &'static str {
    if extras.max_completion_tokens {
        "max_completion_tokens"
    } else {
        "max_tokens"
    }
}

/// Adds to a body what not every server knows.
pub(super) fn with_extras(mut fields: Fields<'_>, extras: Extras) -> Fields<'_> {
    if extras.include_usage {
        fields = fields.json("stream_options", r#"{"include_usage":true}"#);
    }
    if extras.ignore_eos {
        fields = fields.json("ignore_eos", true);
    }
    fields
}

/// Fields in which chat answers carry reasoning; gateways give it under several names at once.
const REASONING: [&str; 2] = ["reasoning_content", "reasoning"];

/// Adds the output of a choice. Streams carry it in `delta`, answers as a whole in `message`, which
/// some streams have too, as all of it so far; completions have `text`, which some give beside it.
fn add_choice<'d, 'a>(output: &mut Output<'d, 'a>, choice: &'d Json<'a>) {
    let is_object = |part: &&Json<'a>| part.is_object();
    let delta = choice.get("delta").filter(is_object);
    let message = delta.or(choice.get("message").filter(is_object));
    let text = choice.get("text");
    let Some(message) = message else {
        let _ = output.add(text);
        return;
    };
    output.add_reasoning(message, &REASONING);
    if output.add_one_of(message, &["content", "refusal"]) {
        output.note_twin(text);
    } else if !output.has_reasoning() {
        let _ = output.add(text);
    }
    let calls = message
        .get("tool_calls")
        .map_or(&[][..], Json::parts)
        .iter();
    let functions = calls.filter_map(|call| call.get("function"));
    for function in functions.chain(message.get("function_call")) {
        output.add_call(function);
    }
}

/// Token counts, wherever a server has them: at the top, in a choice (Kimi), in a part of its own
/// (Groq).
fn usage(document: &Json<'_>, choices: &[&Json<'_>]) -> Option<Usage> {
    let of_choices = || {
        choices
            .iter()
            .find_map(|choice| Usage::read(choice.get("usage")))
    };
    let of_groq = || Usage::read(document.get("x_groq")?.get("usage"));
    Usage::read(document.get("usage"))
        .or_else(of_choices)
        .or_else(of_groq)
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
    let parsed = Json::parse(data)?;
    // Some send a list of one.
    let document = parsed.parts().first().unwrap_or(&parsed);
    if !document.is_object() {
        return Err(ChunkFault("not an object".to_owned()));
    }
    let choices = document.get("choices").map_or(&[][..], Json::parts);
    let choices: Vec<&Json<'_>> = choices.iter().filter(|one| one.is_object()).collect();
    let mut output = Output::default();
    for choice in &choices {
        add_choice(&mut output, choice);
    }
    let mut chunk = Chunk {
        is_part: !choices.is_empty(),
        text: output.text(),
        has_reasoning: output.has_reasoning(),
        usage: usage(document, &choices),
        error: refusal(document, !choices.is_empty()),
        ..Chunk::default()
    };
    for choice in &choices {
        match ending(choice.get("finish_reason")) {
            None => {}
            Some(Ending::Finished) => chunk.finished = true,
            Some(Ending::BrokenOff(said)) => {
                let said = choice.get("error").map_or(said, words);
                chunk.error = chunk.error.or(Some(said));
            }
        }
    }
    let says_more = chunk.finished || chunk.usage.is_some() || chunk.error.is_some();
    let place = output
        .place(data)
        .filter(|_| choices.len() == 1 && !says_more);
    let (text, aside) = place.map_or((None, None), |(text, aside)| (Some(text), aside));
    Ok(Located { chunk, text, aside })
}

/// The list stands in `data`, which is `null` where there is none (Ollama), or is the page itself
/// (Together).
fn read_models(page: &Value) -> Option<Vec<ServedModel>> {
    let models = match (page.get("data"), page) {
        (Some(Value::Array(models)), _) | (None, Value::Array(models)) => models.as_slice(),
        (Some(Value::Null), _) => &[],
        _ => return None,
    };
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
            .or_else(|| tokens(meta.and_then(|meta| meta.get("n_ctx"))))
            .or_else(|| tokens(entry.get("context_length"))),
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
            ..Usage::default()
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
