//! Servers that speak the protocol in odd pieces, or break off in the middle.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::run::Endpoint;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
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
        &source(Endpoint::Completions),
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
        assert_eq!(one.record.events.len(), 2);
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
