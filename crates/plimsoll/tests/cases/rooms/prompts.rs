//! A server that remembers how prompts begin, as a prefix cache does.

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, find, try_all};
use super::super::openai::{Pace, answer, models};
use super::super::right::Right::{self, AllCompleted, Exit, Server};
use super::super::say::Say;

const PACE: Pace = Pace {
    first_ms: 5,
    gap_ms: 1,
    tokens: None,
};
/// Token ids or words at a prompt's begin that a cache would know again.
const IDS: usize = 32;
const WORDS: usize = 8;

/// What a cache would know again: the first ids or words of a prompt.
fn start_of(ask: &Ask) -> String {
    let most = if ask.has_ids() { IDS } else { WORDS };
    let prompt = ask.prompt();
    let start: Vec<&str> = prompt.split(' ').take(most).collect();
    start.join(" ")
}

/// With completions, or without.
fn script(is_chat_only: bool) -> impl Fn(&Ask, &mut Say<'_>) -> std::io::Result<()> {
    move |ask, say| {
        if ask.is_models() {
            return say.json(200, &models(&["m"]));
        }
        if !ask.is_generation() || (is_chat_only && !ask.is_chat()) {
            return say.not_found();
        }
        say.truth().note(start_of(ask));
        answer(ask, say, PACE)
    }
}

const ALL_DIFFER: Right = Server(|counts| counts.notes.len() > 20 && counts.repeated_notes() == 0);
const SOME_REPEAT: Right = Server(|counts| counts.repeated_notes() > 10);

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn prompts_are_new() {
    let long = || check().with("--input-len 100 --output-len 8");
    let twice = |typed: &'static str, last: Right| {
        [
            long().with(typed).is(&[AllCompleted]),
            long().with(typed).is(&[AllCompleted, last]),
        ]
    };
    let searched = || {
        find()
            .with("--input-len 100 --output-len 8")
            .is(&[Exit(&[0, 5]), ALL_DIFFER])
    };
    try_all(vec![
        Case::new("two runs, ids", script(false), twice("", ALL_DIFFER)).of_one_server(),
        Case::new("two runs, words", script(true), twice("", ALL_DIFFER)).of_one_server(),
        Case::new(
            "two runs of a seed",
            script(false),
            twice("--seed 3", ALL_DIFFER),
        )
        .of_one_server(),
        Case::new(
            "the same prompts",
            script(false),
            twice("--seed 3 --same-prompts", SOME_REPEAT),
        )
        .of_one_server(),
        Case::new("two searches", script(false), [searched(), searched()]).of_one_server(),
    ]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_prefix_that_all_have() {
    try_all(vec![Case::new(
        "a prefix that all have",
        script(true),
        [bench()
            .with("--random-prefix-len 64 --random-input-len 32")
            .is(&[Exit(&[0]), Server(|counts| counts.repeated_notes() >= 4)])],
    )]);
}
