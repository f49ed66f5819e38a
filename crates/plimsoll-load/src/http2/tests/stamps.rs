//! Stamps of streams that are read late.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use plimsoll_core::time::Offset;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::peer::{DATA, Peer, frame, head};
use crate::clock::Clock;
use crate::connection::Connection;
use crate::http2::ledger::Piece;
use crate::http2::{Http2Connection, Incoming};
use crate::runtime;
use crate::stamps::{Stamps, ask_for, kernel_stamps};

fn spin(clock: Clock, time: Duration) {
    let until = clock.now() + time;
    while clock.now() < until {
        std::hint::spin_loop();
    }
}

/// Lets the connection read until so many bytes of the answer are there; nobody takes them.
async fn read_unseen(incoming: &Incoming, bytes: usize) {
    while incoming.waiting() < bytes {
        tokio::task::yield_now().await;
    }
}

async fn pieces(incoming: &mut Incoming) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let bytes = incoming.data().await.unwrap().unwrap();
    incoming.by_stamp(&bytes, |_, piece| pieces.push(piece));
    pieces
}

/// Two frames come 30 ms apart. The connection is late to read each, and the answer is looked at
/// only after both: each still has the time at which it came.
#[test]
fn frames_keep_their_own_stamps_however_late_they_are_read() {
    let local = LocalSet::new();
    local.block_on(&runtime::single_threaded().unwrap(), async {
        let clock = Clock::start();
        let late = Duration::from_millis(30);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap());
        let socket = socket.await.unwrap();
        let stamped = ask_for(&socket) && kernel_stamps();
        let mut peer = Peer(listener.accept().unwrap().0);
        peer.0.set_nodelay(true).unwrap();
        peer.send(&frame(4, 0, 0, &[]));
        let stamps = Rc::new(Stamps::new(clock, Arc::default()));
        let connection = Connection::over(socket).unwrap();
        let lease = Http2Connection::open(connection, stamps)
            .await
            .unwrap()
            .lease();
        let request = Request::get("http://h/").body(()).unwrap();
        let mut incoming = lease.send(request, Bytes::new(), || {}).unwrap();

        peer.send(&[head(1), frame(DATA, 0, 1, b"one")].concat());
        let first_written = clock.now();
        spin(clock, late);
        read_unseen(&incoming, 3).await;
        let first_read = clock.now();
        peer.send(&frame(DATA, 0, 1, b"two!"));
        let second_written = clock.now();
        spin(clock, late);
        read_unseen(&incoming, 7).await;

        let _ = incoming.head().await.unwrap();
        let (first, second) = (pieces(&mut incoming).await, pieces(&mut incoming).await);
        assert_eq!((first.len(), first[0].bytes), (1, 3));
        assert_eq!((second.len(), second[0].bytes), (1, 4));
        let within = |at: Offset, from: Offset, to: Offset| from <= at && at <= to;
        assert!(within(second[0].at, first_read, clock.now()));
        if stamped {
            assert!(first[0].at <= first_written, "{first:?}");
            assert!(second[0].at <= second_written, "{second:?}");
        } else {
            assert!(first[0].at <= first_read, "{first:?}");
        }
    });
}
