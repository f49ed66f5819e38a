//! Files with prompts: they arrive as they stand there, and a fault names its place.

use super::super::ask::Ask;
use super::super::case::{Case, Line, bench, try_all};
use super::super::openai::{Pace, answer, models};
use super::super::right::Right::{AllEndedAs, Exit, Says, Server};
use super::super::say::Say;

fn script(ask: &Ask, say: &mut Say<'_>) -> std::io::Result<()> {
    if ask.is_models() {
        return say.json(200, &models(&["m"]));
    }
    if !ask.is_generation() {
        return say.not_found();
    }
    say.truth().note(ask.prompt());
    let pace = Pace {
        gap_ms: 1,
        ..Pace::DEFAULT
    };
    answer(ask, say, pace)
}

fn custom(text: &'static str) -> Line {
    bench()
        .with("--dataset-name custom --dataset-path data.jsonl --custom-output-len 4 --disable-shuffle")
        .file("data.jsonl", text)
}

fn sharegpt(text: &'static str) -> Line {
    bench()
        .with("--dataset-name sharegpt --dataset-path data.json --sharegpt-output-len 4")
        .file("data.json", text)
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn datasets() {
    let arrive = Server(|counts| {
        ["first of all", "second, \"ü\"", "第三"]
            .iter()
            .all(|prompt| counts.notes.iter().any(|note| note == prompt))
    });
    let one = |name, line: Line| Case::new(name, script, [line]);
    try_all(vec![
        one(
            "fewer prompts than requests",
            custom("{\"prompt\": \"first of all\"}\n{\"prompt\": \"second, \\\"ü\\\"\"}\n{\"prompt\": \"第三\"}\n")
                .is(&[Exit(&[0]), AllEndedAs("completed"), arrive]),
        ),
        one(
            "a line that is no JSON",
            custom("{\"prompt\": \"a\"}\n{\"prompt\": \n").is(&[Exit(&[1, 2]), Says("data.jsonl"), Says("2")]),
        ),
        one(
            "a line without a prompt",
            custom("{\"prompt\": \"a\"}\n{\"text\": \"b\"}\n").is(&[Exit(&[1, 2]), Says("data.jsonl"), Says("prompt")]),
        ),
        one("a file without lines", custom("").is(&[Exit(&[1, 2]), Says("data.jsonl")])),
        one(
            "conversations, the system's word first",
            sharegpt(
                r#"[{"id": "a", "conversations": [
                    {"from": "system", "value": "You are a clerk who answers in full sentences."},
                    {"from": "human", "value": "Which of the two roads leads to the old harbour?"},
                    {"from": "gpt", "value": "The left one does, and it takes you an hour on foot."}]}]"#,
            )
            .is(&[Exit(&[0]), AllEndedAs("completed")]),
        ),
        one(
            "conversations that are all too short",
            sharegpt(r#"[{"conversations": [{"from": "human", "value": "a"}]}]"#)
                .is(&[Exit(&[1, 2]), Says("data.json")]),
        ),
        one(
            "a file that is not there",
            bench()
                .with("--dataset-name sharegpt --dataset-path none.json")
                .is(&[Exit(&[1, 2]), Says("none.json")]),
        ),
    ]);
}
