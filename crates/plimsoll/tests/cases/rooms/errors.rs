//! Failures that come with status 200: none of them is an answer, and the server's words are shown.

use std::io;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{self, Pace, delta, finish, models};
use super::super::right::Right::{AllEndedAs, Exit, Says, SomeEndedAs};
use super::super::say::{EVENTS, Say, pause_ms};

/// What comes in place of the rest of an answer.
#[derive(Clone, Copy)]
enum Fault {
    /// A whole page instead of a stream.
    Page(fn() -> Value),
    /// No byte of a body.
    NoBody,
    /// One event, and the end of the body.
    Alone(fn() -> Value),
    /// After three tokens these bytes, and then the last word or not.
    After(&'static str, bool),
    /// After three tokens a finish reason of its own.
    Finish(&'static str),
}

fn serve(fault: Fault, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_chat() {
        return say.not_found();
    }
    if let Fault::Page(page) = fault {
        return say.json(200, &page());
    }
    say.head(200, &EVENTS)?;
    match fault {
        Fault::Page(_) | Fault::NoBody => {}
        Fault::Alone(event) => say.event(&event())?,
        Fault::After(bytes, has_last_word) => {
            three_tokens(say)?;
            say.body(bytes)?;
            if has_last_word {
                say.done()?;
            }
        }
        Fault::Finish(reason) => {
            three_tokens(say)?;
            say.event(&finish(ask, reason))?;
            say.done()?;
        }
    }
    say.end()
}

fn three_tokens(say: &mut Say<'_>) -> io::Result<()> {
    for number in 0..3 {
        say.event(&delta(&json!({"content": format!("w{number}")})))?;
        pause_ms(5);
    }
    Ok(())
}

/// Answers that break off after so many textbook ones, so that the load meets them and no preflight.
const WHOLE_BEFORE: usize = 12;

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn errors_in_200() {
    let table: [(&str, Fault, &str, &str); 11] = [
        (
            "an error object",
            Fault::Page(
                || json!({"error": {"message": "insufficient quota", "type": "x", "code": "quota"}}),
            ),
            "",
            "insufficient quota",
        ),
        (
            "an envelope of the gateway",
            Fault::Page(|| json!({"code": 401, "msg": "token expired", "data": null})),
            "",
            "token expired",
        ),
        (
            "an envelope in the answer",
            Fault::Page(
                || json!({"id": "0", "choices": null, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
            ),
            "",
            "insufficient balance",
        ),
        (
            "an error event by its payload",
            Fault::After(
                "data: {\"error\": {\"message\": \"engine dead\", \"code\": 500}}\n\n",
                true,
            ),
            "error_event",
            "engine dead",
        ),
        (
            "an error event by its type",
            Fault::After(
                "event: error\ndata: {\"code\": \"Internal\", \"message\": \"worker died\"}\n\n",
                true,
            ),
            "error_event",
            "worker died",
        ),
        (
            "an error event with its words in a comment",
            Fault::After("event: error\n: worker died\n\n", true),
            "error_event",
            "worker died",
        ),
        (
            "an envelope as an event",
            Fault::Alone(|| json!({"code": 500, "msg": "busy"})),
            "",
            "busy",
        ),
        (
            "a field named error",
            Fault::After(
                "error: {\"code\":500,\"message\":\"slot unavailable\",\"type\":\"server_error\"}\n\n",
                false,
            ),
            "",
            "slot unavailable",
        ),
        (
            "the finish reason error",
            Fault::Finish("error"),
            "error_event",
            "finish reason `error`",
        ),
        (
            "the finish reason abort",
            Fault::Finish("abort"),
            "error_event",
            "finish reason `abort`",
        ),
        ("no body", Fault::NoBody, "", ""),
    ];
    let cases = table.map(|(name, fault, outcome, words)| {
        let ended: &[_] = match outcome {
            "" => &[],
            outcome => &[AllEndedAs(outcome)],
        };
        Case::new(
            name,
            move |ask, say| serve(fault, ask, say),
            [
                check().is(&[Exit(&[4]), Says(words)]),
                bench().is(&[Exit(&[1]), Says(words)]).is(ended),
            ],
        )
    });
    try_all(cases.into());
}

/// The same where the server answers at first.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn errors_in_200_under_load() {
    let fails = |fault: Fault| {
        move |ask: &Ask, say: &mut Say<'_>| {
            if ask.is_generation() && ask.is_chat() && ask.number <= WHOLE_BEFORE {
                openai::answer(ask, say, Pace::DEFAULT)
            } else {
                serve(fault, ask, say)
            }
        }
    };
    let table = [
        (
            "error events",
            Fault::After(
                "event: error\ndata: {\"code\": \"Internal\", \"message\": \"worker died\"}\n\n",
                true,
            ),
            "error_event",
            "worker died",
        ),
        (
            "aborts",
            Fault::Finish("abort"),
            "error_event",
            "finish reason `abort`",
        ),
    ];
    let cases = table.map(|(name, fault, outcome, words)| {
        let rights = [Exit(&[3, 5]), SomeEndedAs(outcome), Says(words)];
        Case::new(name, fails(fault), [check().is(&rights)])
    });
    try_all(cases.into());
}
