//! Gateways that take so many requests at once, or so many in a time, and refuse the rest at once.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, check, find, try_all};
use super::super::openai::{Pace, answer, answer_then, models};
use super::super::places::Places;
use super::super::right::Right::{AllCompleted, Also, Exit, Says, SomeEndedAs};
use super::super::say::Say;
use super::super::told::Told;

/// Requests that are taken at once.
const MOST: u32 = 8;
/// Long beside the time in which a place is free again.
const PACE: Pace = Pace {
    first_ms: 60,
    gap_ms: 5,
    tokens: None,
};
/// The window of a limit on rates, and the requests of it.
const WINDOW: Duration = Duration::from_secs(1);
const MOST_IN_WINDOW: usize = 6;

fn other(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    say.not_found()
}

/// At most [`MOST`] at once; the next one is refused in this way.
fn at_once(status: u16, words: &'static str) -> impl Fn(&Ask, &mut Say<'_>) -> io::Result<()> {
    let places = Places::new(MOST);
    move |ask, say| {
        if !ask.is_chat() {
            return other(ask, say);
        }
        match places.take() {
            Some(place) => answer_then(ask, say, PACE, || drop(place)),
            None => refuse(say, status, words),
        }
    }
}

fn refuse(say: &mut Say<'_>, status: u16, words: &str) -> io::Result<()> {
    let page = json!({"error": {"message": words, "code": status.to_string()}}).to_string();
    say.page_with(status, "application/json", &page, &[("Retry-After", "1")])
}

/// So many in any [`WINDOW`].
fn in_a_time() -> impl Fn(&Ask, &mut Say<'_>) -> io::Result<()> {
    let taken = Mutex::new(VecDeque::new());
    move |ask, say| {
        if !ask.is_chat() {
            return other(ask, say);
        }
        let is_full = {
            #[expect(clippy::disallowed_methods, reason = "the clock of a scripted server")]
            let now = Instant::now();
            let mut taken = taken.lock().unwrap();
            taken.retain(|at| now.duration_since(*at) < WINDOW);
            let is_full = taken.len() >= MOST_IN_WINDOW;
            if !is_full {
                taken.push_back(now);
            }
            is_full
        };
        if is_full {
            return refuse(say, 429, "Rate limit reached for requests per minute");
        }
        answer(ask, say, PACE)
    }
}

/// The gateway cap that is advised is one that the gateway takes.
fn cap_is_taken(told: &Told) -> bool {
    told.cap().is_none_or(|cap| cap <= MOST.into())
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn limits() {
    let at_most = || check().with("--concurrency 8 --for 2s").is(&[AllCompleted]);
    let beyond = |outcome: &'static str, words: &'static str| {
        let rights = [Exit(&[3, 5]), SomeEndedAs(outcome), Says(words)];
        check().with("--concurrency 16 --for 3s").is(&rights)
    };
    let full = "Max parallel request limit reached";
    let busy = "server busy, please try again.  maximum pending requests exceeded";
    try_all(vec![
        Case::new(
            "eight at once, then 429",
            at_once(429, full),
            [at_most(), beyond("http_429", full)],
        ),
        Case::new(
            "eight at once, then 503",
            at_once(503, busy),
            [
                at_most(),
                beyond("http_503", "server busy, please try again"),
            ],
        ),
        Case::new(
            "so many in a time",
            in_a_time(),
            [beyond(
                "http_429",
                "Rate limit reached for requests per minute",
            )],
        ),
        Case::new(
            "the limit of eight, searched for",
            at_once(429, full),
            [find().with("--max-concurrency 32 --budget 15s").is(&[
                Exit(&[0, 5]),
                Says("429"),
                Also(cap_is_taken),
            ])],
        ),
    ]);
}
