//! Failures that come with status 200: none of them is an answer, and the server's words are shown.

use std::io;

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{delta, models};
use super::super::right::Right::{AllEndedAs, Exit, Says};
use super::super::say::{EVENTS, Say, pause_ms};

/// What comes in place of the rest of an answer.
#[derive(Clone, Copy)]
enum Fault {
    /// A whole page instead of a stream.
    Page(fn() -> Value),
    /// No byte of a body.
    NoBody,
    /// After three tokens these bytes, and then the last word or not.
    After(&'static str, bool),
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
        Fault::After(bytes, has_last_word) => {
            three_tokens(say)?;
            say.body(bytes)?;
            if has_last_word {
                say.done()?;
            }
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

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn errors_in_200() {
    let table: [(&str, Fault, &str, &str); 3] = [
        (
            "an error object",
            Fault::Page(
                || json!({"error": {"message": "insufficient quota", "type": "x", "code": "quota"}}),
            ),
            "",
            "insufficient quota",
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
