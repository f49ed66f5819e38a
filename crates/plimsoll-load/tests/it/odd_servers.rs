//! Servers that speak the protocol in odd pieces, or break off in the middle.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::source::{Built, RequestSource};
use plimsoll_load::target::Target;

use super::raw::{
    CHUNKED, END, TO_THE_CLOSE, TOKEN, chunk, read_request, reset, say, serve, until_closed,
    whole_answer,
};
use super::{PATIENCE, source};

/// One request after another.
fn plan(count: usize) -> BatchPlan {
    BatchPlan {
        dues: vec![Duration::ZERO; count],
        max_concurrency: Some(1),
        timeout: PATIENCE,
        keep_text: true,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    }
}

fn run(target: &Target, plan: &BatchPlan) -> Batch {
    run_batch(
        target,
        &source(Protocol::Completions),
        plan,
        Clock::start(),
        &mut |_| Go::On,
    )
    .unwrap()
}

fn outcomes(batch: &Batch) -> Vec<Outcome> {
    batch.records.iter().map(|one| one.record.outcome).collect()
}

#[test]
fn an_answer_may_come_byte_by_byte() {
    let target = serve(|_, mut socket| {
        while read_request(&mut socket) {
            for byte in whole_answer().as_bytes() {
                say(&mut socket, &char::from(*byte).to_string());
            }
        }
    });
    let batch = run(&target, &plan(3));
    assert_eq!(outcomes(&batch), [Outcome::Completed; 3]);
    for one in &batch.records {
        assert_eq!(one.text.as_deref(), Some(" a"));
        assert_eq!(one.record.events().len(), 2);
    }
    assert_eq!(batch.client.connections_opened, 1, "the connection is kept");
}

/// How a server ends a connection.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It sends nothing more, and reads on.
    HalfClose,
    /// It resets.
    Reset,
}

/// What comes of an answer that breaks off after `said`.
fn broken_off(said: String, end: End) -> (Outcome, Option<String>) {
    let target = serve(move |_, mut socket| {
        if read_request(&mut socket) {
            say(&mut socket, &said);
            break_off(&mut socket, end);
        }
    });
    let batch = run(&target, &plan(1));
    let one = batch.records.into_iter().next().unwrap();
    (one.record.outcome, one.text)
}

fn break_off(socket: &mut TcpStream, end: End) {
    match end {
        End::HalfClose => {
            socket.shutdown(Shutdown::Write).unwrap();
            until_closed(socket);
        }
        End::Reset => reset(socket),
    }
}

#[test]
fn an_answer_that_breaks_off_is_a_reset_or_ends_early() {
    let half = &TOKEN[..12];
    let begun = chunk(TOKEN);
    let table = [
        (String::new(), Outcome::Reset, Outcome::Reset),
        (CHUNKED[..20].to_owned(), Outcome::Reset, Outcome::Reset),
        (CHUNKED.to_owned(), Outcome::Reset, Outcome::Reset),
        (
            format!("{CHUNKED}{begun}{}", chunk(half)),
            Outcome::Reset,
            Outcome::Reset,
        ),
        (
            format!("{CHUNKED}{begun}{}", &begun[..12]),
            Outcome::Reset,
            Outcome::Reset,
        ),
        // Here the close is the end that HTTP asks for, but the stream has none of its own.
        (
            format!("{TO_THE_CLOSE}{TOKEN}{half}"),
            Outcome::EndedEarly,
            Outcome::Reset,
        ),
    ];
    for (said, closed, was_reset) in table {
        assert_eq!(broken_off(said.clone(), End::HalfClose).0, closed, "{said}");
        assert_eq!(broken_off(said.clone(), End::Reset).0, was_reset, "{said}");
    }
}

#[test]
fn nothing_is_lost_when_only_the_end_of_http_is_missing() {
    let said = format!("{CHUNKED}{}{}", chunk(TOKEN), chunk(END));
    for end in [End::HalfClose, End::Reset] {
        let (outcome, text) = broken_off(said.clone(), end);
        assert_eq!(outcome, Outcome::Completed, "{end:?}");
        assert_eq!(text.as_deref(), Some(" a"), "{end:?}");
    }
}

/// Gateways that keep the connection of a stream open and never end its framing.
#[test]
fn an_answer_is_complete_at_its_last_word_though_its_framing_never_ends() {
    let target = serve(|_, mut socket| {
        if read_request(&mut socket) {
            let said = format!("{CHUNKED}{}{}", chunk(TOKEN), chunk(END));
            say(&mut socket, &said);
            until_closed(&mut socket);
        }
    });
    let batch = run(&target, &plan(8));
    assert_eq!(outcomes(&batch), [Outcome::Completed; 8]);
    for one in &batch.records {
        let last = one.record.events().last().unwrap();
        assert_eq!(
            one.record.done, last.at,
            "not when nothing more was waited for"
        );
    }
    assert_eq!(batch.client.connections_opened, 8, "each is dropped");
}

#[test]
fn an_end_of_framing_that_comes_on_its_own_keeps_the_connection() {
    let target = serve(|_, mut socket| {
        while read_request(&mut socket) {
            let said = format!("{CHUNKED}{}{}", chunk(TOKEN), chunk(END));
            say(&mut socket, &said);
            say(&mut socket, "0\r\n\r\n");
        }
    });
    let batch = run(&target, &plan(4));
    assert_eq!(outcomes(&batch), [Outcome::Completed; 4]);
    assert_eq!(batch.client.connections_opened, 1);
}

#[test]
fn a_server_that_accepts_and_closes_at_once_resets_each_request() {
    let target = serve(|_, socket| drop(socket));
    let batch = run(&target, &plan(5));
    assert_eq!(outcomes(&batch), [Outcome::Reset; 5]);
    // A connection that is new was not closed for being idle: nothing is sent twice.
    assert_eq!(batch.client.idle_retries, 0);
    assert_eq!(batch.client.connections_opened, 5);
}

/// A server whose every connection answers one request, and closes when the next one comes, as if
/// it had done so just before.
fn closes_idle_connections(requests: &Arc<AtomicUsize>, end: End) -> Target {
    let requests = Arc::clone(requests);
    serve(move |_, mut socket| {
        let _ = requests.fetch_add(1, Ordering::Relaxed);
        if read_request(&mut socket) {
            say(&mut socket, &whole_answer());
        }
        if read_request(&mut socket) {
            break_off(&mut socket, end);
        }
    })
}

/// The client takes a close for one of an idle connection if it comes within 100 ms of the send. A
/// machine that is busy with other things may be late once, not each time.
#[test]
fn a_request_on_a_connection_that_was_just_closed_is_sent_again_and_counted() {
    for end in [End::HalfClose, End::Reset] {
        let connections = Arc::new(AtomicUsize::new(0));
        let target = closes_idle_connections(&connections, end);
        let batches = std::iter::repeat_with(|| {
            let before = connections.load(Ordering::Relaxed);
            let batch = run(&target, &plan(4));
            (batch, connections.load(Ordering::Relaxed) - before)
        });
        let good = batches.take(20).find(|(batch, connections)| {
            outcomes(batch) == [Outcome::Completed; 4]
                && batch.client.idle_retries == 3
                && batch.client.connections_opened == 4
                && *connections == 4
        });
        let (batch, _) = good.expect("each request but the first is sent again");
        for one in &batch.records {
            assert_eq!(one.text.as_deref(), Some(" a"), "{end:?}");
        }
    }
}

/// Requests with a body that does not fit into the buffers of a socket.
struct Long;

/// More than both sides of a connection hold: 4 MB in Linux's largest send buffer, and what the
/// server's small receive buffer takes.
const LONG_BYTES: usize = 16 << 20;

impl RequestSource for Long {
    fn build(&self, _index: u64) -> Built {
        Built {
            path: "/v1/completions".to_owned(),
            body: vec![b' '; LONG_BYTES],
            asked_prompt_tokens: 1,
            asked_output_tokens: 1,
            ..Built::default()
        }
    }
}

/// Sends `count` long requests to a server that answers when the first bytes of one are there, and
/// then does `and_then`.
fn answers_early(
    count: usize,
    answer: String,
    and_then: impl Fn(&mut TcpStream) + Clone + Send + 'static,
) -> Batch {
    let target = serve(move |_, mut socket| {
        setsockopt(&socket, sockopt::RcvBuf, &65_536).unwrap();
        if std::io::Read::read(&mut socket, &mut [0; 256]).is_ok() {
            say(&mut socket, &answer);
            and_then(&mut socket);
        }
    });
    let source: Arc<dyn RequestSource> = Arc::new(Long);
    run_batch(&target, &source, &plan(count), Clock::start(), &mut |_| {
        Go::On
    })
    .unwrap()
}

const REFUSAL: &str = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig";

#[test]
fn an_answer_counts_before_the_request_is_read_to_its_end() {
    let refused = Outcome::HttpStatus { status: 413 };
    // It closes, and what was not read makes that a reset.
    let closed = answers_early(2, REFUSAL.to_owned(), |_| {});
    assert_eq!(outcomes(&closed), [refused; 2]);
    // It reads nothing more and leaves the connection open for good.
    let left_open = answers_early(2, REFUSAL.to_owned(), |socket| {
        std::mem::forget(socket.try_clone().unwrap());
    });
    assert_eq!(outcomes(&left_open), [refused; 2]);
    assert_eq!(left_open.records[0].record.detail.as_deref(), Some("big"));
    // The rest of a request is on such a connection: it carries no other.
    assert_eq!(left_open.client.connections_opened, 2);
}

#[test]
fn a_request_is_sent_to_its_end_while_its_answer_comes() {
    let begun = format!("{CHUNKED}{}", chunk(TOKEN));
    let batch = answers_early(1, begun, |socket| {
        let mut left = LONG_BYTES - 256;
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            match std::io::Read::read(socket, &mut buffer) {
                Ok(count) if count > 0 => left = left.saturating_sub(count),
                _ => return,
            }
        }
        say(socket, &format!("{}0\r\n\r\n", chunk(END)));
        until_closed(socket);
    });
    assert_eq!(outcomes(&batch), [Outcome::Completed]);
}
