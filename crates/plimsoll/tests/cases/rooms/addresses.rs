//! Addresses as vendors give them, keys, and lists of models that are none.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, Line, check, try_all};
use super::super::openai::{Pace, answer, models};
use super::super::right::Right::{AllCompleted, Exit, Says, Server};
use super::super::say::Say;

const PACE: Pace = Pace {
    gap_ms: 2,
    ..Pace::DEFAULT
};

fn invalid(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let words = format!("Invalid URL ({} {})", ask.method, ask.path());
    say.json(404, &json!({"error": {"message": words}}))
}

fn no_key(say: &mut Say<'_>) -> io::Result<()> {
    let words =
        json!({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}});
    say.json(401, &words)
}

/// The chat API at a path of its own, with a list of models or without.
fn at(
    chat: &'static str,
    list: Option<&'static str>,
) -> impl Fn(&Ask, &mut Say<'_>) -> io::Result<()> {
    move |ask, say| match ask.path() {
        path if path == chat && ask.method == "POST" => answer(ask, say, PACE),
        path if list == Some(path) => say.json(200, &models(&["m"])),
        _ => invalid(ask, say),
    }
}

const CHAT: &str = "/v1/chat/completions";

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn base_paths() {
    let works = |line: Line| line.is(&[AllCompleted]);
    let named = || check().with("--model glm-4");
    try_all(vec![
        Case::new(
            "Volcengine Ark",
            at("/api/v3/chat/completions", Some("/api/v3/models")),
            [
                works(check().at("/api/v3")),
                works(check().at("/api/v3/")),
                works(check().at("/api/v3/chat/completions")),
            ],
        ),
        Case::new(
            "Zhipu, without a list",
            at("/api/paas/v4/chat/completions", None),
            [
                works(named().at("/api/paas/v4")),
                works(named().at("/api/paas/v4/chat/completions")),
                check()
                    .at("/api/paas/v4")
                    .is(&[Exit(&[2, 4]), Says("--model")]),
            ],
        ),
        Case::new(
            "DashScope",
            at("/compatible-mode/v1/chat/completions", None),
            [
                works(named().at("/compatible-mode/v1")),
                works(named().at("/compatible-mode/v1/chat/completions")),
            ],
        ),
        Case::new(
            "a whole endpoint",
            at(CHAT, Some("/v1/models")),
            [works(check().at(CHAT)), works(check().at("/v1"))],
        ),
    ]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn keys() {
    let azure = |ask: &Ask, say: &mut Say<'_>| {
        let is_versioned = ask.target.contains("api-version=2024-06-01");
        if ask.header("api-key") != Some("good") || !is_versioned {
            let words = "Access denied due to missing subscription key";
            return say.json(401, &json!({"error": {"code": "401", "message": words}}));
        }
        at("/openai/deployments/gpt-4o/chat/completions", None)(ask, say)
    };
    // Only who shows the header may see anything; another header is shown to nobody.
    let with_header = |name: &'static str, value: &'static str| {
        move |ask: &Ask, say: &mut Say<'_>| {
            if ask.header(name) == Some(value) {
                at(CHAT, Some("/v1/models"))(ask, say)
            } else {
                no_key(say)
            }
        }
    };
    let deployment = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-06-01";
    try_all(vec![
        Case::new(
            "Azure",
            azure,
            [check()
                .at(deployment)
                .with("--model gpt-4o")
                .option("--header", Some("api-key: good"))
                .is(&[AllCompleted])],
        ),
        Case::new(
            "a header of the vendor",
            with_header("x-api-key", "good"),
            [check()
                .option("--header", Some("X-API-Key: good"))
                .is(&[AllCompleted])],
        ),
        Case::new(
            "a bearer token",
            with_header("authorization", "Bearer good"),
            [
                check().env("OPENAI_API_KEY", "good").is(&[AllCompleted]),
                check().is(&[
                    Exit(&[4]),
                    Says("Incorrect API key provided"),
                    Says("OPENAI_API_KEY"),
                ]),
                check()
                    .env("OPENAI_API_KEY", "bad")
                    .is(&[Exit(&[4]), Says("Incorrect API key provided")]),
            ],
        ),
    ]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn lists_of_models() {
    type List = fn(&mut Say<'_>) -> io::Result<()>;
    let table: [(&str, List, &str); 9] = [
        (
            "no list",
            |say| say.json(404, &json!({"error": {"message": "not found"}})),
            "--model m",
        ),
        ("a list for nobody", no_key, "--model m"),
        (
            "a list that fails",
            |say| say.json(500, &json!({"error": "internal"})),
            "--model m",
        ),
        (
            "a page for people",
            |say| {
                say.page(
                    200,
                    "text/html",
                    "<!doctype html><html><body>app</body></html>",
                )
            },
            "--model m",
        ),
        (
            "a bare array",
            |say| {
                say.json(
                    200,
                    &json!([{"id": "m", "object": "model", "context_length": 8192}, {"id": "m2"}]),
                )
            },
            "",
        ),
        (
            "an empty list",
            |say| say.json(200, &json!({"object": "list", "data": []})),
            "--model m",
        ),
        (
            "a list that is null",
            |say| say.json(200, &json!({"object": "list", "data": null})),
            "--model m",
        ),
        (
            "a list with other models first",
            |say| say.json(200, &models(&["text-embedding-3", "m", "m2"])),
            "",
        ),
        (
            "a list with another name",
            |say| say.json(200, &models(&["qwen:latest"])),
            "--model m",
        ),
    ];
    let cases = table.map(|(name, list, typed)| {
        let script = move |ask: &Ask, say: &mut Say<'_>| {
            if ask.is_models() {
                return list(say);
            }
            if ask.json["model"] == "text-embedding-3" {
                let words = "The model `text-embedding-3` does not support Chat Completions API";
                return say.json(
                    400,
                    &json!({"error": {"message": words, "code": "bad_request"}}),
                );
            }
            if ask.is_generation() {
                say.truth().note(ask.json["model"].to_string());
            }
            at(CHAT, None)(ask, say)
        };
        let is_named = Server(|counts| counts.notes.iter().all(|model| model == "\"m\""));
        let lines = [
            Some(check().with(typed).is(&[AllCompleted, is_named])),
            // Without the name there is a way out, where there is no answer.
            (!typed.is_empty() && name != "a list with another name")
                .then(|| check().is(&[Exit(&[2, 4]), Says("--model")])),
        ];
        Case::new(name, script, lines.into_iter().flatten())
    });
    try_all(cases.into());
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_key_that_is_empty_is_not_shown() {
    let without_key = |ask: &Ask, say: &mut Say<'_>| {
        if ask.header("authorization").is_some() {
            return no_key(say);
        }
        at(CHAT, Some("/v1/models"))(ask, say)
    };
    try_all(vec![Case::new(
        "a key that is empty",
        without_key,
        [check().env("OPENAI_API_KEY", "").is(&[AllCompleted])],
    )]);
}
