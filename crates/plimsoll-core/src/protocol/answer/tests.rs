//! How answers end, and what is told of them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::protocol::golden;

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

fn answer(response: &str) -> (Answer, AnswerEnd) {
    let mut answer = Answer::new(Protocol::Completions, true);
    let pushed = answer.push(response.as_bytes(), Offset::from_nanos(7));
    let end = pushed.unwrap_or_else(|| answer.close(Offset::from_nanos(9)));
    (answer, end)
}

fn outcome(response: &str) -> Outcome {
    answer(response).1.outcome
}

fn stream(body: &str) -> Outcome {
    outcome(&format!("{STREAM_HEAD}{body}"))
}

const TOKEN: &str = "data: {\"choices\":[{\"text\":\" a\"}]}\n\n";
const FINISH: &str = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";

#[test]
fn each_way_to_end_has_its_outcome() {
    assert_eq!(
        stream(&format!("{TOKEN}{FINISH}data: [DONE]\n\n")),
        Outcome::Completed
    );
    assert_eq!(stream(&format!("{TOKEN}{FINISH}")), Outcome::Completed);
    assert_eq!(
        stream(&format!("{TOKEN}data: [DONE]\n\n")),
        Outcome::Completed
    );
    assert_eq!(stream(TOKEN), Outcome::EndedEarly);
    assert_eq!(stream(&format!("{FINISH}data: [DONE]\n\n")), Outcome::Empty);
    assert_eq!(
        stream(&format!(
            "{TOKEN}data: {{\"error\":{{\"message\":\"x\"}}}}\n\n"
        )),
        Outcome::ErrorEvent
    );
    assert_eq!(
        stream(&format!("{TOKEN}data: oops\n\n")),
        Outcome::Malformed
    );
    let refused = "HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\nno";
    assert_eq!(outcome(refused), Outcome::HttpStatus { status: 429 });
    let cut = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{TOKEN}\r\n",
        TOKEN.len()
    );
    assert_eq!(outcome(&cut), Outcome::Reset);
    assert_eq!(outcome("garbage\r\n\r\n"), Outcome::Malformed);
}

/// A stream in parts, as HTTP/2 has it.
fn framed(status: u16, content_type: &str, body: &str) -> (Answer, AnswerEnd) {
    let mut answer = Answer::new(Protocol::Completions, true);
    answer.take_head(&Head {
        status,
        content_type: content_type.to_owned(),
        ..Head::default()
    });
    let told = answer.body(body.as_bytes(), Offset::from_nanos(7));
    let end = told.unwrap_or_else(|| answer.end(Offset::from_nanos(9)));
    (answer, end)
}

#[test]
fn parts_end_in_the_same_ways_as_bytes() {
    let stream = |body: &str| framed(200, "text/event-stream", body).1.outcome;
    assert_eq!(
        stream(&format!("{TOKEN}{FINISH}data: [DONE]\n\n")),
        Outcome::Completed
    );
    assert_eq!(stream(TOKEN), Outcome::EndedEarly);
    assert_eq!(stream(FINISH), Outcome::Empty);
    let fault = "data: {\"error\":{\"message\":\"x\"}}\n\n";
    assert_eq!(stream(fault), Outcome::ErrorEvent);
    assert_eq!(stream("data: oops\n\n"), Outcome::Malformed);
    let (_, end) = framed(429, "text/plain", "no");
    assert_eq!(end.outcome, Outcome::HttpStatus { status: 429 });
    assert_eq!(end.detail.as_deref(), Some("no"));
    let whole = r#"{"choices":[{"text":"ab","finish_reason":"stop"}]}"#;
    let (answer, end) = framed(200, "application/json", whole);
    assert_eq!(end.outcome, Outcome::Completed);
    assert_eq!(answer.events()[0].at, Offset::from_nanos(9));
}

#[test]
fn a_stream_that_breaks_after_its_last_word_is_complete() {
    let broken = |body: &str| {
        let mut answer = Answer::default();
        answer.take_head(&Head {
            status: 200,
            content_type: "text/event-stream".to_owned(),
            ..Head::default()
        });
        assert_eq!(answer.body(body.as_bytes(), Offset::ZERO), None);
        answer.broken(Outcome::Reset, "RST_STREAM".to_owned())
    };
    let end = broken(TOKEN);
    assert_eq!(end.outcome, Outcome::Reset);
    assert_eq!(end.detail.as_deref(), Some("RST_STREAM"));
    let done = broken(&format!("{TOKEN}data: [DONE]\n\n"));
    assert_eq!(done.outcome, Outcome::Completed);
}

#[test]
fn a_whole_answer_is_one_event() {
    let body = r#"{"choices":[{"text":"ab","finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let (answer, end) = answer(&format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(end.outcome, Outcome::Completed);
    assert_eq!(answer.events().len(), 1);
    assert_eq!(answer.usage().completion_tokens, Some(2));
    assert_eq!(answer.text(), Some("ab"));
}

#[test]
fn a_web_page_is_called_one() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
    let end = answer(page).1;
    assert_eq!(end.outcome, Outcome::Malformed);
    assert!(end.detail.unwrap().contains("web page"));
}

#[test]
fn the_servers_own_words_are_kept() {
    let body = r#"{"error":{"message":"model `x` does not exist"}}"#;
    let response = format!(
        "HTTP/1.1 404 NF\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(
        answer(&response).1.detail.as_deref(),
        Some("model `x` does not exist")
    );
}

#[test]
fn role_only_and_keep_alive_events_are_not_output() {
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
    let (answer, end) = answer(&format!("{STREAM_HEAD}: ping\n\n{role}{TOKEN}{FINISH}"));
    assert_eq!(end.outcome, Outcome::Completed);
    let output: Vec<bool> = answer.events().iter().map(|event| event.output).collect();
    assert_eq!(output, vec![false, true, false]);
}

#[test]
fn a_reset_reader_reads_the_next_answer() {
    let (mut reader, _) = answer(&format!("{STREAM_HEAD}{TOKEN}{FINISH}"));
    reader.reset();
    assert!(reader.is_untouched());
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        reader.push(ok.as_bytes(), Offset::ZERO).unwrap().outcome,
        Outcome::EndedEarly
    );
    assert!(reader.keep_alive());
}

/// A chat stream of these payloads, with its last word.
fn chat(payloads: &[&str]) -> String {
    let events = payloads
        .iter()
        .map(|payload| format!("data: {payload}\n\n"));
    events.chain(["data: [DONE]\n\n".to_owned()]).collect()
}

/// What comes of a chat answer with this body, and of every cut of it.
fn told_of(body: &str) -> golden::Told {
    golden::every_cut(Protocol::Chat, body.as_bytes());
    golden::told(Protocol::Chat, body.as_bytes())
}

const WORD: &str = r#"{"choices":[{"delta":{"content":"w "},"finish_reason":null}]}"#;
const LENGTH: &str = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;

#[test]
fn a_failure_in_a_200_keeps_the_servers_words() {
    let word = format!("data: {WORD}\n\n");
    let table = [
        (
            chat(&[WORD, r#"{"error":{"message":"engine dead"}}"#]),
            "engine dead",
        ),
        (
            format!(
                "{word}event: error\ndata: {{\"code\":\"Internal\",\"message\":\"worker died\"}}\n\ndata: [DONE]\n\n"
            ),
            "worker died",
        ),
        (
            format!("{word}event: error\n: worker died\n\ndata: [DONE]\n\n"),
            "worker died",
        ),
        (chat(&[r#"{"code":500,"msg":"busy"}"#]), "busy"),
        (
            format!("{word}error: {{\"code\":500,\"message\":\"slot unavailable\"}}\n\n"),
            "slot unavailable",
        ),
        (
            chat(&[
                WORD,
                r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#,
            ]),
            "finish reason `error`",
        ),
        (
            chat(&[
                WORD,
                r#"{"choices":[{"delta":{},"finish_reason":"abort"}]}"#,
            ]),
            "finish reason `abort`",
        ),
        (
            chat(&[r#"{"choices":null,"error_type":"E","error_message":"too long"}"#]),
            "too long",
        ),
        // A document where a stream was due, and declared.
        (
            r#"{"error":{"message":"insufficient quota"}}"#.to_owned(),
            "insufficient quota",
        ),
        (
            r#"{"code":401,"msg":"token expired","data":null}"#.to_owned(),
            "token expired",
        ),
        (
            r#"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"no balance"}}"#
                .to_owned(),
            "no balance",
        ),
    ];
    for (body, said) in table {
        let told = told_of(&body);
        assert_eq!(told.outcome, Outcome::ErrorEvent, "{body}");
        assert_eq!(told.detail.as_deref(), Some(said), "{body}");
    }
    assert_eq!(told_of("").outcome, Outcome::EndedEarly);
    let unknown = told_of(r#"{"status":"ok","result":7}"#);
    assert_eq!(unknown.outcome, Outcome::Empty);
    assert!(unknown.detail.unwrap().contains("\"result\":7"));
}

fn with_usage(usage: &str) -> String {
    let usage = format!(r#"{{"choices":[],"usage":{usage}}}"#);
    chat(&[WORD, WORD, LENGTH, &usage])
}

/// Answers of two output events, `w ` and `w `, without a count.
fn shapes() -> Vec<String> {
    let twice = |payload: &str| chat(&[payload, payload, LENGTH]);
    vec![
        twice(r#"{"error":{},"choices":[{"delta":{"content":"w "}}]}"#),
        twice(r#"{"error":"","id":null,"created":"now","choices":[{"delta":{"content":"w "}}]}"#),
        twice(
            r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"w "}]}]}}]}"#,
        ),
        twice(r#"{"choices":[{"delta":{"content":[{"type":"text","text":"w "}]}}]}"#),
        twice(
            r#"{"choices":[{"text":"w ","delta":{"content":"w "},"message":{"content":"w w w "}}]}"#,
        ),
        twice(r#"{"choices":[{"delta":{"reasoning":"w ","reasoning_content":"w "}}]}"#),
        twice(r#"{"choices":[{"message":{"content":"w "}}]}"#),
        twice(r#"{"choices":[{"delta":{"content":"w ","tool_calls":null}}]}"#),
        twice(
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"w ","arguments":{}}}]}}]}"#,
        ),
        twice(r#"{"code":0,"message":"Success","choices":[{"delta":{"content":"w "}}]}"#),
        twice(r#"{"usage":"","choices":[{"delta":{"content":"w "},"finish_reason":""}]}"#),
        twice(r#"{"usage":{"total_tokens":0},"choices":[{"delta":{"content":"w "}}]}"#),
        chat(&[
            r#"{"choices":null}"#,
            r#"{"choices":[],"x":[{}]}"#,
            WORD,
            WORD,
            LENGTH,
        ]),
        chat(&[WORD, WORD]),
        chat(&[
            WORD,
            WORD,
            r#"{"choices":[{"index":0,"finish_reason":"length"}]}"#,
        ]),
    ]
}

/// The same with a count of 2 tokens in each place that servers have for it, and without.
fn counts() -> Vec<(String, Option<u32>)> {
    let counted = r#"{"prompt_tokens":5,"completion_tokens":2}"#;
    vec![
        (with_usage(counted), Some(2)),
        (
            with_usage(r#"{"prompt_tokens":5.0,"completion_tokens":2.0}"#),
            Some(2),
        ),
        (
            with_usage(r#"{"prompt_tokens":0,"completion_tokens":0}"#),
            None,
        ),
        (
            chat(&[WORD, WORD, &format!(r#"{{"usage":{counted}}}"#)]),
            Some(2),
        ),
        (
            chat(&[
                WORD,
                WORD,
                &format!(
                    r#"{{"choices":[{{"delta":{{}},"finish_reason":"length","usage":{counted}}}]}}"#
                ),
            ]),
            Some(2),
        ),
        (
            chat(&[
                WORD,
                WORD,
                LENGTH,
                &format!(r#"{{"choices":[],"x_groq":{{"usage":{counted}}}}}"#),
            ]),
            Some(2),
        ),
        (
            chat(&[
                WORD,
                WORD,
                &format!(r#"{{"choices":[],"usage":{counted}}}"#),
                r#"{"choices":[],"usage":null}"#,
            ]),
            Some(2),
        ),
    ]
}

#[test]
fn chunks_are_read_for_what_they_say_and_not_for_their_shape() {
    let shapes = shapes().into_iter().map(|body| (body, None));
    for (body, tokens) in shapes.chain(counts()) {
        let told = told_of(&body);
        assert_eq!(told.outcome, Outcome::Completed, "{body} {:?}", told.detail);
        assert_eq!(told.text, "w w ", "{body}");
        assert_eq!(
            told.outputs.iter().filter(|output| **output).count(),
            2,
            "{body}"
        );
        assert_eq!(told.counted.output_tokens, tokens, "{body}");
        assert!(!told.counted.has_disbelieved, "{body}");
    }
    for usage in [
        r#"{"completion_tokens":-35}"#,
        r#"{"completion_tokens":4000000000}"#,
        r#"{"completion_tokens":1}"#,
    ] {
        let told = told_of(&with_usage(usage));
        assert_eq!(told.outcome, Outcome::Completed);
        assert_eq!(told.counted.output_tokens, None, "{usage}");
        assert!(told.counted.has_disbelieved, "{usage}");
    }
    let first = format!(
        r#"{{"choices":[{{"delta":{{"role":"a"}}}}],"usage":{}}}"#,
        r#"{"completion_tokens":1}"#
    );
    assert!(
        told_of(&chat(&[&first, WORD, WORD, LENGTH]))
            .counted
            .has_disbelieved
    );
    let number = r#"{"choices":[{"delta":{"content":7}}]}"#;
    assert_eq!(told_of(&chat(&[number, LENGTH])).text, "7");
}

#[test]
fn hidden_reasoning_is_told_from_what_was_streamed() {
    let usage = r#"{"choices":[],"usage":{"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":7}}}"#;
    let counted = told_of(&chat(&[WORD, WORD, LENGTH, usage])).counted;
    assert_eq!(
        (counted.output_tokens, counted.hidden_tokens),
        (Some(2), Some(7))
    );
    let thought = r#"{"choices":[{"delta":{"reasoning":"some thoughts "}}]}"#;
    let counted = told_of(&chat(&[thought, WORD, LENGTH, usage])).counted;
    assert_eq!(
        (counted.output_tokens, counted.hidden_tokens),
        (Some(9), None)
    );
}

#[test]
fn after_the_last_word_nothing_counts_whatever_the_body_does() {
    let body = format!("{TOKEN}{FINISH}data: [DONE]\n\n");
    for more in [
        TOKEN,
        "data: oops\n\n",
        "event: error\n: x\n\n",
        "data: [DONE]\n\n",
    ] {
        let (answer, end) = answer(&format!("{STREAM_HEAD}{body}{more}"));
        assert_eq!(end.outcome, Outcome::Completed, "{more}");
        assert_eq!(answer.events().len(), 2, "{more}");
    }
    let chunked = |body: &str| {
        let head = STREAM_HEAD.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n");
        format!("{head}{:x}\r\n{body}\r\n", body.len())
    };
    let mut open = Answer::new(Protocol::Completions, true);
    assert_eq!(open.push(chunked(&body).as_bytes(), Offset::ZERO), None);
    assert!(open.has_said_all());
    assert_eq!(open.leave().outcome, Outcome::Completed);
    assert!(!open.keep_alive(), "its framing has not ended");
    let garbage = format!("{}oops", chunked(&body));
    let (broken, end) = answer(&garbage);
    assert_eq!(end.outcome, Outcome::Completed);
    assert!(!broken.keep_alive());
    assert_eq!(
        outcome(&format!("{}oops", chunked(TOKEN))),
        Outcome::Malformed
    );
}

#[test]
fn a_stream_is_one_whatever_its_content_type_says() {
    let body = format!(": hi\n\n{TOKEN}{FINISH}data: [DONE]\n\n");
    for head in [
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: application/json\r\n",
        "Content-Type: Text/Event-Stream;charset=UTF-8\r\n",
        "",
    ] {
        let (answer, end) = answer(&format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}"));
        assert_eq!(end.outcome, Outcome::Completed, "{head}");
        assert_eq!(
            answer.events()[0].at,
            Offset::from_nanos(7),
            "as its bytes came"
        );
    }
    let text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nno upstream";
    let end = answer(text).1;
    assert_eq!(end.outcome, Outcome::Malformed);
    assert!(end.detail.unwrap().contains("no upstream"));
}

#[test]
fn a_compressed_stream_has_the_stamps_of_its_bytes() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut answer = Answer::new(Protocol::Completions, true);
    answer.take_head(&Head {
        status: 200,
        content_type: "text/event-stream".to_owned(),
        content_encoding: "gzip".to_owned(),
        ..Head::default()
    });
    for at in 1..=3 {
        encoder.write_all(TOKEN.as_bytes()).unwrap();
        encoder.flush().unwrap();
        let sent = std::mem::take(encoder.get_mut());
        assert_eq!(answer.body(&sent, Offset::from_nanos(at)), None);
    }
    encoder.write_all(FINISH.as_bytes()).unwrap();
    let last = encoder.finish().unwrap();
    assert_eq!(answer.body(&last, Offset::from_nanos(4)), None);
    assert_eq!(
        answer.end(Offset::from_nanos(5)).outcome,
        Outcome::Completed
    );
    let stamps: Vec<u64> = answer
        .events()
        .iter()
        .map(|event| event.at.as_nanos())
        .collect();
    assert_eq!(stamps, [1, 2, 3, 4]);
}

#[test]
fn a_coding_that_is_not_known_is_named() {
    let coded = |status: &str| {
        answer(&format!(
            "HTTP/1.1 {status}\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n\u{1}\u{2}\u{3}"
        ))
        .1
    };
    let end = coded("200 OK");
    assert_eq!(end.outcome, Outcome::Malformed);
    assert!(end.detail.unwrap().contains("`br`"));
    assert_eq!(coded("500 X").outcome, Outcome::HttpStatus { status: 500 });
}

/// Feeds a piece after the head of a stream until the answer ends; gives up after so many.
fn flooded(head: &str, piece: &str, most: usize) -> Option<(Answer, AnswerEnd)> {
    let mut answer = Answer::new(Protocol::Completions, true);
    answer.expect(20);
    let pieces = std::iter::once(head).chain(std::iter::repeat_n(piece, most));
    let end = pieces
        .map(str::as_bytes)
        .find_map(|piece| answer.push(piece, Offset::from_nanos(1)))?;
    Some((answer, end))
}

#[test]
fn an_answer_that_does_not_end_is_ended() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!(
        "data: {{\"choices\":[{{\"text\":\"{}\"}}]}}\n\n",
        "a".repeat(1 << 20)
    );
    let blanks = " ".repeat(1 << 16);
    let zeros = "0".repeat(1 << 16);
    let hints = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1 << 12);
    let pings = ": ping\n\n".repeat(1 << 13);
    let finished = format!("{STREAM_HEAD}{TOKEN}{FINISH}");
    let empty = "data: {\"choices\":[{\"text\":\"\"}]}\n\n";
    for (head, piece) in [
        (STREAM_HEAD, TOKEN),
        (STREAM_HEAD, empty),
        (STREAM_HEAD, &long),
        (STREAM_HEAD, &pings),
        (STREAM_HEAD, "data: {\"choices\":[]}\n\n"),
        (&finished, TOKEN),
        (CHUNKED, &zeros),
        (&format!("{CHUNKED}5;"), &blanks),
        ("HTTP/1.1 200 OK\r\n\r\n{", &blanks),
        ("", &hints),
    ] {
        let (answer, end) = flooded(head, piece, 1 << 22).expect(head);
        assert_eq!(end.outcome, Outcome::Malformed, "{head:?}");
        let detail = end.detail.unwrap();
        assert!(detail.contains("does not end"), "{head:?}: {detail}");
        assert!(answer.events().len() < 1 << 18, "{head:?}");
        assert!(answer.text().unwrap().len() < 1 << 22, "{head:?}");
    }
    let (_, end) = flooded("HTTP/1.1 500 X\r\n\r\n", &blanks, 1 << 22).unwrap();
    assert_eq!(end.outcome, Outcome::HttpStatus { status: 500 });
}

#[test]
fn an_answer_much_longer_than_was_asked_for_is_read_to_its_end() {
    let tokens = 100_000;
    let mut answer = Answer::new(Protocol::Completions, true);
    answer.expect(20);
    let at = Offset::from_nanos(1);
    assert_eq!(answer.push(STREAM_HEAD.as_bytes(), at), None);
    for _ in 0..tokens {
        assert_eq!(answer.push(TOKEN.as_bytes(), at), None);
    }
    let end = answer.push(format!("{FINISH}data: [DONE]\n\n").as_bytes(), at);
    assert_eq!(end.unwrap().outcome, Outcome::Completed);
    assert_eq!(answer.text().unwrap().len(), 2 * tokens);
}
