//! How an answer comes over HTTP: old versions, odd framing, codings, redirects, gateways.

use std::io::{self};

use super::super::ask::Ask;
use super::super::case::{Case, bench, check, try_all};
use super::super::openai::{finish, models, token, usage, usage_event};
use super::super::right::Right::{
    AllCompleted, AllEndedAs, Exit, OutputAsAsked, OutputTokens, Says, TtftFromMs,
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
    let table: [(&str, Answer); 8] = [
        ("HTTP/1.0, to the close", http_1_0),
        ("a close after each answer", closing),
        ("chunk extensions and trailers", extensions),
        ("names and sizes in capitals", capitals),
        ("hints before the answer", early_hints),
        ("a type in capitals", |ask, say| {
            in_chunks(
                &[("Content-Type", "Text/Event-Stream;charset=UTF-8")],
                ask,
                say,
            )
        }),
        ("one block at the end", as_one_block),
        ("one block with its length", with_its_length),
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
