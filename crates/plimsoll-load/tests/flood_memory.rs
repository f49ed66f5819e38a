//! What a server sends without end does not fill the client's memory. This test has a process of its
//! own, whose peak of memory no other test moves.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::source::{Built, RequestSource};
use plimsoll_load::target::Target;

/// Bytes of one answer.
const FLOOD_BYTES: usize = 256 << 20;
/// What the client's memory may grow by: a part of the flood, and some times what it keeps of an
/// event or a body. A client that kept all of an answer would need the whole flood.
const MOST_KB: u64 = 32 << 10;

/// An answer that is one block of bytes, again and again, between its head and its end.
#[derive(Clone)]
struct Answer {
    head: &'static str,
    block: String,
    end: &'static str,
}

struct Ask;

impl RequestSource for Ask {
    fn build(&self, _index: u64) -> Built {
        Built {
            path: "/v1/completions".to_owned(),
            ..Built::default()
        }
    }
}

fn pour(mut socket: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let _ = socket.read(&mut [0; 4_096])?;
    socket.write_all(answer.head.as_bytes())?;
    for _ in 0..FLOOD_BYTES / answer.block.len() {
        socket.write_all(answer.block.as_bytes())?;
    }
    socket.write_all(answer.end.as_bytes())
}

/// How a request ends that is answered like this.
fn outcome(answer: Answer) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let server = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        // The client may have had enough of it.
        pour(socket, &answer).unwrap_or_default();
    });
    let plan = BatchPlan {
        dues: vec![Duration::ZERO],
        max_concurrency: None,
        timeout: Duration::from_secs(300),
        keep_text: true,
        first_index: 0,
        workers: 1,
        keep_alive: false,
    };
    let source: Arc<dyn RequestSource> = Arc::new(Ask);
    let batch = run_batch(&target, &source, &plan, Clock::start(), &mut |_| Go::On).unwrap();
    server.join().unwrap();
    batch.records[0].record.outcome
}

/// The largest memory that this process has had, in KB.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().split_whitespace().next();
    number.unwrap().parse().unwrap()
}

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const TOKEN: &str = "data: {\"choices\":[{\"text\":\" a\",\"finish_reason\":\"stop\"}]}\n\n";

#[test]
fn no_answer_is_kept_whole_in_memory() {
    let comment = format!(": {}\n\n", "ping".repeat(256));
    let table = [
        ("comments", STREAM, &*comment, Outcome::Malformed),
        (
            "one line",
            STREAM,
            "data: ever and ever",
            Outcome::Malformed,
        ),
        ("one comment", STREAM, ": ever and ever", Outcome::Malformed),
        ("one event", STREAM, "data: ever\n", Outcome::Malformed),
        (
            "a refusal",
            "HTTP/1.1 500 Oh\r\n\r\n",
            "no",
            Outcome::HttpStatus { status: 500 },
        ),
        ("JSON", "HTTP/1.1 200 OK\r\n\r\n", " ", Outcome::Malformed),
    ];
    for (what, head, text, expected) in table {
        let answer = Answer {
            head,
            block: text.repeat((1 << 20) / text.len()),
            end: TOKEN,
        };
        let before = peak_kb();
        assert_eq!(outcome(answer), expected, "{what}");
        let grown = peak_kb() - before;
        assert!(grown < MOST_KB, "{what}: {grown} KB");
    }
}
