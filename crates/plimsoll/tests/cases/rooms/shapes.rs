//! Shapes of chat events that servers and gateways send. The first token comes after 30 ms, the next
//! ones 5 ms apart, and each answer has as many tokens as were asked for.

use std::io;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{delta, finish, models, usage, usage_event};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Exit, OutputAsAsked, OutputTokens, TpotFromMs, TtftFromMs,
};
use super::super::say::{EVENTS, Say, pause_ms};

const TO_FIRST_MS: u64 = 30;
const GAP_MS: u64 = 5;

/// How an answer differs from the textbook.
#[derive(Clone, Copy)]
struct Shape {
    /// An event before the first token.
    before: fn(&Ask) -> Option<Value>,
    /// Tokens of one event.
    step: usize,
    /// Changes an event with text: its number, and all text with it.
    change: fn(&mut Value, usize, &str),
    /// What follows the last token, but for the last word.
    end: fn(&Ask) -> Vec<Value>,
    has_last_word: bool,
}

const TEXTBOOK: Shape = Shape {
    before: |_| None,
    step: 1,
    change: |_, _, _| {},
    end: |ask| vec![finish(ask, "length"), counted(&usage(ask, ask.want()))],
    has_last_word: true,
};

fn counted(usage: &Value) -> Value {
    usage_event(usage)
}

/// The finish reason, with something changed in its event, and no event with counts.
fn finish_with(ask: &Ask, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = finish(ask, "length");
    change(&mut event);
    event
}

fn serve(shape: Shape, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_chat() {
        return say.not_found();
    }
    say.head(200, &EVENTS)?;
    if let Some(event) = (shape.before)(ask) {
        say.event(&event)?;
    }
    pause_ms(TO_FIRST_MS);
    let mut all = String::new();
    for number in (0..ask.want()).step_by(shape.step) {
        if number > 0 {
            pause_ms(GAP_MS);
        }
        let last = (number + shape.step).min(ask.want());
        let text: Vec<String> = (number..last).map(|token| format!("w{token} ")).collect();
        let text = text.concat();
        all.push_str(&text);
        let mut event = delta(&json!({"content": text}));
        (shape.change)(&mut event, number, &all);
        say.event(&event)?;
    }
    for event in (shape.end)(ask) {
        say.event(&event)?;
    }
    if shape.has_last_word {
        say.done()?;
    }
    say.end()
}

/// The delta of an event.
fn inner(event: &mut Value) -> &mut Value {
    &mut event["choices"][0]["delta"]
}

fn everything_twice(event: &mut Value, _: usize, all: &str) {
    let text = inner(event)["content"].clone();
    event["choices"][0]["text"] = text;
    event["choices"][0]["message"] = json!({"role": "assistant", "content": all});
}

fn empty_usage(event: &mut Value, number: usize, _: &str) {
    event["usage"] = if number.is_multiple_of(2) {
        json!({})
    } else {
        json!({"total_tokens": 0, "total_characters": 0})
    };
}

fn message_for_delta(event: &mut Value, _: usize, _: &str) {
    let message = inner(event).take();
    event["choices"][0] = json!({"index": 0, "message": message, "finish_reason": null});
}

fn success_in_each(event: &mut Value, _: usize, _: &str) {
    event["code"] = 0.into();
    event["message"] = "Success".into();
    event["sid"] = "x".into();
}

/// Shapes of the text and of the end.
fn texts() -> Vec<(&'static str, Shape)> {
    vec![
        (
            "the text in three places",
            Shape {
                change: everything_twice,
                ..TEXTBOOK
            },
        ),
        (
            "a first event without choices",
            Shape {
                before: |_| {
                    Some(
                        json!({"id": "", "object": "", "model": "", "choices": [], "prompt_filter_results": [{}]}),
                    )
                },
                ..TEXTBOOK
            },
        ),
        (
            "choices that are null",
            Shape {
                before: |_| Some(json!({"choices": null, "object": null})),
                ..TEXTBOOK
            },
        ),
        (
            "a message and no delta",
            Shape {
                change: message_for_delta,
                ..TEXTBOOK
            },
        ),
        (
            "four tokens in an event",
            Shape {
                step: 4,
                ..TEXTBOOK
            },
        ),
        (
            "a finish reason without text until a choice without delta",
            Shape {
                change: |event, _, _| event["choices"][0]["finish_reason"] = "".into(),
                end: |ask| {
                    let last = finish_with(ask, |event| {
                        event["choices"][0] = json!({"index": 0, "finish_reason": "length"});
                    });
                    vec![last, counted(&usage(ask, ask.want()))]
                },
                ..TEXTBOOK
            },
        ),
        (
            "no finish reason",
            Shape {
                end: |_| vec![delta(&json!({"content": ""}))],
                ..TEXTBOOK
            },
        ),
        (
            "no last word",
            Shape {
                has_last_word: false,
                ..TEXTBOOK
            },
        ),
        (
            "a code of success in every event",
            Shape {
                change: success_in_each,
                ..TEXTBOOK
            },
        ),
    ]
}

/// Shapes of the counts.
fn counts() -> Vec<(&'static str, Shape)> {
    vec![
        (
            "counts that are all 0",
            Shape {
                end: |ask| {
                    let nothing =
                        json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
                    vec![finish(ask, "length"), counted(&nothing)]
                },
                ..TEXTBOOK
            },
        ),
        (
            "counts in every event, of all until then",
            Shape {
                change: |event, number, _| {
                    let output = number + 1;
                    event["usage"] = json!({"prompt_tokens": 16, "completion_tokens": output, "total_tokens": output + 16});
                },
                ..TEXTBOOK
            },
        ),
        (
            "counts beside the finish reason, then null",
            Shape {
                end: |ask| {
                    let counted = finish_with(ask, |event| event["usage"] = usage(ask, ask.want()));
                    let mut last = delta(&json!({"content": ""}));
                    last["usage"] = Value::Null;
                    vec![counted, last]
                },
                ..TEXTBOOK
            },
        ),
        (
            "counts within the choice",
            Shape {
                end: |ask| {
                    vec![finish_with(ask, |event| {
                        event["choices"][0]["usage"] = usage(ask, ask.want());
                    })]
                },
                ..TEXTBOOK
            },
        ),
        (
            "counts in a field of the vendor",
            Shape {
                end: |ask| {
                    vec![finish_with(ask, |event| {
                        event["x_groq"] = json!({"usage": usage(ask, ask.want())});
                    })]
                },
                ..TEXTBOOK
            },
        ),
        (
            "counts without numbers",
            Shape {
                change: empty_usage,
                ..TEXTBOOK
            },
        ),
        (
            "counts in an event without a list of choices",
            Shape {
                end: |ask| {
                    vec![
                        finish(ask, "length"),
                        json!({"id": "c", "usage": usage(ask, ask.want())}),
                    ]
                },
                ..TEXTBOOK
            },
        ),
    ]
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn whole_answers() {
    let cases = texts().into_iter().chain(counts()).map(|(name, shape)| {
        // Tokens of one event come together; so the least pace is that of the pauses.
        let events = 20.0 / shape.step as f64;
        let least_tpot_ms = GAP_MS as f64 * (events - 1.0) / 19.0 * 0.8;
        let rights = [
            AllCompleted,
            OutputAsAsked,
            TtftFromMs(TO_FIRST_MS as f64),
            TpotFromMs(least_tpot_ms),
        ];
        Case::new(
            name,
            move |ask, say| serve(shape, ask, say),
            [
                check().is(&rights),
                bench().is(&[AllEndedAs("completed"), OutputTokens(20)]),
            ],
        )
    });
    try_all(cases.collect());
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn an_answer_without_an_end() {
    let cut = Shape {
        end: |_| Vec::new(),
        has_last_word: false,
        ..TEXTBOOK
    };
    try_all(vec![Case::new(
        "neither a finish reason nor a last word",
        move |ask, say| serve(cut, ask, say),
        [
            check().is(&[Exit(&[4])]),
            bench().is(&[Exit(&[1]), AllEndedAs("ended_early")]),
        ],
    )]);
}
