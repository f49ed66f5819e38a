//! vLLM, as `vllm serve` comes up.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, find, try_all};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Also, Exit, OutputAsAsked, OutputTokens, Says, TtftFromMs,
};
use super::super::say::Say;
use super::{Events, TO_FIRST_MS, answered, metrics, no_level_fails, running, stream};

const MODEL: &str = "Qwen/Qwen3-8B";

fn script(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    match ask.path() {
        "/v1/models" => say.json(
            200,
            &json!({"object": "list", "data": [{
                "id": MODEL, "object": "model", "created": 1_764_000_000, "owned_by": "vllm",
                "root": MODEL, "parent": null, "max_model_len": 40960,
                "permission": [{"id": "modelperm-1", "object": "model_permission", "allow_view": true}],
            }]}),
        ),
        "/version" => say.json(200, &json!({"version": "0.32.0"})),
        "/health" => say.page(200, "application/json", ""),
        "/metrics" => {
            let now = running(say);
            metrics(say, &[
                ("vllm:num_requests_running{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"}", now),
                ("vllm:num_requests_waiting{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"}", 0.0),
                ("vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"}", 0.01 * now),
                ("vllm:num_preemptions_total{engine=\"0\",model_name=\"Qwen/Qwen3-8B\"}", 0.0),
            ])
        }
        "/v1/completions" => completions(ask, say),
        "/v1/chat/completions" => chat(ask, say),
        _ => say.json(404, &json!({"detail": "Not Found"})),
    }
}

/// The event with the counts, where it was asked for.
fn counts(ask: &Ask, id: &str, kind: &str) -> Option<String> {
    let (prompt, output) = (ask.prompt_tokens(), ask.want());
    ask.wants_usage().then(|| {
        format!(
            "{{\"id\":\"{id}\",\"object\":\"{kind}\",\"created\":1764000000,\"model\":\"{MODEL}\",\"choices\":[],\"usage\":{{\"prompt_tokens\":{prompt},\"total_tokens\":{},\"completion_tokens\":{output}}}}}",
            prompt + output
        )
    })
}

fn completions(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn token(number: usize) -> String {
        completion(&format!(" w{number}"), "null")
    }
    fn completion(text: &str, finish: &str) -> String {
        format!(
            "{{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1764000000,\"model\":\"{MODEL}\",\"choices\":[{{\"index\":0,\"text\":\"{text}\",\"logprobs\":null,\"finish_reason\":{finish},\"stop_reason\":null}}],\"usage\":null}}"
        )
    }
    let after = [
        Some(completion("", "\"length\"")),
        counts(ask, "cmpl-1", "text_completion"),
    ];
    let events = Events {
        before: None,
        token,
        after: after.into_iter().flatten().collect(),
    };
    stream(say, ask.want(), &events)
}

/// The delta of the role is written with the first token.
fn chat(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn event(delta: &str, finish: &str) -> String {
        format!(
            "{{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"{MODEL}\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]}}"
        )
    }
    let after = [
        Some(event("{\"content\":\"\"}", "\"length\"")),
        counts(ask, "chatcmpl-1", "chat.completion.chunk"),
    ];
    let events = Events {
        before: Some(event("{\"role\":\"assistant\",\"content\":\"\"}", "null")),
        token: |number| event(&format!("{{\"content\":\" w{number}\"}}"), "null"),
        after: after.into_iter().flatten().collect(),
    };
    stream(say, ask.want(), &events)
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn vllm() {
    let first = TtftFromMs(TO_FIRST_MS as f64);
    try_all(vec![Case::new(
        "vLLM",
        script,
        [
            find().is(&answered("Qwen/Qwen3-8B, vllm @ ")),
            find()
                .with("--lang zh")
                .is(&[AllCompleted, Says("Qwen/Qwen3-8B"), Says("vllm")]),
            check().with("--endpoint chat").is(&[
                AllCompleted,
                OutputAsAsked,
                first,
                Also(no_level_fails),
            ]),
            bench().with("--model Qwen/Qwen3-8B").is(&[
                Exit(&[0]),
                AllEndedAs("completed"),
                OutputTokens(20),
                Says("Successful requests:                     6 "),
                Says("Total generated tokens:                  120 "),
            ]),
        ],
    )]);
}
