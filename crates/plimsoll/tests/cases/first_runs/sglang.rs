//! SGLang, as `sglang.launch_server` comes up.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, check, find, try_all};
use super::super::right::Right::{AllCompleted, Also, OutputAsAsked, TtftFromMs};
use super::super::say::Say;
use super::{Events, TO_FIRST_MS, answered, metrics, no_level_fails, running, stream};

const MODEL: &str = "meta-llama/Llama-3.1-8B-Instruct";

fn script(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    match ask.path() {
        "/v1/models" => say.json(
            200,
            &json!({"object": "list", "data": [{
                "id": MODEL, "object": "model", "created": 1_764_000_000, "owned_by": "sglang",
                "root": MODEL, "parent": null, "max_model_len": 131_072,
            }]}),
        ),
        "/metrics" => {
            let now = running(say);
            metrics(
                say,
                &[
                    (
                        "sglang:num_running_reqs{model_name=\"meta-llama/Llama-3.1-8B-Instruct\"}",
                        now,
                    ),
                    (
                        "sglang:num_queue_reqs{model_name=\"meta-llama/Llama-3.1-8B-Instruct\"}",
                        0.0,
                    ),
                    (
                        "sglang:token_usage{model_name=\"meta-llama/Llama-3.1-8B-Instruct\"}",
                        0.01 * now,
                    ),
                ],
            )
        }
        "/v1/completions" => completions(ask, say),
        "/v1/chat/completions" => chat(ask, say),
        _ => say.json(404, &json!({"detail": "Not Found"})),
    }
}

/// Every event has a field for the counts, which is null until the last one.
fn counts(ask: &Ask, kind: &str) -> Option<String> {
    let (prompt, output) = (ask.prompt_tokens(), ask.want());
    ask.wants_usage().then(|| {
        format!(
            "{{\"id\":\"7d0\",\"object\":\"{kind}\",\"created\":1764000000,\"model\":\"{MODEL}\",\"choices\":[],\"usage\":{{\"prompt_tokens\":{prompt},\"total_tokens\":{},\"completion_tokens\":{output},\"prompt_tokens_details\":null,\"reasoning_tokens\":0}}}}",
            prompt + output
        )
    })
}

fn completions(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn event(text: &str, finish: &str, matched: &str) -> String {
        format!(
            "{{\"id\":\"7d0\",\"object\":\"text_completion\",\"created\":1764000000,\"choices\":[{{\"index\":0,\"text\":\"{text}\",\"logprobs\":null,\"finish_reason\":{finish},\"matched_stop\":{matched},\"hidden_states\":null}}],\"model\":\"{MODEL}\",\"usage\":null}}"
        )
    }
    let after = [
        Some(event("", "\"length\"", "null")),
        counts(ask, "text_completion"),
    ];
    let events = Events {
        before: None,
        token: |number| event(&format!(" w{number}"), "null", "null"),
        after: after.into_iter().flatten().collect(),
    };
    stream(say, ask.want(), &events)
}

fn chat(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn event(role: &str, content: &str, finish: &str) -> String {
        format!(
            "{{\"id\":\"7d0\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"{MODEL}\",\"choices\":[{{\"index\":0,\"delta\":{{\"role\":{role},\"content\":{content},\"reasoning_content\":null,\"tool_calls\":null}},\"logprobs\":null,\"finish_reason\":{finish},\"matched_stop\":null}}],\"usage\":null}}"
        )
    }
    let after = [
        Some(event("null", "null", "\"length\"")),
        counts(ask, "chat.completion.chunk"),
    ];
    let events = Events {
        before: Some(event("\"assistant\"", "\"\"", "null")),
        token: |number| event("null", &format!("\" w{number}\""), "null"),
        after: after.into_iter().flatten().collect(),
    };
    stream(say, ask.want(), &events)
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn sglang() {
    let first = TtftFromMs(TO_FIRST_MS as f64);
    try_all(vec![Case::new(
        "SGLang",
        script,
        [
            find().is(&answered("meta-llama/Llama-3.1-8B-Instruct, sglang @ ")),
            check().with("--endpoint chat").is(&[
                AllCompleted,
                OutputAsAsked,
                first,
                Also(no_level_fails),
            ]),
        ],
    )]);
}
