//! Ollama, by its own API and by OpenAI's: answers end where the model likes, and a server without
//! models lists null.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, check, find, try_all};
use super::super::right::Right::{AllCompleted, Also, Exit, OutputTokens, Says, TtftFromMs};
use super::super::say::{Say, pause_ms};
use super::{Events, GAP_MS, TO_FIRST_MS, no_level_fails, stream};

const MODEL: &str = "llama3.2:1b";
/// Where the model ends its answers.
const ENDS_AT: usize = 12;

fn script(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    match ask.path() {
        "/v1/models" => say.json(
            200,
            &json!({"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1_764_000_000, "owned_by": "library"}]}),
        ),
        "/api/tags" => say.json(
            200,
            &json!({"models": [{"name": MODEL, "model": MODEL, "size": 1_321_098_329, "details": {"family": "llama"}}]}),
        ),
        "/api/chat" => own(ask, say),
        "/v1/completions" if ask.has_ids() => {
            let words = "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string";
            say.json(400, &json!({"error": {"message": words, "type": "invalid_request_error", "param": null, "code": null}}))
        }
        "/v1/completions" => completions(ask, say),
        _ => say.page(404, "text/plain", "404 page not found"),
    }
}

/// A line of JSON an event, the last one with the counts.
fn own(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let at = "2026-11-27T08:52:19.385406455-07:00";
    let tokens = ask.want().min(ENDS_AT);
    say.head(200, &[("Content-Type", "application/x-ndjson")])?;
    pause_ms(TO_FIRST_MS);
    for number in 0..tokens {
        if number > 0 {
            pause_ms(GAP_MS);
        }
        say.body(format!(
            "{{\"model\":\"{MODEL}\",\"created_at\":\"{at}\",\"message\":{{\"role\":\"assistant\",\"content\":\" w{number}\"}},\"done\":false}}\n"
        ))?;
    }
    say.body(format!(
        "{{\"model\":\"{MODEL}\",\"created_at\":\"{at}\",\"message\":{{\"role\":\"assistant\",\"content\":\"\"}},\"done_reason\":\"stop\",\"done\":true,\"total_duration\":4883583458,\"load_duration\":1334875,\"prompt_eval_count\":{},\"prompt_eval_duration\":342546000,\"eval_count\":{tokens},\"eval_duration\":4535599000}}\n",
        ask.prompt_tokens()
    ))?;
    say.end()
}

fn completions(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn event(text: &str, finish: &str) -> String {
        format!(
            "{{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1764000000,\"choices\":[{{\"text\":\"{text}\",\"index\":0,\"finish_reason\":{finish}}}],\"model\":\"{MODEL}\",\"system_fingerprint\":\"fp_ollama\"}}"
        )
    }
    let (prompt, output) = (ask.prompt_tokens(), ask.want().min(ENDS_AT));
    let counts = format!(
        "{{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1764000000,\"choices\":[],\"model\":\"{MODEL}\",\"system_fingerprint\":\"fp_ollama\",\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{output},\"total_tokens\":{}}}}}",
        prompt + output
    );
    let mut after = vec![event("", "\"stop\"")];
    if ask.wants_usage() {
        after.push(counts);
    }
    let events = Events {
        before: None,
        token: |number| event(&format!(" w{number}"), "null"),
        after,
    };
    stream(say, output, &events)
}

/// Without any model: the list is null, and every name is unknown.
fn without_models(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &json!({"object": "list", "data": null}));
    }
    if ask.path() == "/api/tags" {
        return say.json(200, &json!({"models": null}));
    }
    let name = ask.json["model"].as_str().unwrap_or_default();
    let words = format!("model \"{name}\" not found, try pulling it first");
    say.json(
        404,
        &json!({"error": {"message": words, "type": "api_error", "param": null, "code": null}}),
    )
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn ollama() {
    let first = TtftFromMs(TO_FIRST_MS as f64);
    try_all(vec![
        Case::new(
            "Ollama",
            script,
            [
                find().with("--output-len 64 --length-spread 0%").is(&[
                    AllCompleted,
                    OutputTokens(ENDS_AT as u32),
                    first,
                    Also(no_level_fails),
                    Says("llama3.2:1b"),
                    Says("Failures: none of "),
                    Says("measured 16 / 12"),
                ]),
                check().with("--endpoint ollama --output-len 64").is(&[
                    AllCompleted,
                    OutputTokens(ENDS_AT as u32),
                    first,
                    Says("/api/chat"),
                    Says("cannot fix the length"),
                ]),
            ],
        ),
        Case::new(
            "Ollama without models",
            without_models,
            [
                find().is(&[Exit(&[2, 4]), Says("--model")]),
                find()
                    .with("--model llama3.2")
                    .is(&[Exit(&[2]), Says("try pulling it first")]),
            ],
        ),
    ]);
}
