//! Events: floods, faults, odd shapes, and counts that cannot be.

use super::mode::Made::{Answer, Failure};
use super::mode::Mode;
use super::mode::Then::{Flood, Next};
use super::wire::{DONE, FINISH, TO_CLOSE, TOKEN, answer, open, stream};

const BROKEN: super::mode::Made = Failure("malformed");
const SAID: super::mode::Made = Failure("error_event");

pub(super) fn modes() -> Vec<Mode> {
    [floods(), faults(), shapes(), text(), no_text(), counts()].concat()
}

/// A flood is not in chunks: those would have to be whole in it.
fn flood(name: &'static str, does: &'static str, first: &str, then: &'static [u8]) -> Mode {
    let begun = format!("{TO_CLOSE}{first}");
    Mode::new(name, does, (begun, Flood(then)), BROKEN)
}

fn floods() -> Vec<Mode> {
    let long = "a".repeat(1 << 20);
    let long = format!(
        "data: {{\"choices\":[{{\"text\":\"{long}\",\"delta\":{{\"content\":\"{long}\"}}}}]}}\n\n"
    );
    let never =
        b"data: {\"choices\":[{\"index\":0,\"text\":\"\",\"delta\":{\"content\":\"\"}}]}\n\n";
    vec![
        flood("tokens_endless", "tokens without end", "", TOKEN.as_bytes()),
        flood("empty_endless", "empty events without end", "", never),
        flood(
            "no_choices_endless",
            "events without choices, without end",
            "",
            b"data: {\"choices\":[]}\n\n",
        ),
        flood("pings_endless", "comments without end", "", b": ping\n\n"),
        flood("lines_endless", "empty lines without end", "", b"\n\n\n\n"),
        flood(
            "event_endless",
            "an event without end",
            "data: ",
            b"aaaaaaaa",
        ),
        flood(
            "bytes_endless",
            "bytes without an end of a line",
            "",
            b"aaaaaaaa",
        ),
        flood(
            "after_finish_endless",
            "tokens without end after the finish reason",
            FINISH,
            TOKEN.as_bytes(),
        ),
        Mode::new(
            "after_done_endless",
            "tokens without end after the last word",
            (format!("{TO_CLOSE}{}", answer()), Flood(TOKEN.as_bytes())),
            Answer,
        ),
        Mode::new(
            "long_events",
            "eight events of 1 MB",
            (stream(long.repeat(8)), Next),
            BROKEN,
        ),
        Mode::new(
            "event_10mb",
            "an event of 10 MB",
            (stream(format!("data: {}\n\n", "a".repeat(10 << 20))), Next),
            BROKEN,
        ),
    ]
}

/// An event with this payload after three tokens, and the end.
fn after_three(payload: impl AsRef<[u8]>) -> Vec<u8> {
    stream(
        [
            TOKEN.repeat(3).as_bytes(),
            b"data: ",
            payload.as_ref(),
            b"\n\n",
            DONE.as_bytes(),
        ]
        .concat(),
    )
}

fn faults() -> Vec<Mode> {
    let fault =
        |name, does, payload: &str, made| Mode::new(name, does, (after_three(payload), Next), made);
    let brackets = "[".repeat(50_000);
    vec![
        fault(
            "error",
            "an error among the events",
            r#"{"error":{"message":"dead","code":500}}"#,
            SAID,
        ),
        fault(
            "error_text",
            "an error that is a text",
            r#"{"error":"dead"}"#,
            SAID,
        ),
        fault(
            "error_empty",
            "an error that says nothing, which is none",
            r#"{"error":{}}"#,
            Answer,
        ),
        fault("html", "a web page among the events", "<html>", BROKEN),
        fault("array", "an array for an event", "[1,2]", BROKEN),
        fault("number", "a number for an event", "1e999", BROKEN),
        fault(
            "text_number",
            "a number for a text",
            r#"{"choices":[{"text":5,"delta":{"content":5}}]}"#,
            Answer,
        ),
        fault("deep", "50,000 brackets", &brackets, BROKEN),
        fault("half_json", "half an event", r#"{"choices":[{"te"#, BROKEN),
        Mode::new(
            "error_event",
            "an event that is called an error",
            (
                stream(format!("{TOKEN}event: error\ndata: dead\n\n{DONE}")),
                Next,
            ),
            SAID,
        ),
        Mode::new(
            "nul",
            "NUL in a text",
            (after_three(b"{\"choices\":[{\"text\":\"a\0b\"}]}"), Next),
            BROKEN,
        ),
        Mode::new(
            "no_finish",
            "neither a finish reason nor a last word",
            (stream(TOKEN.repeat(3)), Next),
            Failure("ended_early"),
        ),
        Mode::new(
            "no_tokens",
            "no token",
            (stream(format!("{FINISH}{DONE}")), Next),
            Failure("empty"),
        ),
        Mode::new(
            "nothing",
            "nothing but the last word",
            (stream(DONE), Next),
            Failure("empty"),
        ),
        Mode::new(
            "no_body",
            "no body",
            (stream(""), Next),
            Failure("ended_early"),
        ),
    ]
}

fn shapes() -> Vec<Mode> {
    let whole = |name, does, body: String| Mode::new(name, does, (stream(body), Next), Answer);
    let late = r#"data: {"error":{"message":"late"}}"#;
    vec![
        whole("no_done", "no last word", format!("{TOKEN}{FINISH}")),
        whole("done_alone", "no finish reason", format!("{TOKEN}{DONE}")),
        whole(
            "finish_twice",
            "the finish reason twice",
            format!("{TOKEN}{FINISH}{FINISH}{DONE}"),
        ),
        whole(
            "after_done",
            "tokens after the last word",
            format!("{}{}", answer(), TOKEN.repeat(50)),
        ),
        whole(
            "error_after_done",
            "an error after the last word",
            format!("{}{late}\n\n", answer()),
        ),
        whole("cr", "lines that end in CR", answer().replace('\n', "\r")),
        whole(
            "crlf",
            "lines that end in CR LF",
            answer().replace('\n', "\r\n"),
        ),
        whole("bom", "a byte order mark", format!("\u{feff}{}", answer())),
        whole(
            "comments",
            "comments among the events",
            answer().replace("data:", ": ping\n\ndata:"),
        ),
        whole(
            "ids",
            "names and numbers of events",
            answer().replace("data:", "id: 1\nretry: 9\nevent: message\ndata:"),
        ),
    ]
}

/// A stream of this text, and the end.
fn said(text: &str) -> Vec<u8> {
    let event = format!(
        "data: {{\"choices\":[{{\"index\":0,\"text\":\"{text}\",\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
    );
    stream(format!("{event}{FINISH}{DONE}"))
}

fn text() -> Vec<Mode> {
    let whole = |name, does, text: &str| Mode::new(name, does, (said(text), Next), Answer);
    vec![
        whole("nul_escaped", "NUL as JSON writes it", "a\\u0000b"),
        whole(
            "escapes",
            "escape sequences of a terminal",
            "\\u001b]0;x\\u0007\\u009b31m",
        ),
        whole(
            "bidi",
            "marks that turn the direction",
            "\u{202e}abc\u{2066}",
        ),
    ]
}

/// Texts that are none.
fn no_text() -> Vec<Mode> {
    let long = "a".repeat(2 << 20);
    vec![
        Mode::new(
            "half_surrogate",
            "half of a character",
            (said("\\ud83d"), Next),
            BROKEN,
        ),
        Mode::new("long_text", "an event of 2 MB", (said(&long), Next), BROKEN),
    ]
}

/// Counts of tokens: one that cannot be is left out, and no fault of the answer.
fn counts() -> Vec<Mode> {
    let stated = |name, does, count: &str, made| {
        let usage = format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{count},\"completion_tokens\":{count}}}}}\n\n"
        );
        let events = format!("{}{FINISH}{usage}{DONE}", TOKEN.repeat(4));
        Mode::new(name, does, (stream(events), Next), made)
    };
    vec![
        stated("usage_1e999", "counts of 1e999", "1e999", BROKEN),
        stated("usage_nan", "counts of NaN", "NaN", BROKEN),
        stated("usage_negative", "counts of -5", "-5", Answer),
        stated("usage_4e9", "counts of 4,294,967,295", "4294967295", Answer),
        stated(
            "usage_1e18",
            "counts of 10^18",
            "1000000000000000000",
            Answer,
        ),
        stated("usage_half", "counts of 2.5", "2.5", Answer),
        stated("usage_text", "counts as text", "\"20\"", Answer),
        stated("usage_null", "counts of null", "null", Answer),
        stated("usage_zero", "counts of 0", "0", Answer),
        stated("usage_one", "counts of 1", "1", Answer),
        Mode::new(
            "usage_open",
            "a stream that stands open after its last word",
            (open(answer()), Next),
            Answer,
        ),
    ]
}
