//! Servers that refuse fields or forms of the request: what they refuse is left out, or the command
//! says what to do.

use std::io;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::case::{Case, Line, check, try_all};
use super::super::openai::{Pace, answer, error, models};
use super::super::right::Right::AllCompleted;
use super::super::say::Say;

/// What a server says instead of an answer; `None` where it answers.
type Refusal = fn(&Ask) -> Option<(u16, Value)>;

const PACE: Pace = Pace {
    gap_ms: 2,
    ..Pace::DEFAULT
};

fn serve(refusal: Refusal, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_generation() {
        return say.not_found();
    }
    match refusal(ask) {
        Some((status, words)) => say.json(status, &words),
        None => answer(ask, say, PACE),
    }
}

fn has(ask: &Ask, field: &str) -> bool {
    ask.json.get(field).is_some()
}

/// Only the chat API is there.
fn no_completions(ask: &Ask) -> Option<(u16, Value)> {
    (!ask.is_chat()).then(|| {
        (
            404,
            json!({"error": {"message": "Invalid URL (POST /v1/completions)"}}),
        )
    })
}

fn strict(ask: &Ask) -> Option<(u16, Value)> {
    has(ask, "ignore_eos").then(|| {
        let fault = json!([{"type": "extra_forbidden", "loc": ["body", "ignore_eos"], "msg": "Extra inputs are not permitted"}]);
        (422, json!({"object": "error", "message": {"detail": fault}}))
    })
}

fn stream_options(ask: &Ask) -> Option<(u16, Value)> {
    has(ask, "stream_options").then(|| {
        (
            400,
            error("Unrecognized request argument supplied: stream_options"),
        )
    })
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn what_is_refused_is_left_out() {
    let table: [(&str, Refusal); 3] = [
        ("fields that it does not know, chat alone", |ask| {
            no_completions(ask).or_else(|| strict(ask))
        }),
        ("the options of the stream", stream_options),
        ("completions, as invalid", |ask| {
            let words = json!({"detail": [{"loc": ["body", "messages"], "msg": "field required"}]});
            (!ask.is_chat()).then_some((422, words))
        }),
    ];
    let cases = table.map(|(name, refusal)| {
        let right: [Line; 1] = [check().is(&[AllCompleted])];
        Case::new(name, move |ask, say| serve(refusal, ask, say), right)
    });
    try_all(cases.into());
}
