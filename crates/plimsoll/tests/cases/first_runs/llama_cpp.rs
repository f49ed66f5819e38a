//! llama.cpp's server: it says 503 until its model is there, and has no metrics unless it is told to.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, check, find, try_all};
use super::super::right::Right::{AllCompleted, Exit, OutputAsAsked, Says, TtftFromMs};
use super::super::say::Say;
use super::{Events, TO_FIRST_MS, answered, stream};

fn script(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    match ask.path() {
        "/v1/models" => say.json(
            200,
            &json!({
                "models": [{"name": "SmolLM2-135M.gguf", "model": "SmolLM2-135M.gguf", "type": "model"}],
                "object": "list",
                "data": [{
                    "id": "SmolLM2-135M.gguf", "object": "model", "created": 1_764_000_000,
                    "owned_by": "llamacpp",
                    "meta": {"vocab_type": 2, "n_vocab": 49152, "n_ctx_train": 8192, "n_embd": 576},
                }],
            }),
        ),
        "/metrics" => {
            let words = "This server does not support metrics endpoint. Start it with `--metrics`";
            say.json(501, &json!({"error": {"code": 501, "message": words, "type": "not_supported_error"}}))
        }
        "/v1/completions" => completions(ask, say),
        _ => say.json(404, &json!({"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}})),
    }
}

/// The last event has the reason, and the counts with timings of the server.
fn completions(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn event(text: &str, finish: &str, more: &str) -> String {
        format!(
            "{{\"choices\":[{{\"text\":\"{text}\",\"index\":0,\"logprobs\":null,\"finish_reason\":{finish}}}],\"created\":1764000000,\"model\":\"SmolLM2-135M.gguf\",\"system_fingerprint\":\"b7000-1\",\"object\":\"text_completion\",{more}\"id\":\"chatcmpl-1\"}}"
        )
    }
    let (prompt, output) = (ask.prompt_tokens(), ask.want());
    let counts = format!(
        "\"usage\":{{\"completion_tokens\":{output},\"prompt_tokens\":{prompt},\"total_tokens\":{}}},\"timings\":{{\"prompt_n\":{prompt},\"predicted_n\":{output},\"predicted_per_second\":200.0}},",
        prompt + output
    );
    let events = Events {
        before: None,
        token: |number| event(&format!(" w{number}"), "null", ""),
        after: vec![event("", "\"length\"", &counts)],
    };
    stream(say, ask.want(), &events)
}

/// The same, before its model is there.
fn loading(_: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let words =
        json!({"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}});
    say.json(503, &words)
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn llama_cpp() {
    let first = TtftFromMs(TO_FIRST_MS as f64);
    try_all(vec![
        Case::new(
            "llama.cpp",
            script,
            [
                find().is(&answered("SmolLM2-135M.gguf, llama.cpp @ ")),
                check().is(&[AllCompleted, OutputAsAsked, first]),
            ],
        ),
        Case::new(
            "llama.cpp that is loading its model",
            loading,
            [find()
                .with("--wait 1s")
                .is(&[Exit(&[4]), Says("Loading model"), Says("503")])],
        ),
    ]);
}
