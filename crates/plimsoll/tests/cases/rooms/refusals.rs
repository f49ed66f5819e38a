//! Servers that refuse fields or forms of the request: what they refuse is left out, or the command
//! says what to do.

use std::io;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::case::{Case, Line, check, try_all};
use super::super::openai::{Pace, answer, error, models, token};
use super::super::right::Right::{self, AllCompleted, Exit, Says, SaysNot};
use super::super::say::{EVENTS, Say, pause_ms};

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

fn fixed_temperature(ask: &Ask) -> Option<(u16, Value)> {
    let is_fixed = ask.json["temperature"]
        .as_f64()
        .is_some_and(|value| (value - 1.0).abs() > f64::EPSILON);
    is_fixed.then(|| {
        let words = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.";
        (400, error(words))
    })
}

fn max_tokens(ask: &Ask) -> Option<(u16, Value)> {
    has(ask, "max_tokens").then(|| {
        let words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        (400, error(words))
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

fn token_ids(ask: &Ask) -> Option<(u16, Value)> {
    ask.has_ids().then(|| {
        (
            500,
            json!({"detail": "TypeError: expected string or bytes-like object, got 'int'"}),
        )
    })
}

fn too_long(most_tokens: usize) -> impl Fn(&Ask) -> Option<(u16, Value)> {
    move |ask| {
        let (prompt, output) = (ask.prompt_tokens(), ask.want());
        (prompt + output > most_tokens).then(|| {
            let words = format!(
                "This model's maximum context length is {most_tokens} tokens. However, you requested {} tokens ({prompt} in the messages, {output} in the completion). Please reduce the length of the messages or completion.",
                prompt + output
            );
            (400, error(&words))
        })
    }
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn what_is_refused_is_left_out() {
    let table: [(&str, Refusal); 9] = [
        ("max_tokens and any temperature but 1, chat alone", |ask| {
            no_completions(ask)
                .or_else(|| max_tokens(ask))
                .or_else(|| fixed_temperature(ask))
        }),
        ("any temperature but 1, chat alone", |ask| {
            no_completions(ask).or_else(|| fixed_temperature(ask))
        }),
        ("fields that it does not know, chat alone", |ask| {
            no_completions(ask).or_else(|| strict(ask))
        }),
        ("the options of the stream", stream_options),
        ("token ids, by a fault of its own", token_ids),
        ("token ids, and no chat", |ask| {
            let no_chat = || (404, json!({"detail": "Not Found"}));
            ask.is_chat().then(no_chat).or_else(|| token_ids(ask))
        }),
        ("completions, by a fault of its own", |ask| {
            (!ask.is_chat()).then(|| {
                (
                    500,
                    error("litellm.APIError: text completion not supported"),
                )
            })
        }),
        ("completions, as invalid", |ask| {
            let words = json!({"detail": [{"loc": ["body", "messages"], "msg": "field required"}]});
            (!ask.is_chat()).then_some((422, words))
        }),
        ("completions, for this key", |ask| {
            (!ask.is_chat()).then(|| (403, json!({"error": "endpoint not allowed for this key"})))
        }),
    ];
    let cases = table.map(|(name, refusal)| {
        let right: [Line; 1] = [check().is(&[AllCompleted])];
        Case::new(name, move |ask, say| serve(refusal, ask, say), right)
    });
    try_all(cases.into());
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_server_that_hangs_up_on_token_ids() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        if ask.is_generation() && ask.has_ids() {
            say.close();
            return Ok(());
        }
        serve(|_| None, ask, say)
    };
    try_all(vec![Case::new(
        "token ids, without a word",
        script,
        [check().is(&[AllCompleted])],
    )]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn what_cannot_be_left_out_is_said() {
    let context = |most_tokens: usize, rights: &[Right]| {
        let refusal = too_long(most_tokens);
        let script = move |ask: &Ask, say: &mut Say<'_>| match refusal(ask) {
            Some((status, words)) if ask.is_generation() => say.json(status, &words),
            _ => serve(|_| None, ask, say),
        };
        let line = check().with("--input-len 300 --output-len 40").is(rights);
        Case::new("a context that is too short", script, [line])
    };
    let refused = |name, refusal: Refusal, rights: &[Right]| {
        let line = check().env("OPENAI_API_KEY", "good").is(rights);
        Case::new(name, move |ask, say| serve(refusal, ask, say), [line])
    };
    try_all(vec![
        context(
            256,
            &[
                Exit(&[2]),
                Says("maximum context length is 256"),
                Says("--input-len"),
            ],
        ),
        context(
            320,
            &[
                Exit(&[2]),
                Says("maximum context length is 320"),
                Says("--input-len"),
            ],
        ),
        refused(
            "a free tier that is used up",
            |_| {
                let words = "The free tier of the model has been exhausted.";
                Some((
                    403,
                    json!({"error": {"code": "AllocationQuota.FreeTierOnly", "message": words}}),
                ))
            },
            &[
                Exit(&[4]),
                Says("free tier of the model has been exhausted"),
                SaysNot("OPENAI_API_KEY"),
            ],
        ),
        refused(
            "a key for other models",
            |_| {
                Some((
                    401,
                    error(
                        "key not allowed to access model. This key can only access models=['a']. Tried to access m",
                    ),
                ))
            },
            &[Exit(&[4]), Says("This key can only access models=['a']")],
        ),
    ]);
}

/// An answer that breaks where it must go on beyond its end, as harmony's format does.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn an_end_that_must_not_be_ignored() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        let must_go_on = ask.json["ignore_eos"] == true && ask.want() > 24;
        if !(ask.is_generation() && must_go_on) {
            return serve(|_| None, ask, say);
        }
        say.head(200, &EVENTS)?;
        pause_ms(PACE.first_ms);
        for _ in 0..24 {
            say.event(&token(ask, "w"))?;
            pause_ms(PACE.gap_ms);
        }
        let words = "Unexpected token 200002 while expecting start token 200006";
        say.event(&json!({"error": {"message": words, "code": 500}}))?;
        say.done()?;
        say.end()
    };
    let long = || check().with("--output-len 40");
    try_all(vec![Case::new(
        "an end that must not be ignored",
        script,
        [
            // The first requests show it, and the load goes without.
            long().is(&[
                AllCompleted,
                Says("Unexpected token 200002"),
                Says("ignore_eos"),
            ]),
            long().with("--no-ignore-eos").is(&[AllCompleted]),
        ],
    )]);
}
