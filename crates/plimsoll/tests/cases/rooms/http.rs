//! How an answer comes over HTTP: old versions, odd framing, codings, redirects, gateways.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{finish, models, token, usage, usage_event};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Exit, OutputAsAsked, OutputTokens, Says, Server, TtftFromMs,
};
use super::super::say::{EVENTS, Say, event, pause_ms};

const TO_FIRST_MS: u64 = 20;
const GAP_MS: u64 = 5;

/// The events of an answer, the last word among them.
fn events(ask: &Ask) -> Vec<String> {
    let tokens = (0..ask.want()).map(|number| event(&token(ask, &format!("w{number} "))));
    let ends = [
        event(&finish(ask, "length")),
        event(&usage_event(&usage(ask, ask.want()))),
        "data: [DONE]\n\n".to_owned(),
    ];
    tokens.chain(ends).collect()
}

/// Answers what is no request for text; whether it did.
fn is_answered(ask: &Ask, say: &mut Say<'_>) -> io::Result<bool> {
    if ask.is_models() {
        say.json(200, &models(&["m"]))?;
    } else if !ask.is_chat() {
        say.not_found()?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Says each event by `write`, with the pauses of a server between them.
fn stream(
    ask: &Ask,
    say: &mut Say<'_>,
    mut write: impl FnMut(&mut Say<'_>, &str) -> io::Result<()>,
) -> io::Result<()> {
    pause_ms(TO_FIRST_MS);
    for (number, event) in events(ask).iter().enumerate() {
        write(say, event)?;
        if number < ask.want() {
            pause_ms(GAP_MS);
        }
    }
    Ok(())
}

fn in_chunks(headers: &[(&str, &str)], ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.head(200, headers)?;
    stream(ask, say, |say, event| say.body(event))?;
    say.end()
}

type Answer = fn(&Ask, &mut Say<'_>) -> io::Result<()>;

fn http_1_0(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.plain_head("1.0", 200, &EVENTS)?;
    say.close();
    stream(ask, say, |say, event| say.body(event))
}

fn closing(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.close();
    in_chunks(&[EVENTS[0], ("Connection", "close")], ask, say)
}

fn extensions(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.head(200, &EVENTS)?;
    stream(ask, say, |say, event| {
        say.raw(format!(
            "{:x};foo=bar;q=\"a;b\"\r\n{event}\r\n",
            event.len()
        ))
    })?;
    say.raw("0;last\r\nX-Trailer: 1\r\nServer-Timing: x\r\n\r\n")
}

fn capitals(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let headers = [
        ("CONTENT-TYPE", "text/event-stream"),
        ("TRANSFER-ENCODING", "Chunked"),
    ];
    say.plain_head("1.1", 200, &headers)?;
    stream(ask, say, |say, event| {
        say.raw(format!("000{:X}\r\n{event}\r\n", event.len()))
    })?;
    say.raw("0\r\n\r\n")
}

fn early_hints(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.raw("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")?;
    in_chunks(&EVENTS, ask, say)
}

/// Packed, and sent event by event.
fn packed(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.head(200, &[EVENTS[0], ("Content-Encoding", "gzip")])?;
    let mut coder = GzEncoder::new(Vec::new(), Compression::default());
    stream(ask, say, |say, event| {
        coder.write_all(event.as_bytes())?;
        coder.flush()?;
        say.body(std::mem::take(coder.get_mut()))
    })?;
    say.body(coder.finish()?)?;
    say.end()
}

/// Packed as a whole.
fn packed_whole(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.head(200, &[EVENTS[0], ("Content-Encoding", "gzip")])?;
    let mut coder = GzEncoder::new(Vec::new(), Compression::default());
    stream(ask, say, |_, event| coder.write_all(event.as_bytes()))?;
    say.body(coder.finish()?)?;
    say.end()
}

fn as_one_block(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.head(200, &EVENTS)?;
    let mut held = String::new();
    stream(ask, say, |_, event| {
        held.push_str(event);
        Ok(())
    })?;
    say.body(held)?;
    say.end()
}

fn with_its_length(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    let mut held = String::new();
    stream(ask, say, |_, event| {
        held.push_str(event);
        Ok(())
    })?;
    let length = held.len().to_string();
    say.plain_head("1.1", 200, &[EVENTS[0], ("Content-Length", &length)])?;
    say.raw(held)
}

fn open_after_the_last_word(ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
    say.head(200, &EVENTS)?;
    stream(ask, say, |say, event| say.body(event))?;
    say.hang();
    Ok(())
}

fn served(answer: Answer) -> impl Fn(&Ask, &mut Say<'_>) -> io::Result<()> {
    move |ask, say| {
        if is_answered(ask, say)? {
            return Ok(());
        }
        answer(ask, say)
    }
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn answers_over_http() {
    let table: [(&str, Answer); 14] = [
        ("HTTP/1.0, to the close", http_1_0),
        ("a close after each answer", closing),
        ("chunk extensions and trailers", extensions),
        ("names and sizes in capitals", capitals),
        ("hints before the answer", early_hints),
        ("packed event by event", packed),
        ("packed as a whole", packed_whole),
        ("plain text by its type", |ask, say| {
            in_chunks(&[("Content-Type", "text/plain; charset=utf-8")], ask, say)
        }),
        ("JSON by its type", |ask, say| {
            in_chunks(&[("Content-Type", "application/json")], ask, say)
        }),
        ("no type", |ask, say| in_chunks(&[], ask, say)),
        ("a type in capitals", |ask, say| {
            in_chunks(
                &[("Content-Type", "Text/Event-Stream;charset=UTF-8")],
                ask,
                say,
            )
        }),
        ("one block at the end", as_one_block),
        ("one block with its length", with_its_length),
        (
            "an open connection after the last word",
            open_after_the_last_word,
        ),
    ];
    let cases = table.map(|(name, answer)| {
        let first_ms = TO_FIRST_MS as f64;
        Case::new(
            name,
            served(answer),
            [
                check().is(&[AllCompleted, OutputAsAsked, TtftFromMs(first_ms)]),
                bench().is(&[AllEndedAs("completed"), OutputTokens(20)]),
            ],
        )
    });
    try_all(cases.into());
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn an_answer_that_is_not_streamed() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        pause_ms(TO_FIRST_MS);
        let text = "w ".repeat(ask.want());
        say.json(200, &json!({
            "id": "x", "object": "chat.completion", "usage": usage(ask, ask.want()),
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}],
        }))
    };
    try_all(vec![Case::new(
        "an answer that is not streamed",
        served(script),
        [check().is(&[
            AllCompleted,
            OutputAsAsked,
            Says("Their TTFT is that of the whole request"),
            TtftFromMs(20.0),
        ])],
    )]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_coding_that_is_not_known() {
    let script = |ask: &Ask, say: &mut Say<'_>| {
        say.head(200, &[EVENTS[0], ("Content-Encoding", "br")])?;
        stream(ask, say, |say, event| {
            say.body(event.bytes().map(|byte| !byte).collect::<Vec<_>>())
        })?;
        say.end()
    };
    try_all(vec![Case::new(
        "a coding that is not known",
        served(script),
        [check().is(&[Exit(&[4]), Says("coding `br`")])],
    )]);
}

fn redirected(ask: &Ask, say: &mut Say<'_>, status: u16) -> io::Result<()> {
    let target = ["/real", &ask.target].concat();
    say.plain_head(
        "1.1",
        status,
        &[("Location", &target), ("Content-Length", "0")],
    )
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn redirects() {
    let is_there = |ask: &Ask| ask.path().starts_with("/real");
    let generation = move |ask: &Ask, say: &mut Say<'_>| {
        if ask.is_generation() && !is_there(ask) {
            return redirected(ask, say, 307);
        }
        served(|ask, say| in_chunks(&EVENTS, ask, say))(ask, say)
    };
    let everything = move |ask: &Ask, say: &mut Say<'_>| {
        if !is_there(ask) {
            return redirected(ask, say, 308);
        }
        served(|ask, say| in_chunks(&EVENTS, ask, say))(ask, say)
    };
    let login = |ask: &Ask, say: &mut Say<'_>| {
        if ask.path() == "/login" {
            return say.page(200, "text/html", "<html>login</html>");
        }
        say.plain_head(
            "1.1",
            302,
            &[("Location", "/login"), ("Content-Length", "0")],
        )
    };
    let elsewhere = |_: &Ask, say: &mut Say<'_>| {
        let headers = [
            ("Location", "http://127.0.0.2:9/v1"),
            ("Content-Length", "0"),
        ];
        say.plain_head("1.1", 307, &headers)
    };
    try_all(vec![
        Case::new(
            "requests for text are sent on",
            generation,
            [check().is(&[AllCompleted])],
        ),
        Case::new(
            "everything is sent on",
            everything,
            [check().is(&[AllCompleted])],
        ),
        Case::new(
            "to a page to log in",
            login,
            [check().is(&[Exit(&[4]), Says("/login")])],
        ),
        Case::new(
            "to another server",
            elsewhere,
            [check()
                .env("OPENAI_API_KEY", "good")
                .is(&[Exit(&[4]), Says("127.0.0.2:9")])],
        ),
    ]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_gateway_without_its_server() {
    let script = |_: &Ask, say: &mut Say<'_>| {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>";
        say.page(502, "text/html", page)
    };
    try_all(vec![Case::new(
        "a page of a gateway",
        served(script),
        [check().is(&[Exit(&[4]), Says("502")])],
    )]);
}

/// A server that is not ready yet, for so many requests.
#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn not_ready_yet() {
    const REFUSED: usize = 3;
    let loading = |ask: &Ask, say: &mut Say<'_>| {
        if ask.number <= REFUSED {
            let words = json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}});
            return say.json(503, &words);
        }
        in_chunks(&EVENTS, ask, say)
    };
    let limited = |ask: &Ask, say: &mut Say<'_>| {
        if ask.number <= REFUSED {
            let words =
                json!({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}});
            let after = [("Retry-After", "1")];
            return say.page_with(429, "application/json", &words.to_string(), &after);
        }
        in_chunks(&EVENTS, ask, say)
    };
    let waits = || check().with("--wait 1m").is(&[AllCompleted]);
    try_all(vec![
        Case::new("a model that is being loaded", served(loading), [waits()]),
        Case::new("a limit before any load", served(limited), [waits()]),
    ]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_metrics_page_that_does_not_come() {
    let metrics = |ask: &Ask, say: &mut Say<'_>| {
        if ask.path() == "/metrics" {
            say.hang();
            return Ok(());
        }
        served(|ask, say| in_chunks(&EVENTS, ask, say))(ask, say)
    };
    let is_tried = Server(|counts| counts.targets.contains("GET /metrics"));
    try_all(vec![Case::new(
        "no metrics page",
        metrics,
        [check().is(&[AllCompleted, is_tried])],
    )]);
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_list_of_models_that_is_slow() {
    let models_late = |ask: &Ask, say: &mut Say<'_>| {
        if ask.is_models() {
            pause_ms(1_000);
        }
        served(|ask, say| in_chunks(&EVENTS, ask, say))(ask, say)
    };
    try_all(vec![Case::new(
        "a list of models that is slow",
        models_late,
        [check().is(&[AllCompleted])],
    )]);
}
