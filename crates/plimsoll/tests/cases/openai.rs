//! The pieces of OpenAI's APIs that most scripted servers speak.

use std::io;

use serde_json::{Value, json};

use super::ask::Ask;
use super::say::{EVENTS, Say, pause_ms};

/// A list of models.
pub(crate) fn models(ids: &[&str]) -> Value {
    let data: Vec<Value> = ids
        .iter()
        .map(|id| json!({"id": id, "object": "model", "owned_by": "x"}))
        .collect();
    json!({"object": "list", "data": data})
}

/// An event with a piece of text, of the API that was asked.
pub(crate) fn token(ask: &Ask, text: &str) -> Value {
    if ask.is_chat() {
        delta(&json!({"content": text}))
    } else {
        json!({
            "id": "c-1", "object": "text_completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": null}],
        })
    }
}

/// An event of the chat API.
pub(crate) fn delta(delta: &Value) -> Value {
    json!({
        "id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": null}],
    })
}

/// The event that says why an answer ends.
pub(crate) fn finish(ask: &Ask, reason: &str) -> Value {
    let mut event = if ask.is_chat() {
        delta(&json!({}))
    } else {
        token(ask, "")
    };
    event["choices"][0]["finish_reason"] = reason.into();
    event
}

/// Counts of tokens.
pub(crate) fn usage(ask: &Ask, output_tokens: usize) -> Value {
    let prompt_tokens = ask.prompt_tokens();
    json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": prompt_tokens + output_tokens,
    })
}

/// The event with the counts, which belongs to no choice.
pub(crate) fn usage_event(usage: &Value) -> Value {
    json!({"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage})
}

/// How a textbook server answers.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// From the request to the first token.
    pub(crate) first_ms: u64,
    /// From token to token.
    pub(crate) gap_ms: u64,
    /// How many; as many as were asked for if `None`.
    pub(crate) tokens: Option<usize>,
}

impl Pace {
    pub(crate) const DEFAULT: Self = Self {
        first_ms: 20,
        gap_ms: 5,
        tokens: None,
    };
}

/// A textbook answer.
pub(crate) fn answer(ask: &Ask, say: &mut Say<'_>, pace: Pace) -> io::Result<()> {
    answer_then(ask, say, pace, || {})
}

/// The same. `leave` is called before its last bytes: a client that has them may come again, and must
/// find what this request had taken.
pub(crate) fn answer_then(
    ask: &Ask,
    say: &mut Say<'_>,
    pace: Pace,
    leave: impl FnOnce(),
) -> io::Result<()> {
    let tokens = pace.tokens.unwrap_or(ask.want());
    say.head(200, &EVENTS)?;
    if ask.is_chat() {
        say.event(&delta(&json!({"role": "assistant", "content": ""})))?;
    }
    pause_ms(pace.first_ms);
    for number in 0..tokens {
        if number > 0 {
            pause_ms(pace.gap_ms);
        }
        say.event(&token(ask, &format!(" w{number}")))?;
    }
    leave();
    say.event(&finish(ask, "length"))?;
    if ask.wants_usage() {
        say.event(&usage_event(&usage(ask, tokens)))?;
    }
    say.done()?;
    say.end()
}

/// An error as OpenAI words it.
pub(crate) fn error(message: &str) -> Value {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
}
