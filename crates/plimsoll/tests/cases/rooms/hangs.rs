//! Requests that never get an answer: some among others that do, or all from a moment on.

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, check, check_rate, find, try_all};
use super::super::openai::{Pace, answer, delta, models};
use super::super::right::Right::{Also, Exit, Says, SaysNot, SomeEndedAs};
use super::super::say::{EVENTS, Say};
use super::super::told::Told;

/// Requests that are answered in any case: the preflight, and some of the load.
const ANSWERED: usize = 12;

/// A textbook server, but for requests whose number is one of these.
fn but_for(
    is_odd: impl Fn(usize) -> bool,
    odd: impl Fn(&mut Say<'_>) -> std::io::Result<()>,
) -> impl Fn(&Ask, &mut Say<'_>) -> std::io::Result<()> {
    move |ask, say| {
        if ask.is_models() {
            return say.json(200, &models(&["m"]));
        }
        if !ask.is_chat() {
            return say.not_found();
        }
        if is_odd(ask.number) {
            return odd(say);
        }
        answer(ask, say, Pace::DEFAULT)
    }
}

/// Every so many-th request is left without an answer.
fn script(every: usize) -> impl Fn(&Ask, &mut Say<'_>) -> std::io::Result<()> {
    let is_odd = move |number: usize| number > ANSWERED && number.is_multiple_of(every);
    but_for(is_odd, |say| {
        say.hang();
        Ok(())
    })
}

/// Every so many-th request has its first word, and no more.
fn stops_after_a_word(every: usize) -> impl Fn(&Ask, &mut Say<'_>) -> std::io::Result<()> {
    let is_odd = move |number: usize| number > ANSWERED && number.is_multiple_of(every);
    but_for(is_odd, |say| {
        say.head(200, &EVENTS)?;
        say.event(&delta(&json!({"content": "a"})))?;
        say.hang();
        Ok(())
    })
}

/// It takes no connection any more.
fn leave(say: &mut Say<'_>) -> std::io::Result<()> {
    say.leave()
}

/// No number is advised.
fn no_cap(told: &Told) -> bool {
    told.cap().is_none()
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn requests_that_hang() {
    let held = || check().with("--concurrency 8 --for 8s");
    try_all(vec![
        Case::new(
            "every twelfth request hangs",
            script(12),
            [held().is(&[
                Exit(&[3, 5]),
                Says("had no answer for"),
                SaysNot("Not contradicted"),
            ])],
        ),
        Case::new(
            "every fifth request hangs",
            script(5),
            [held().is(&[
                Exit(&[3, 5]),
                Says("had no answer for"),
                SaysNot("Not contradicted"),
            ])],
        ),
        Case::new(
            "every fifth answer hangs after its first word",
            stops_after_a_word(5),
            [check().with("--concurrency 8 --for 15s").is(&[
                Exit(&[3, 5]),
                Says("had no answer for"),
                SaysNot("Not contradicted"),
            ])],
        ),
        Case::new(
            "every fifth answer hangs after its first word, in a search",
            stops_after_a_word(5),
            [find()
                .with("--max-concurrency 8 --budget 30s")
                .is(&[SaysNot("othing broke"), Says("had no answer for")])],
        ),
        Case::new(
            "every twelfth request hangs, in a search",
            script(12),
            [find()
                .with("--max-concurrency 16 --budget 15s")
                .is(&[SaysNot("othing broke"), Says("had no answer for")])],
        ),
    ]);
}

/// It takes connections and requests, and answers nobody.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_server_that_falls_silent() {
    let silent = || script(1);
    let rights = [
        Exit(&[4, 5]),
        SaysNot("Not contradicted"),
        SaysNot("Not carried"),
        SaysNot("othing broke"),
        Also(no_cap),
    ];
    let hang = [Says("had no answer for")];
    try_all(vec![
        Case::new(
            "nobody is answered any more",
            silent(),
            [check()
                .with("--concurrency 8 --for 8s")
                .is(&rights)
                .is(&hang)],
        ),
        Case::new(
            "nobody is answered any more, in a search",
            silent(),
            [find()
                .with("--max-concurrency 16 --budget 15s")
                .is(&rights)
                .is(&hang)],
        ),
        Case::new(
            "nobody is answered any more, and arrivals go on",
            silent(),
            [check_rate().with("--for 8s").is(&rights).is(&hang)],
        ),
        Case::new(
            "nobody is answered any more, and arrivals go on, in a search",
            silent(),
            [find().with("--by rate --budget 10s").is(&rights)],
        ),
        Case::new(
            "nobody is answered any more, and requests are given up",
            silent(),
            [
                check()
                    .with("--concurrency 4 --for 8s --timeout 1s")
                    .is(&rights),
                find()
                    .with("--max-concurrency 4 --budget 10s --timeout 1s")
                    .is(&rights),
            ],
        ),
    ]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_server_that_goes_away() {
    let leaves = || but_for(|number| number > 4 * ANSWERED, leave);
    let rights = [
        Exit(&[4]),
        SomeEndedAs("connect"),
        // What the first of them met may have been a reset, of a connection that waited to be taken.
        Says("connections are refused"),
        Also(no_cap),
    ];
    try_all(vec![
        Case::new(
            "nobody is let in any more",
            leaves(),
            [check().with("--concurrency 8 --for 4s").is(&rights)],
        ),
        Case::new(
            "nobody is let in any more, in a search",
            leaves(),
            [find().with("--max-concurrency 16").is(&rights)],
        ),
    ]);
}
