//! The control: a server without any fault.

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, find, try_all};
use super::super::openai::{Pace, answer, models};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Exit, OutputAsAsked, OutputTokens, Says, TtftFromMs,
};
use super::super::say::Say;

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_textbook_server() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        if ask.is_models() {
            return say.json(200, &models(&["m"]));
        }
        if !ask.is_generation() {
            return say.not_found();
        }
        answer(ask, say, Pace::DEFAULT)
    };
    let own = Pace::DEFAULT.first_ms as f64;
    try_all(vec![Case::new(
        "textbook",
        script,
        [
            find().is(&[
                AllCompleted,
                OutputAsAsked,
                TtftFromMs(own),
                Says("Failures: none"),
            ]),
            check().is(&[AllCompleted, OutputAsAsked, TtftFromMs(own)]),
            check()
                .with("--endpoint chat")
                .is(&[AllCompleted, OutputAsAsked, TtftFromMs(own)]),
            bench().is(&[Exit(&[0]), AllEndedAs("completed"), OutputTokens(20)]),
        ],
    )]);
}
