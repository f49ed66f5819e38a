//! Addresses as vendors give them, keys, and lists of models that are none.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, Line, check, try_all};
use super::super::openai::{Pace, answer, models};
use super::super::right::Right::AllCompleted;
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
