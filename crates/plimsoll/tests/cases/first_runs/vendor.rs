//! A vendor's chat API: a key, no list of models, no other API, no fields but its own, and a pace of
//! requests that it takes.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, Line, check, find, try_all};
use super::super::right::Right::{
    AllCompleted, Also, Exit, OutputAsAsked, Says, SaysNot, TtftFromMs,
};
use super::super::say::Say;
use super::super::told::Told;
use super::{Events, TO_FIRST_MS, is_for, no_level_fails, stream};

const KEY: &str = "sk-3f9c-sesame-0042";
/// The address of the vendor's page.
const PATH: &str = "/api/v3/chat/completions";

fn script(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let refused = |message: &str, code: &str| json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}});
    if ask.header("authorization") != Some("Bearer sk-3f9c-sesame-0042") {
        let words = "The API key in the request is missing or invalid.";
        return say.json(401, &refused(words, "AuthenticationError"));
    }
    if !is_for(ask, PATH) {
        return say.json(
            404,
            &refused("The requested path does not exist.", "NotFound"),
        );
    }
    if ask.json["model"] != "doubao-pro" {
        let words = "The model or endpoint does not exist or you do not have access to it.";
        return say.json(404, &refused(words, "InvalidEndpointOrModel.NotFound"));
    }
    if ask.json.get("ignore_eos").is_some() {
        return say.json(
            400,
            &refused("Unknown parameter: 'ignore_eos'.", "InvalidParameter"),
        );
    }
    answer(ask, say)
}

fn answer(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    fn event(choices: &str, usage: &str) -> String {
        format!(
            "{{\"choices\":{choices},\"created\":1764000000,\"id\":\"021\",\"model\":\"doubao-pro\",\"service_tier\":\"default\",\"object\":\"chat.completion.chunk\",\"usage\":{usage}}}"
        )
    }
    let (prompt, output) = (ask.prompt_tokens(), ask.want());
    let counts = format!(
        "{{\"completion_tokens\":{output},\"prompt_tokens\":{prompt},\"total_tokens\":{},\"prompt_tokens_details\":{{\"cached_tokens\":0}},\"completion_tokens_details\":{{\"reasoning_tokens\":0}}}}",
        prompt + output
    );
    let mut after = vec![event(
        "[{\"delta\":{\"content\":\"\",\"role\":\"assistant\"},\"finish_reason\":\"length\",\"index\":0}]",
        "null",
    )];
    if ask.wants_usage() {
        after.push(event("[]", &counts));
    }
    let events = Events {
        before: None,
        token: |number| {
            let choice = format!(
                "[{{\"delta\":{{\"content\":\" w{number}\",\"role\":\"assistant\"}},\"index\":0}}]"
            );
            event(&choice, "null")
        },
        after,
    };
    stream(say, output, &events)
}

/// The key stands in nothing that was saved of the run.
fn saves_no_key(told: &Told) -> bool {
    !told.run.to_string().contains(KEY)
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_vendors_api() {
    let named = |line: Line| line.at(PATH).with("--model doubao-pro");
    let with_key = |line: Line| named(line).env("OPENAI_API_KEY", KEY);
    let first = TtftFromMs(TO_FIRST_MS as f64);
    let right = [
        AllCompleted,
        OutputAsAsked,
        first,
        Also(no_level_fails),
        SaysNot(KEY),
        Also(saves_no_key),
    ];
    try_all(vec![Case::new(
        "a vendor's chat API",
        script,
        [
            with_key(find())
                .is(&right)
                .is(&[Says("doubao-pro"), Says("Failures: none of ")]),
            with_key(check()).is(&right),
            // The address without the last part, as other tools want it.
            with_key(check()).at("/api/v3").is(&right),
            named(find()).is(&[
                Exit(&[4]),
                Says("The API key in the request is missing or invalid"),
                Says("OPENAI_API_KEY"),
            ]),
            with_key(find()).with("--model doubao").is(&[
                Exit(&[2]),
                Says("The model or endpoint does not exist"),
                SaysNot(KEY),
            ]),
        ],
    )]);
}
