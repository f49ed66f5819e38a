//! A connection in memory: both of its ends, and how one is made. What the peer writes has the stamp
//! that it says, as the kernel's would; it may be there later than that, as for a client that is
//! late to read.
//!
//! It ends as TCP does: bytes that are there come before the end, a reset is told once, to whoever
//! reads or writes first, and what is written to a peer that has closed is lost.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use plimsoll_core::time::Offset;
use tokio::io::Ready;

/// How a connection is made: asked anew for each.
pub(crate) type Dial = dyn Fn() -> Dialed + Send + Sync;

/// What becomes of an attempt to connect.
pub(crate) struct Dialed {
    /// How long it takes.
    pub(crate) after: Duration,
    /// The client's end, or a refusal; `None` if the peer never says anything.
    pub(crate) end: Option<io::Result<Client>>,
}

/// How the peer's side ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It sends nothing more.
    Closed,
    /// It broke the connection off.
    Reset,
}

/// The client's end. Dropped, it is closed.
pub(crate) struct Client(Arc<Mutex<State>>);

/// The other end.
#[derive(Clone)]
pub(crate) struct Peer(Arc<Mutex<State>>);

struct State {
    /// What the client may read, with its stamps.
    arrived: VecDeque<(Vec<u8>, Offset)>,
    ending: Option<Ending>,
    reader: Option<Waker>,
    /// What the peer may read.
    sent: Vec<u8>,
    /// Bytes that the client may still write.
    room: usize,
    writer: Option<Waker>,
    client_is_gone: bool,
    peer: Option<Waker>,
}

/// Both ends of a new connection, on which `room` bytes may be on their way to the peer.
pub(crate) fn connected(room: usize) -> (Client, Peer) {
    let state = Arc::new(Mutex::new(State {
        arrived: VecDeque::new(),
        ending: None,
        reader: None,
        sent: Vec::new(),
        room,
        writer: None,
        client_is_gone: false,
        peer: None,
    }));
    (Client(Arc::clone(&state)), Peer(state))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl State {
    fn is_readable(&self) -> bool {
        !self.arrived.is_empty() || self.ending.is_some()
    }

    fn is_writable(&self) -> bool {
        self.room > 0 || self.ending.is_some()
    }

    /// A reset that nobody has been told of; it is then as if closed.
    fn take_reset(&mut self) -> io::Result<()> {
        if self.ending == Some(Ending::Reset) {
            self.ending = Some(Ending::Closed);
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Client {
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.is_readable() {
            return Poll::Ready(());
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) async fn ready_to_go_on(&self) -> Ready {
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            let mut ready = Ready::EMPTY;
            if state.is_readable() {
                ready |= Ready::READABLE;
            }
            if state.is_writable() {
                ready |= Ready::WRITABLE;
            }
            if !ready.is_empty() {
                return Poll::Ready(ready);
            }
            state.reader = Some(cx.waker().clone());
            state.writer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = lock(&self.0);
        state.take_reset()?;
        if state.ending.is_some() {
            return Ok(bytes.len());
        }
        let count = bytes.len().min(state.room);
        state.room -= count;
        state.sent.extend_from_slice(&bytes[..count]);
        wake(&mut state.peer);
        Ok(count)
    }

    /// Reads what there is, with the stamp of the last of it; the end has none.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Offset>)> {
        let mut state = lock(&self.0);
        let (mut count, mut stamp) = (0, None);
        while let Some((bytes, at)) = state.arrived.front_mut() {
            let more = bytes.len().min(buffer.len() - count);
            if more == 0 {
                break;
            }
            buffer[count..count + more].copy_from_slice(&bytes[..more]);
            count += more;
            stamp = Some(*at);
            drop(bytes.drain(..more));
            if bytes.is_empty() {
                drop(state.arrived.pop_front());
            }
        }
        if count > 0 {
            return Ok((count, stamp));
        }
        state.take_reset()?;
        match state.ending {
            Some(_) => Ok((0, None)),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn has_come(&self) -> bool {
        !lock(&self.0).arrived.is_empty()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.client_is_gone = true;
        wake(&mut state.peer);
    }
}

impl Peer {
    /// Bytes that reach the client now and were stamped `at`.
    pub(crate) fn write(&self, bytes: &[u8], at: Offset) {
        if !bytes.is_empty() {
            let mut state = lock(&self.0);
            state.arrived.push_back((bytes.to_vec(), at));
            wake(&mut state.reader);
        }
    }

    /// Ends this side.
    pub(crate) fn end(&self, ending: Ending) {
        let mut state = lock(&self.0);
        state.ending = Some(ending);
        wake(&mut state.reader);
        wake(&mut state.writer);
    }

    /// Takes at most `most` of the bytes that the client has written.
    pub(crate) fn read(&self, most: usize) -> Vec<u8> {
        let mut state = lock(&self.0);
        let count = state.sent.len().min(most);
        let bytes = state.sent.drain(..count).collect();
        state.room += count;
        wake(&mut state.writer);
        bytes
    }

    /// Whether the client has written what was not read.
    pub(crate) fn has_come(&self) -> bool {
        !lock(&self.0).sent.is_empty()
    }

    /// Whether the client has closed.
    pub(crate) fn is_left(&self) -> bool {
        lock(&self.0).client_is_gone
    }

    /// Waits until the client is gone.
    pub(crate) async fn left(&self) {
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            if state.client_is_gone {
                return Poll::Ready(());
            }
            state.peer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Waits until there is something to read, or the client is gone.
    pub(crate) async fn readable(&self) {
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            if !state.sent.is_empty() || state.client_is_gone {
                return Poll::Ready(());
            }
            state.peer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
