//! Shapes of chat events that servers and gateways send. The first token comes after 30 ms, the next
//! ones 5 ms apart, and each answer has as many tokens as were asked for.

use std::io;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{delta, finish, models, usage, usage_event};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Exit, OutputAsAsked, OutputTokens, Says, TpotFromMs, TtftFromMs,
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

fn falsy_error(event: &mut Value, number: usize, _: &str) {
    let nothing = [json!(""), json!({}), json!(false), json!([]), json!(0)];
    event["error"] = nothing[number % nothing.len()].clone();
}

fn thinking_as_a_list(event: &mut Value, number: usize, _: &str) {
    if number < 10 {
        let text = inner(event)["content"].take();
        let parts = json!([{"type": "text", "text": text}]);
        *inner(event) = json!({"content": [{"type": "thinking", "thinking": parts}]});
    }
}

fn everything_twice(event: &mut Value, _: usize, all: &str) {
    let text = inner(event)["content"].clone();
    event["choices"][0]["text"] = text;
    event["choices"][0]["message"] = json!({"role": "assistant", "content": all});
}

fn tool_calls(event: &mut Value, number: usize, _: &str) {
    if number.is_multiple_of(3) {
        inner(event)["tool_calls"] = Value::Null;
        return;
    }
    let arguments =
        (!number.is_multiple_of(2)).then(|| json!({"name": "f", "arguments": {"a": number}}));
    let call = json!([{"index": 0, "id": "x", "type": "function", "function": arguments}]);
    *inner(event) = json!({"role": "assistant", "content": null, "tool_calls": call});
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

fn a_number_as_content(event: &mut Value, number: usize, _: &str) {
    if number == 3 {
        *inner(event) = json!({"content": 7});
    }
}

fn success_in_each(event: &mut Value, _: usize, _: &str) {
    event["code"] = 0.into();
    event["message"] = "Success".into();
    event["sid"] = "x".into();
}

/// Shapes of the text.
fn texts() -> Vec<(&'static str, Shape)> {
    vec![
        (
            "an error that is nothing, in every event",
            Shape {
                change: falsy_error,
                ..TEXTBOOK
            },
        ),
        (
            "content as a list of parts",
            Shape {
                change: thinking_as_a_list,
                ..TEXTBOOK
            },
        ),
        (
            "the text in three places",
            Shape {
                change: everything_twice,
                ..TEXTBOOK
            },
        ),
        (
            "tool calls with arguments as an object",
            Shape {
                change: tool_calls,
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
            "a number as content, once",
            Shape {
                change: a_number_as_content,
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
        (
            "four tokens in an event",
            Shape {
                step: 4,
                ..TEXTBOOK
            },
        ),
    ]
}

/// Shapes of the end.
fn ends() -> Vec<(&'static str, Shape)> {
    vec![
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
    ]
}

/// Shapes of the counts.
fn counts() -> Vec<(&'static str, Shape)> {
    vec![
        (
            "counts with a fraction",
            Shape {
                end: |ask| {
                    let (prompt, output) = (ask.prompt_tokens() as f64, ask.want() as f64);
                    let usage = json!({
                        "prompt_tokens": prompt, "completion_tokens": output,
                        "total_tokens": prompt + output,
                    });
                    vec![finish(ask, "length"), counted(&usage)]
                },
                ..TEXTBOOK
            },
        ),
        (
            "a text for the counts until the end",
            Shape {
                change: |event, _, _| event["usage"] = "".into(),
                ..TEXTBOOK
            },
        ),
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
            "counts in the first event alone",
            Shape {
                before: |ask| {
                    let mut event = delta(&json!({"role": "assistant"}));
                    event["usage"] = usage(ask, 1);
                    Some(event)
                },
                end: |ask| vec![finish(ask, "length")],
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
    ]
}

/// Places where the counts stand.
fn places_of_counts() -> Vec<(&'static str, Shape)> {
    vec![
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
            "a negative count",
            Shape {
                end: |ask| {
                    let usage =
                        json!({"prompt_tokens": 16, "completion_tokens": -35, "total_tokens": -19});
                    vec![finish(ask, "length"), counted(&usage)]
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
    let all = [texts(), ends(), counts(), places_of_counts()].concat();
    let cases = all.into_iter().map(|(name, shape)| {
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

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn an_error_in_fields_of_its_own() {
    let refused = |ask: &Ask, say: &mut Say<'_>| {
        if !ask.is_chat() {
            return serve(TEXTBOOK, ask, say);
        }
        say.head(200, &EVENTS)?;
        say.event(&json!({
            "id": "x", "choices": null, "error_type": "BadRequestError",
            "error_message": "maximum context length is 4096",
        }))?;
        say.done()?;
        say.end()
    };
    try_all(vec![Case::new(
        "an error in fields of its own",
        refused,
        [
            check().is(&[Exit(&[2]), Says("maximum context length is 4096")]),
            bench().is(&[Exit(&[1]), Says("maximum context length is 4096")]),
        ],
    )]);
}
