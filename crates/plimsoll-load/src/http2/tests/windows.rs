//! How much a server may send ahead.

use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use plimsoll_core::outcome::Outcome;
use tokio::task::LocalSet;

use super::peer::{DATA, Peer, Script, WINDOW_UPDATE, frame, head, serve};
use crate::clock::Clock;
use crate::connection::Connection;
use crate::http2::connection::STREAM_WINDOW;
use crate::http2::{Fault, Http2Connection, Incoming};
use crate::runtime;
use crate::stamps::Stamps;

/// The largest frame that is allowed.
const FRAME: usize = 16_384;
/// Frames of a long answer.
const FRAMES: usize = 64;

fn flood(peer: &mut Peer<TcpStream>) {
    peer.send(&frame(DATA, 0, 1, &[b'x'; FRAME]));
}

/// Reads until the client gives room on the stream, and says how much.
fn room_given(peer: &mut Peer<TcpStream>) -> usize {
    loop {
        let frame = peer.next_frame().unwrap();
        if (frame.kind, frame.stream) == (WINDOW_UPDATE, 1) {
            let bytes = frame.payload.try_into().unwrap();
            return u32::from_be_bytes(bytes) as usize;
        }
    }
}

/// Asks a server that plays this script, and reads the answer by `read`.
fn ask<T>(script: Script, read: impl AsyncFnOnce(Incoming) -> T) -> T {
    let (address, server) = serve(vec![script]);
    let local = LocalSet::new();
    let read = local.block_on(&runtime::single_threaded().unwrap(), async {
        let socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let stamps = Rc::new(Stamps::new(Clock::start(), Arc::default()));
        let connection = Connection::over(socket).unwrap();
        let lease = Http2Connection::open(connection, stamps)
            .await
            .unwrap()
            .lease();
        let request = Request::get("http://h/").body(()).unwrap();
        let incoming = lease.send(request, Bytes::new(), || {}).unwrap();
        read(incoming).await
    });
    drop(local);
    server.join().unwrap();
    read
}

async fn length(incoming: &mut Incoming) -> Result<usize, Fault> {
    let _ = incoming.head().await?;
    let mut length = 0;
    while let Some(bytes) = incoming.data().await? {
        length += bytes.len();
    }
    Ok(length)
}

#[test]
fn an_answer_that_is_read_may_be_longer_than_its_window() {
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        peer.send(&head(stream));
        let mut room = STREAM_WINDOW as usize;
        for _ in 0..FRAMES {
            while room < FRAME {
                room += room_given(peer);
            }
            room -= FRAME;
            flood(peer);
        }
        peer.send(&frame(DATA, 1, stream, &[]));
    };
    let length = ask(script, async |mut incoming| length(&mut incoming).await);
    assert_eq!(length, Ok(FRAMES * FRAME));
    assert!(FRAMES * FRAME > 3 * STREAM_WINDOW as usize);
}

#[test]
fn an_answer_that_nobody_reads_piles_up_no_more_than_its_window() {
    let script = |peer: &mut Peer<TcpStream>| {
        peer.greet();
        let stream = peer.request();
        peer.send(&head(stream));
        for _ in 0..=STREAM_WINDOW as usize / FRAME {
            flood(peer);
        }
    };
    let fault = ask(script, async |mut incoming| {
        while incoming.waiting() <= STREAM_WINDOW as usize {
            tokio::task::yield_now().await;
        }
        length(&mut incoming).await.unwrap_err()
    });
    assert_eq!(fault.outcome, Outcome::Malformed);
    assert!(fault.text.contains("FLOW_CONTROL_ERROR"), "{}", fault.text);
}
