//! Requests that a server refuses, resets or does not look at.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::runner::Go;

use super::peer::{DATA, GO_AWAY, Peer, RST_STREAM, SETTINGS, Script, TOKEN, frame, head, serve};
use crate::batch::{Batch, BatchPlan, run_batch};
use crate::clock::Clock;
use crate::fetch::{self, FetchError};
use crate::source::{Built, RequestSource};
use crate::target::{HttpChoice, Target};

const PATIENCE: Duration = Duration::from_secs(60);
const CANCEL: u8 = 8;
const REFUSED_STREAM: u8 = 7;

struct Hello;

impl RequestSource for Hello {
    fn build(&self, _index: u64) -> Built {
        Built {
            path: "/v1/completions".to_owned(),
            body: b"{}".to_vec(),
            ..Built::default()
        }
    }
}

fn target(address: SocketAddr) -> Target {
    let mut target = Target::parse(&address.to_string()).unwrap();
    target.http = HttpChoice::Http2;
    target
}

/// Sends requests, `at_once` in flight, to a server that plays these scripts.
fn batch(scripts: Vec<Script>, count: usize, at_once: u32) -> Batch {
    let (address, server) = serve(scripts);
    let plan = BatchPlan {
        dues: vec![Duration::ZERO; count],
        max_concurrency: Some(at_once),
        timeout: PATIENCE,
        keep_text: false,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    };
    let source: Arc<dyn RequestSource> = Arc::new(Hello);
    let target = target(address);
    let batch = run_batch(&target, &source, &plan, Clock::start(), &mut |_| Go::On).unwrap();
    server.join().unwrap();
    batch
}

fn ends(batch: &Batch) -> Vec<(Outcome, Option<&str>)> {
    let records = batch.records.iter().map(|one| &one.record);
    records
        .map(|record| (record.outcome, record.detail.as_deref()))
        .collect()
}

fn reset(stream: u32, code: u8) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &[0, 0, 0, code])
}

fn go_away(last_stream: u8) -> Vec<u8> {
    frame(GO_AWAY, 0, 0, &[0, 0, 0, last_stream, 0, 0, 0, 0])
}

/// Settings: ten streams at once.
const TEN_STREAMS: [u8; 6] = [0, 3, 0, 0, 0, 10];

/// The server answers nobody before it has seen all: a request that waited for another would wait
/// for ever.
#[test]
fn no_request_waits_for_another_where_a_connection_takes_ten() {
    static ASKED: Mutex<Vec<(Peer<TcpStream>, u32)>> = Mutex::new(Vec::new());
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet_with(&TEN_STREAMS);
        while let Some(stream) = peer.next_request() {
            let mut asked = ASKED.lock().unwrap();
            asked.push((Peer(peer.0.try_clone().unwrap()), stream));
            if asked.len() == 25 {
                for (mut peer, stream) in asked.drain(..) {
                    peer.answer(stream);
                }
            }
        }
    };
    let batch = batch(vec![script; 3], 25, 25);
    assert_eq!(ends(&batch), [(Outcome::Completed, None); 25]);
    assert_eq!(batch.client.connections_opened, 3);
    assert_eq!(batch.peak_in_flight, 25);
}

#[test]
fn a_stream_that_is_reset_fails_alone() {
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let streams = [peer.request(), peer.request(), peer.request()];
        peer.send(&reset(streams[1], CANCEL));
        peer.answer(streams[0]);
        peer.answer(streams[2]);
    };
    let batch = batch(vec![script], 3, 3);
    let completed = (Outcome::Completed, None);
    let cancelled = (Outcome::Reset, Some("RST_STREAM CANCEL"));
    assert_eq!(ends(&batch), [completed, cancelled, completed]);
    assert_eq!(batch.client.connections_opened, 1);
    assert_eq!(batch.client.idle_retries, 0);
}

#[test]
fn a_stream_that_is_reset_in_the_middle_is_not_sent_again() {
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        let begun = [head(stream), frame(DATA, 0, stream, TOKEN.as_bytes())];
        peer.send(&[&begun.concat()[..], &reset(stream, REFUSED_STREAM)].concat());
    };
    let batch = batch(vec![script], 1, 1);
    assert_eq!(
        ends(&batch),
        [(Outcome::Reset, Some("RST_STREAM REFUSED_STREAM"))]
    );
    assert_eq!(batch.client.idle_retries, 0);
}

#[test]
fn a_refused_stream_is_sent_once_more_on_another_connection() {
    let refuse = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        peer.send(&reset(stream, REFUSED_STREAM));
    };
    let answer = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        peer.answer(stream);
    };
    let once = batch(vec![refuse, answer], 1, 1);
    assert_eq!(ends(&once), [(Outcome::Completed, None)]);
    assert_eq!(once.client.idle_retries, 1);
    assert_eq!(once.client.connections_opened, 2);
    let twice = batch(vec![refuse, refuse], 1, 1);
    assert_eq!(
        ends(&twice),
        [(Outcome::Reset, Some("RST_STREAM REFUSED_STREAM"))]
    );
    assert_eq!(twice.client.idle_retries, 1);
}

#[test]
fn a_connection_that_closes_as_it_is_used_again_costs_no_request() {
    let leave = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        peer.answer(stream);
        let _ = peer.request();
        peer.0.shutdown(std::net::Shutdown::Write).unwrap();
    };
    let stay = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        peer.answer(stream);
    };
    let reused = batch(vec![leave, stay], 2, 1);
    assert_eq!(ends(&reused), [(Outcome::Completed, None); 2]);
    assert_eq!(reused.client.idle_retries, 1);
    // On a new connection it is no race: the server does not answer.
    let mute = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let _ = peer.request();
        peer.0.shutdown(std::net::Shutdown::Write).unwrap();
    };
    let fresh = batch(vec![mute], 1, 1);
    assert_eq!(fresh.records[0].record.outcome, Outcome::Reset);
    assert_eq!(fresh.client.idle_retries, 0);
}

#[test]
fn a_server_that_goes_away_finishes_what_it_has_begun() {
    let leave = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let streams = [peer.request(), peer.request()];
        assert_eq!(streams, [1, 3]);
        // It has begun with the first and not looked at the second.
        peer.send(&go_away(1));
        peer.answer(1);
    };
    let stay = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        for _ in 0..2 {
            let stream = peer.request();
            peer.answer(stream);
        }
    };
    let batch = batch(vec![leave, stay], 3, 2);
    assert_eq!(ends(&batch), [(Outcome::Completed, None); 3]);
    assert_eq!(batch.client.idle_retries, 1);
    assert_eq!(batch.client.connections_opened, 2);
}

#[test]
fn a_request_that_a_leaving_server_has_begun_is_not_sent_again() {
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        let begun = [
            go_away(1),
            head(stream),
            frame(DATA, 0, stream, TOKEN.as_bytes()),
        ];
        peer.send(&begun.concat());
        peer.0.shutdown(std::net::Shutdown::Write).unwrap();
    };
    let batch = batch(vec![script], 1, 1);
    assert_eq!(batch.records[0].record.outcome, Outcome::Reset);
    assert_eq!(batch.records[0].record.events().len(), 1);
    assert_eq!(batch.client.idle_retries, 0);
}

#[test]
fn an_answer_that_breaks_the_rules_is_malformed() {
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        // Settings belong to the connection, not to a stream.
        peer.send(&[head(stream), frame(SETTINGS, 0, stream, &[])].concat());
    };
    let batch = batch(vec![script], 1, 1);
    let (outcome, detail) = ends(&batch)[0];
    assert_eq!(outcome, Outcome::Malformed);
    assert!(
        detail.unwrap().starts_with("not HTTP/2: PROTOCOL_ERROR"),
        "{detail:?}"
    );
}

#[test]
fn a_server_without_http2_is_told_as_such_with_the_way_out() {
    let http1 = |peer: &mut Peer<TcpStream>| {
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    };
    let mute = |peer: &mut Peer<TcpStream>| {
        peer.0.shutdown(std::net::Shutdown::Write).unwrap();
    };
    let none = |peer: &mut Peer<TcpStream>| {
        peer.greet_with(&[0, 3, 0, 0, 0, 0]);
    };
    let table: [(Script, &str); 3] = [
        (http1, "no HTTP/2: the server answers in HTTP/1.1"),
        (mute, "no HTTP/2: the server closed the connection"),
        (none, "no HTTP/2: the server takes no streams"),
    ];
    for (script, expected) in table {
        let (address, server) = serve(vec![script]);
        let error = fetch::get(&target(address), "/v1/models", PATIENCE).unwrap_err();
        let FetchError::Connect { source, .. } = &error else {
            panic!("{error}");
        };
        assert!(source.to_string().starts_with(expected), "{source}");
        server.join().unwrap();
        let failed = batch(vec![script], 1, 1);
        let (outcome, detail) = ends(&failed)[0];
        assert_eq!(outcome, Outcome::Connect);
        assert!(detail.unwrap().starts_with(expected), "{detail:?}");
    }
}

#[test]
fn a_connection_that_cannot_be_made_fails_all_who_wait_for_it() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let plan = BatchPlan {
        dues: vec![Duration::ZERO; 5],
        max_concurrency: None,
        timeout: PATIENCE,
        keep_text: false,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    };
    let source: Arc<dyn RequestSource> = Arc::new(Hello);
    let target = target(address);
    let batch = run_batch(&target, &source, &plan, Clock::start(), &mut |_| Go::On).unwrap();
    let outcomes = ends(&batch).into_iter().map(|(outcome, _)| outcome);
    assert!(outcomes.eq([Outcome::Connect; 5]));
    assert!(batch.records.iter().all(|one| one.record.sent.is_none()));
}
