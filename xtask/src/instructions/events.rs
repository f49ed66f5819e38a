//! The path of one output event through the wire parsers, again and again.

use plimsoll_core::protocol::{Answer, Protocol};
use plimsoll_core::time::Offset;

const EVENTS_PER_ANSWER: u64 = 100;

/// Reads answers of 100 events each until `count` events are read.
///
/// # Panics
/// If an answer has no end, or another number of events: then nothing was counted.
pub(crate) fn read(protocol: Protocol, count: u64) {
    let head = head(protocol);
    // Two kinds in turn, as the times of creation differ.
    let events = ["2026-11-27T12:00:00.123456789Z", "2026-11-27T12:00:00.15Z"]
        .map(|at| chunk(&event(protocol, at)));
    let last = chunk(last(protocol));
    let mut answer = Answer::new(protocol, false);
    let mut seen = 0;
    for _ in 0..count / EVENTS_PER_ANSWER {
        answer.reset();
        let mut at = 0;
        let mut push = |bytes: &[u8]| {
            at += 1;
            answer.push(bytes, Offset::from_nanos(at))
        };
        push(head.as_bytes());
        for event in events.iter().cycle().take(EVENTS_PER_ANSWER as usize) {
            push(event);
        }
        push(&last);
        let end = push(b"0\r\n\r\n");
        assert!(end.is_some(), "an answer has an end");
        seen += answer.take_events().len() as u64;
    }
    assert_eq!(seen, count / EVENTS_PER_ANSWER * EVENTS_PER_ANSWER);
}

fn head(protocol: Protocol) -> String {
    let content_type = protocol.framing().content_type();
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n")
}

/// An output event as a server of the protocol writes it.
fn event(protocol: Protocol, created_at: &str) -> String {
    match protocol {
        Protocol::Completions => concat!(
            r#"data: {"id":"cmpl-0123456789abcdef","object":"text_completion","created":1760000000,"#,
            r#""model":"meta-llama/Llama-3.1-8B-Instruct","choices":[{"index":0,"text":" ship","#,
            r#""logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":null}"#,
            "\n\n"
        )
        .to_owned(),
        Protocol::Chat => concat!(
            r#"data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","#,
            r#""created":1760000000,"model":"meta-llama/Llama-3.1-8B-Instruct","#,
            r#""choices":[{"index":0,"delta":{"content":" ship"},"logprobs":null,"#,
            r#""finish_reason":null}]}"#,
            "\n\n"
        )
        .to_owned(),
        Protocol::Ollama => format!(
            "{{\"model\":\"llama3.1:8b\",\"created_at\":\"{created_at}\",\
             \"message\":{{\"role\":\"assistant\",\"content\":\" ship\"}},\"done\":false}}\n"
        ),
        Protocol::Anthropic => concat!(
            "event: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":0,"#,
            r#""delta":{"type":"text_delta","text":" ship"}}"#,
            "\n\n"
        )
        .to_owned(),
    }
}

/// What ends a stream.
fn last(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Completions | Protocol::Chat => "data: [DONE]\n\n",
        Protocol::Ollama => "{\"done\":true}\n",
        Protocol::Anthropic => "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    }
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}
