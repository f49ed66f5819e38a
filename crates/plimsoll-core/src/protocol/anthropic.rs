//! Anthropic's messages: `POST /v1/messages`, streamed as server-sent events
//! (platform.claude.com/docs, "Messages", "Streaming messages" and "Errors").
//!
//! Each event's data names its type, so that the event's own name need not be read. The counts of the
//! prompt come first, in `message_start`; the reason and the length of the answer come in
//! `message_delta`, and `message_stop` is the last word. What is not known is skipped, as the
//! documentation asks for. There is no way to make an answer go on to a length: `max_tokens` is the
//! longest that it may become.

use super::chunk::{Chunk, ChunkFault, Located, Output};
use super::json::Json;
use super::openai::MODELS;
use super::refusal::{Ending, ending, refusal};
use super::request::{Fields, Request};
use super::usage::Usage;
use super::{Auth, Feature, Framing, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "anthropic",
    path: "/v1/messages",
    auth: Auth::ApiKey {
        version_header: "anthropic-version",
        version: "2023-06-01",
    },
    key_variable: "ANTHROPIC_API_KEY",
    framing: Framing::Sse,
    last_word: "message_stop",
    // The same path, and a list with the same `data` of `id`s.
    models: MODELS,
    features: &[Feature::Temperature],
    body,
    read: locate,
};

fn body(request: &Request<'_>) -> String {
    Fields::beside(request.extra)
        .text("model", request.model)
        .json("messages", request.prompt.messages())
        .json("max_tokens", request.output_tokens)
        .sampling(request.sampling)
        .json("stream", true)
        .end()
}

/// Tokens of the whole prompt: what was cached is counted apart (`cache_…`), `input_tokens` is what
/// comes after the last cached block.
fn prompt_tokens(usage: &mut Usage, counts: &Json<'_>) -> Option<u32> {
    let input = usage.count(counts.get("input_tokens"))?;
    let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"];
    let cached = cached.map(|name| usage.count(counts.get(name)));
    Some(
        cached
            .into_iter()
            .flatten()
            .fold(input, u32::saturating_add),
    )
}

/// Token counts. Those of the answer at its start are not its length.
fn usage(event: &Json<'_>) -> Option<Usage> {
    let at_start = event
        .get("message")
        .and_then(|message| message.get("usage"));
    let counts = event.get("usage");
    let mut usage = Usage::default();
    usage.prompt_tokens = prompt_tokens(&mut usage, counts.or(at_start)?);
    usage.completion_tokens = usage.count(counts.and_then(|counts| counts.get("output_tokens")));
    Some(usage)
}

/// Adds the text of a block, or of what it grows by: a piece of a tool's arguments, and the tool's
/// name where its block starts.
fn add_part<'d, 'a>(output: &mut Output<'d, 'a>, part: &'d Json<'a>) {
    let _ = output.add(part.get("name"));
    output.add_reasoning(part, &["thinking"]);
    let _ = output.add(part.get("text"));
    let _ = output.add(part.get("partial_json"));
}

fn locate(data: &[u8]) -> Result<Located, ChunkFault> {
    let event = Json::parse(data)?;
    let kind = event.get("type").and_then(Json::text).unwrap_or_default();
    let is_part = matches!(
        kind,
        "content_block_start" | "content_block_delta" | "message"
    );
    let error = refusal(&event, !kind.is_empty());
    if kind.is_empty() && error.is_none() {
        return Err(ChunkFault("an event without a type".to_owned()));
    }
    let (block, delta) = (event.get("content_block"), event.get("delta"));
    let mut output = Output::default();
    if is_part {
        let whole = event.get("content").map_or(&[][..], Json::parts);
        for part in block.into_iter().chain(delta).chain(whole) {
            add_part(&mut output, part);
        }
    }
    let reason = delta.and_then(|delta| delta.get("stop_reason"));
    let ending = ending(reason.or(event.get("stop_reason")));
    let finished = ending.is_some();
    let broken_off = match ending {
        Some(Ending::BrokenOff(said)) => Some(said),
        _ => None,
    };
    let chunk = Chunk {
        is_part,
        text: output.text(),
        has_reasoning: output.has_reasoning(),
        finished,
        is_last: kind == "message_stop",
        usage: usage(&event),
        error: error.or(broken_off),
    };
    let grows = kind == "content_block_delta" && !finished && chunk.usage.is_none();
    let place = output.place(data).filter(|_| grows);
    Ok(Located {
        chunk,
        text: place.map(|(text, _)| text),
        aside: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::golden::{Told, every_cut, told};
    use super::super::{Extras, Prompt, Protocol};
    use super::*;
    use crate::outcome::Outcome;

    /// The basic stream of the documentation.
    const ANSWER: &str = r#"event: message_start
data: {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude-opus-4-6", "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 25, "output_tokens": 1}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "!\n天"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence":null}, "usage": {"output_tokens": 15}}

event: message_stop
data: {"type": "message_stop"}

"#;
    /// Thinking with its signature, then a tool, with cached parts of the prompt and an event of a
    /// type that is not known.
    const THINKING: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_2","usage":{"input_tokens":12,"cache_creation_input_tokens":100,"cache_read_input_tokens":30,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"I see"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCg"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: something_new
data: {"type":"something_new","text":"none of ours"}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":100,"cache_read_input_tokens":30,"output_tokens":47}}

event: message_stop
data: {"type":"message_stop"}

"#;

    fn stream(body: &str) -> Told {
        told(Protocol::Anthropic, body.as_bytes())
    }

    fn counts(prompt_tokens: u32, completion_tokens: u32) -> Usage {
        Usage {
            prompt_tokens: Some(prompt_tokens),
            completion_tokens: Some(completion_tokens),
            ..Usage::default()
        }
    }

    #[test]
    fn an_answer_is_read_as_documented_however_it_is_cut() {
        let told = stream(ANSWER);
        assert_eq!(told.outcome, Outcome::Completed);
        assert!(told.has_said_all);
        assert_eq!(told.text, "Hello!\n天");
        assert_eq!(told.outputs, [false, true, true]);
        assert_eq!(told.usage, counts(25, 15));
        every_cut(Protocol::Anthropic, ANSWER.as_bytes());
        every_cut(Protocol::Anthropic, ANSWER.replace('\n', "\r\n").as_bytes());
    }

    #[test]
    fn thought_and_tools_are_output_and_the_cache_is_part_of_the_prompt() {
        let told = stream(THINKING);
        assert_eq!(told.outcome, Outcome::Completed);
        assert_eq!(told.text, r#"I seef{"a":1}"#);
        assert_eq!(told.outputs, [false, true, false, true, false, true]);
        assert_eq!(told.usage, counts(142, 47));
        every_cut(Protocol::Anthropic, THINKING.as_bytes());
    }

    #[test]
    fn each_way_to_end_has_its_outcome() {
        let event = |data: &str| format!("event: x\ndata: {data}\n\n");
        let token =
            event(r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#);
        let finish = event(
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":1}}"#,
        );
        let stop = event(r#"{"type":"message_stop"}"#);
        let error = event(
            r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#,
        );
        let table = [
            (format!("{token}{finish}{stop}"), Outcome::Completed),
            (format!("{token}{finish}"), Outcome::Completed),
            (token.clone(), Outcome::EndedEarly),
            (format!("{finish}{stop}"), Outcome::Empty),
            (format!("{token}{error}"), Outcome::ErrorEvent),
            (format!("{token}{}", event("oops")), Outcome::Malformed),
            (format!("{token}{}", event("{}")), Outcome::Malformed),
        ];
        for (body, outcome) in table {
            assert_eq!(stream(&body).outcome, outcome, "{body}");
            every_cut(Protocol::Anthropic, body.as_bytes());
        }
        assert_eq!(stream(&error).detail.as_deref(), Some("Overloaded"));
    }

    #[test]
    fn an_answer_that_breaks_off_has_no_length_yet() {
        let start = &ANSWER[..ANSWER.find("event: content_block_stop").unwrap()];
        let told = stream(start);
        assert_eq!(told.outcome, Outcome::EndedEarly);
        assert_eq!(told.usage.prompt_tokens, Some(25));
        assert_eq!(told.usage.completion_tokens, None);
    }

    #[test]
    fn a_whole_message_and_a_refusal_are_read() {
        let whole = r#"{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}"#;
        let chunk = Protocol::Anthropic.read(whole.as_bytes()).unwrap();
        assert!(chunk.is_part && chunk.finished);
        assert_eq!(
            (chunk.text.as_str(), chunk.usage),
            ("Hi", Some(counts(3, 2)))
        );
        let refusal = r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"req_1"}"#;
        let chunk = Protocol::Anthropic.read(refusal.as_bytes()).unwrap();
        assert_eq!(chunk.error.as_deref(), Some("invalid x-api-key"));
    }

    #[test]
    fn a_request_names_its_longest_answer_and_the_version_of_the_api() {
        let request = Request {
            model: "m",
            prompt: Prompt::Text("hi"),
            output_tokens: 7,
            extras: Extras::NONE,
            sampling: &[("temperature", "0".to_owned())],
            extra: None,
        };
        assert_eq!(
            Protocol::Anthropic.body(&request),
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":7,"temperature":0,"stream":true}"#
        );
        let headers = Protocol::Anthropic.auth().headers(Some("k"));
        assert_eq!(
            headers,
            [
                ("x-api-key", "k".to_owned()),
                ("anthropic-version", "2023-06-01".to_owned())
            ]
        );
    }
}
