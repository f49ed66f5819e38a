//! Answers and prompts that are not as long as was asked, and tokens that nobody sees.

use std::io;

use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{Pace, answer, delta, finish, models, token, usage, usage_event};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Exit, OutputAsAsked, OutputTokens, Says, Server, TpotFromMs,
    TtftFromMs,
};
use super::super::say::{EVENTS, Say, pause_ms};

/// Answers of this length, whatever is asked.
fn fixed(tokens: usize, has_usage: bool, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_chat() {
        return say.not_found();
    }
    if has_usage {
        let pace = Pace {
            tokens: Some(tokens),
            ..Pace::DEFAULT
        };
        return answer(ask, say, pace);
    }
    say.head(200, &EVENTS)?;
    pause_ms(Pace::DEFAULT.first_ms);
    for _ in 0..tokens {
        say.event(&token(ask, "w "))?;
        pause_ms(Pace::DEFAULT.gap_ms);
    }
    say.event(&finish(ask, "stop"))?;
    say.done()?;
    say.end()
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn answers_of_another_length() {
    let short = |has_usage| {
        move |ask: &Ask, say: &mut Say<'_>| fixed(ask.want().min(25), has_usage, ask, say)
    };
    let long = |ask: &Ask, say: &mut Say<'_>| fixed(60, true, ask, say);
    let asked_128 = || check().with("--output-len 128 --length-spread 0% --for 2s");
    try_all(vec![
        Case::new(
            "answers that stop by themselves",
            short(true),
            [asked_128().is(&[
                AllCompleted,
                OutputTokens(25),
                TpotFromMs(4.0),
                Says("measured 16 / 25"),
                Says("25 tokens on the average where 128 were asked for"),
            ])],
        ),
        Case::new(
            "answers that stop by themselves, not counted",
            short(false),
            // Nobody counts the prompts' tokens.
            [asked_128().is(&[
                AllCompleted,
                OutputTokens(25),
                TpotFromMs(4.0),
                Says("measured – / 25"),
                Says("25 tokens on the average where 128 were asked for"),
            ])],
        ),
        Case::new(
            "answers that go on",
            long,
            [check().with("--length-spread 0% --for 2s").is(&[
                AllCompleted,
                OutputTokens(60),
                Says("measured 16 / 60"),
                Says("60 tokens on the average where 20 were asked for"),
            ])],
        ),
    ]);
}

/// Prompts beyond the context are cut, and nothing is said but their length.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn prompts_that_are_cut() {
    const CONTEXT: usize = 512;
    let script = |ask: &Ask, say: &mut Say<'_>| {
        if ask.is_models() {
            return say.json(200, &models(&["phi3:latest"]));
        }
        if !ask.is_generation() {
            return say.not_found();
        }
        if ask.has_ids() {
            let words = "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string";
            return say.json(
                400,
                &json!({"error": {"message": words, "type": "invalid_request_error"}}),
            );
        }
        let words = ask.prompt_tokens();
        say.truth().note(words.to_string());
        let tokens = ask.want().min(16);
        say.head(200, &EVENTS)?;
        pause_ms(20);
        for _ in 0..tokens {
            say.event(&token(ask, "w "))?;
            pause_ms(3);
        }
        say.event(&finish(ask, "stop"))?;
        // A word is 1.3 tokens of this model.
        let prompt_tokens = CONTEXT.min(words * 13 / 10);
        let total_tokens = prompt_tokens + tokens;
        say.event(&usage_event(&json!({
            "prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": total_tokens,
        })))?;
        say.done()?;
        say.end()
    };
    // No prompt needs more words than it has tokens, and a bit for the measuring.
    let stays_small = Server(|counts| {
        let words = counts
            .notes
            .iter()
            .map(|note| note.parse::<usize>().unwrap());
        words.max().unwrap_or_default() < 4_000
    });
    try_all(vec![Case::new(
        "prompts that are cut",
        script,
        [
            check().with("--input-len 2000").is(&[
                Exit(&[2]),
                Says("512"),
                Says("2000"),
                stays_small,
            ]),
            check().with("--input-len 100").is(&[AllCompleted]),
        ],
    )]);
}

/// Thought that is sent like text, under one of two names.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn reasoning() {
    let script = |name: &'static str, content: Option<&'static str>| {
        move |ask: &Ask, say: &mut Say<'_>| {
            if ask.is_models() {
                return say.json(200, &models(&["r1"]));
            }
            if !ask.is_chat() {
                return say.not_found();
            }
            say.head(200, &EVENTS)?;
            say.event(&delta(&json!({"role": "assistant", "content": null})))?;
            pause_ms(100);
            // Half of the answers never come to their text.
            let thoughts = if ask.number.is_multiple_of(2) {
                ask.want()
            } else {
                ask.want() / 2
            };
            for number in 0..ask.want() {
                if number > 0 {
                    pause_ms(10);
                }
                let text = format!("t{number} ");
                say.event(&delta(&if number < thoughts {
                    json!({"role": "assistant", "content": content, name: text})
                } else {
                    json!({"content": text, name: null})
                }))?;
            }
            let mut last = delta(&json!({"content": null}));
            last["choices"][0]["finish_reason"] = "length".into();
            say.event(&last)?;
            say.event(&usage_event(&usage(ask, ask.want())))?;
            say.done()?;
            say.end()
        }
    };
    let table = [
        ("thought as reasoning_content", "reasoning_content", None),
        (
            "thought as reasoning, beside an empty text",
            "reasoning",
            Some(""),
        ),
    ];
    let cases = table.map(|(name, field, content)| {
        Case::new(
            name,
            script(field, content),
            [
                check().is(&[
                    AllCompleted,
                    OutputAsAsked,
                    TtftFromMs(100.0),
                    TpotFromMs(8.0),
                ]),
                bench().is(&[AllEndedAs("completed"), OutputTokens(20)]),
            ],
        )
    });
    try_all(cases.into());
}

/// Nine of ten tokens are thought that is counted and never sent: the pace is that of the others.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn hidden_reasoning() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        if ask.is_models() {
            return say.json(200, &models(&["gpt-oss"]));
        }
        if !ask.is_chat() {
            return say.not_found();
        }
        let hidden = ask.want() * 9 / 10;
        say.head(200, &EVENTS)?;
        say.event(&delta(&json!({"role": "assistant", "content": ""})))?;
        pause_ms(10 * hidden as u64);
        for number in hidden..ask.want() {
            pause_ms(10);
            say.event(&delta(&json!({"content": format!("w{number} ")})))?;
        }
        say.event(&finish(ask, "length"))?;
        let mut counts = usage(ask, ask.want());
        counts["completion_tokens_details"] = json!({"reasoning_tokens": hidden});
        say.event(&usage_event(&counts))?;
        say.done()?;
        say.end()
    };
    try_all(vec![Case::new(
        "thought that is never sent",
        script,
        [check().with("--output-len 100 --for 3s").is(&[
            AllCompleted,
            TpotFromMs(8.0),
            TtftFromMs(800.0),
            Says("tokens of reasoning"),
        ])],
    )]);
}
