//! Each fault's bytes on a real socket.
#![cfg(feature = "server")]

mod common;

use common::{chat, completion, faulty, post, send, stream};
use plimsoll_sim::Faults;
use std::io::Read;
use std::time::Duration;

#[test]
fn errors_and_rejections_have_their_status() {
    let server = faulty(Faults {
        error_share: 1.0,
        ..Faults::default()
    });
    let reply = stream(&server, 4);
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (500, &500.into())
    );
    let server = faulty(Faults {
        reject_share: 1.0,
        ..Faults::default()
    });
    let reply = stream(&server, 4);
    assert_eq!(reply.status, 429);
    assert!(reply.head.contains("retry-after: 1"));
    assert_eq!(server.truth().n_failed, 1);
}

#[test]
fn a_cut_resets_after_half_of_the_tokens() {
    let server = faulty(Faults {
        cut_share: 1.0,
        ..Faults::default()
    });
    let reply = stream(&server, 8);
    assert!(!reply.complete && reply.reset, "{reply:?}");
    assert_eq!(reply.output().split_whitespace().count(), 4);
    assert!(!reply.text().contains("[DONE]"));
    let whole = r#"{"prompt":"a","max_tokens":8,"ignore_eos":true}"#;
    let reply = post(&server, "/v1/completions", whole);
    assert!(
        !reply.complete && reply.reset && !reply.body.is_empty(),
        "{reply:?}"
    );
    assert_eq!(server.truth().n_failed, 2);
}

#[test]
fn a_stall_is_one_gap_in_the_middle() {
    let server = faulty(Faults {
        stall_share: 1.0,
        stall_ms: 150,
        ..Faults::default()
    });
    let reply = stream(&server, 8);
    assert!(reply.complete);
    let itl = server.truth().itl_ms.expect("gaps");
    assert!(itl.max >= 150.0, "{itl:?}");
    assert!(itl.p50 < 75.0, "{itl:?}");
}

#[test]
fn a_request_that_is_never_answered_stays_open() {
    let server = faulty(Faults {
        never_answer_share: 1.0,
        ..Faults::default()
    });
    let mut open = send(&server, "POST", "/v1/completions", &completion(4));
    open.set_read_timeout(Some(Duration::from_millis(100)))
        .expect("a timeout");
    open.read(&mut [0]).expect_err("nothing comes");
    assert_eq!(server.truth().in_flight, 1);
}

#[test]
fn an_error_event_ends_a_stream_that_began_well() {
    let server = faulty(Faults {
        error_event_share: 1.0,
        ..Faults::default()
    });
    let reply = stream(&server, 8);
    assert!(reply.status == 200 && reply.complete);
    let events = reply.events();
    assert_eq!(events.len(), 5);
    assert_eq!(events[4]["error"]["code"], 500);
    assert!(!reply.text().contains("[DONE]"));
}

#[test]
fn an_early_end_is_clean_but_without_reason_or_done() {
    let server = faulty(Faults {
        early_end_share: 1.0,
        ..Faults::default()
    });
    let reply = stream(&server, 8);
    assert!(reply.complete);
    assert_eq!(reply.events().len(), 4);
    assert!(
        reply
            .events()
            .iter()
            .all(|event| event["choices"][0]["finish_reason"].is_null())
    );
    assert!(!reply.text().contains("[DONE]"));
}

#[test]
fn an_empty_stream_finishes_without_output() {
    let server = faulty(Faults {
        empty_share: 1.0,
        ..Faults::default()
    });
    let reply = stream(&server, 8);
    assert!(reply.complete);
    assert_eq!(reply.output(), "");
    assert_eq!(reply.events()[0]["choices"][0]["finish_reason"], "stop");
    assert_eq!(reply.events()[1]["usage"]["completion_tokens"], 0);
    assert_eq!(reply.data().last(), Some(&"[DONE]"));
    assert_eq!(server.truth().n_failed, 1);
}

#[test]
fn comments_come_before_the_first_token_and_between_tokens() {
    let server = faulty(Faults {
        comments: true,
        ..Faults::default()
    });
    let reply = stream(&server, 3);
    assert!(reply.text().starts_with(": ping\n\ndata: {"));
    assert_eq!(reply.text().matches(": ping\n\n").count(), 3);
    assert_eq!(reply.output().split_whitespace().count(), 3);
}

#[test]
fn line_ends_and_the_space_can_be_unusual() {
    let server = faulty(Faults {
        crlf: true,
        no_space: true,
        ..Faults::default()
    });
    let reply = stream(&server, 3);
    assert!(reply.text().starts_with("data:{"));
    assert!(reply.text().ends_with("}\r\n\r\ndata:[DONE]\r\n\r\n"));
    assert_eq!(
        reply.text().matches('\n').count(),
        reply.text().matches("\r\n").count()
    );
}

#[test]
fn split_writes_arrive_apart_and_whole() {
    let faults = Faults {
        multibyte: true,
        ..Faults::default()
    };
    let split = faulty(Faults {
        split: true,
        ..faults.clone()
    });
    let reply = stream(&split, 30);
    assert_eq!(reply.data().last(), Some(&"[DONE]"));
    let whole = stream(&faulty(faults), 30);
    assert_eq!(reply.output(), whole.output());
    assert_eq!(whole.torn_reads, 0);
    // Of 30 cuts a late reader may miss some, for the kernel joins what is not read.
    assert!(reply.torn_reads > 0);
}

#[test]
fn the_role_can_come_long_before_the_first_token() {
    let server = faulty(Faults {
        role_delay_ms: Some(120),
        ..Faults::default()
    });
    let mut open = send(&server, "POST", "/v1/chat/completions", &chat(3));
    let mut seen = Vec::new();
    while !seen.ends_with(b"\n\n") {
        let mut byte = [0];
        open.read_exact(&mut byte).expect("the head and the role");
        seen.push(byte[0]);
    }
    assert_eq!(server.truth().n_completed, 0);
    assert!(
        String::from_utf8(seen)
            .expect("UTF-8")
            .contains(r#""role":"assistant""#)
    );
    let mut rest = String::new();
    open.read_to_string(&mut rest).expect("the rest");
    assert!(!rest.contains(r#""role""#) && rest.contains("[DONE]"));
    assert!(server.truth().ttft_ms.expect("a first token").p50 >= 120.0);
}

#[test]
fn tokens_can_share_events() {
    let server = faulty(Faults {
        tokens_per_event: 3,
        ..Faults::default()
    });
    let reply = stream(&server, 8);
    let words: Vec<_> = reply
        .events()
        .iter()
        .filter_map(|event| event["choices"][0]["text"].as_str())
        .map(|text| text.split_whitespace().count())
        .collect();
    assert_eq!(words, [3, 3, 2]);
    assert_eq!(reply.events()[3]["usage"]["completion_tokens"], 8);
    assert_eq!(server.truth().itl_ms.expect("gaps").n, 2);
    assert_eq!(server.truth().output_tokens, 8);
}

#[test]
fn usage_can_be_missing_or_in_the_finish_chunk() {
    let server = faulty(Faults {
        no_usage: true,
        ..Faults::default()
    });
    assert!(!stream(&server, 3).text().contains("usage"));
    let server = faulty(Faults {
        usage_in_last_choice: true,
        ..Faults::default()
    });
    let events = stream(&server, 3).events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[2]["usage"]["completion_tokens"], 3);
    assert_eq!(events[2]["choices"][0]["finish_reason"], "length");
}

#[test]
fn output_can_be_chinese() {
    let server = faulty(Faults {
        multibyte: true,
        ..Faults::default()
    });
    let output = stream(&server, 6).output();
    assert_eq!(output.split_whitespace().count(), 6);
    assert!(
        output
            .chars()
            .filter(|c| !c.is_whitespace())
            .all(|c| c.len_utf8() == 3)
    );
}
