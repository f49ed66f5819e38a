//! First tokens that come in one read with something else: their stamp is right, or the doubt is told
//! from what the server does; the client is not to blame.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, check, try_all};
use super::super::openai::{delta, finish, models, usage, usage_event};
use super::super::right::Right::{AllCompleted, OutputAsAsked, SaysNot, TtftFromMs};
use super::super::say::{EVENTS, Say, event, pause_ms};

const TO_FIRST_MS: u64 = 60;
const GAP_MS: u64 = 10;

#[derive(Clone, Copy)]
struct Clumps {
    /// Whether the role comes in one write with the first token, or in one directly before it.
    role_in_write: Option<bool>,
    /// Tokens that come at once at first, each in a write of its own.
    first: usize,
    /// Tokens of each write after that.
    each: usize,
}

fn serve(clumps: Clumps, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_chat() {
        return say.not_found();
    }
    say.head(200, &EVENTS)?;
    pause_ms(TO_FIRST_MS);
    let role = event(&delta(&json!({"role": "assistant", "content": ""})));
    let tokens: Vec<String> = (0..ask.want())
        .map(|number| event(&delta(&json!({"content": format!("w{number} ")}))))
        .collect();
    let (first, rest) = tokens.split_at(clumps.first.min(tokens.len()));
    let mut held = match clumps.role_in_write {
        Some(true) => role,
        Some(false) => {
            say.body(role)?;
            String::new()
        }
        None => String::new(),
    };
    for token in first {
        held.push_str(token);
        say.body(std::mem::take(&mut held))?;
    }
    for (number, clump) in rest.chunks(clumps.each).enumerate() {
        if number > 0 || !first.is_empty() {
            pause_ms(GAP_MS * clump.len() as u64);
        }
        say.body(clump.concat())?;
    }
    let counts = usage_event(&usage(ask, ask.want()));
    say.body([event(&finish(ask, "length")), event(&counts)].concat())?;
    say.done()?;
    say.end()
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn first_tokens_in_company() {
    let table = [
        (
            "the role in one write with the first token",
            Clumps {
                role_in_write: Some(true),
                first: 1,
                each: 1,
            },
        ),
        (
            "the role directly before the first token",
            Clumps {
                role_in_write: Some(false),
                first: 1,
                each: 1,
            },
        ),
        (
            "the first two tokens together",
            Clumps {
                role_in_write: Some(false),
                first: 2,
                each: 1,
            },
        ),
        (
            "eight tokens at a time",
            Clumps {
                role_in_write: None,
                first: 0,
                each: 8,
            },
        ),
    ];
    let cases = table.map(|(name, clumps)| {
        let rights = [
            AllCompleted,
            OutputAsAsked,
            TtftFromMs(TO_FIRST_MS as f64),
            SaysNot("share a read"),
            SaysNot("more cores"),
        ];
        let line = check().with("--concurrency 4 --for 2s").is(&rights);
        Case::new(name, move |ask, say| serve(clumps, ask, say), [line])
    });
    try_all(cases.into());
}

/// A proxy that holds back what comes until eight events are there.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_proxy_that_holds_back() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        serve(
            Clumps {
                role_in_write: Some(true),
                first: 0,
                each: 8,
            },
            ask,
            say,
        )
    };
    let rights = [
        AllCompleted,
        OutputAsAsked,
        TtftFromMs(TO_FIRST_MS as f64),
        SaysNot("more cores"),
    ];
    try_all(vec![Case::new(
        "clumps of eight",
        script,
        [check().with("--for 2s").is(&rights)],
    )]);
}
