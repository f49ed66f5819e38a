//! The path of one output event through the wire parsers, again and again: what `cargo xtask
//! instructions` counts. `per_event N` reads answers of 100 events until N events are read.

use plimsoll_core::protocol::{Answer, Protocol};
use plimsoll_core::time::Offset;

const EVENTS_PER_ANSWER: u64 = 100;
const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

fn main() {
    let count: u64 = std::env::args()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(EVENTS_PER_ANSWER);
    let event = chunk(
        "data: {\"id\":\"cmpl-0123456789abcdef\",\"object\":\"text_completion\",\"created\":1760000000,\
         \"model\":\"meta-llama/Llama-3.1-8B-Instruct\",\"choices\":[{\"index\":0,\"text\":\" ship\",\
         \"logprobs\":null,\"finish_reason\":null,\"stop_reason\":null}],\"usage\":null}\n\n",
    );
    let done = chunk("data: [DONE]\n\n");
    let mut answer = Answer::new(Protocol::Completions, false);
    let mut seen = 0;
    for _ in 0..count / EVENTS_PER_ANSWER {
        answer.reset();
        let mut at = 0;
        let mut push = |bytes: &[u8]| {
            at += 1;
            answer.push(bytes, Offset::from_nanos(at))
        };
        push(HEAD);
        for _ in 0..EVENTS_PER_ANSWER {
            push(&event);
        }
        push(&done);
        let end = push(b"0\r\n\r\n");
        assert!(end.is_some(), "an answer has an end");
        seen += answer.take_events().len() as u64;
    }
    assert_eq!(seen, count / EVENTS_PER_ANSWER * EVENTS_PER_ANSWER);
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}
