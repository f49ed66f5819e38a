//! A thread with its share of the connections, and the loop that keeps their time.

mod accept;
mod play;
mod serve;

use super::MetronomeState;
use super::clock::now_ns;
use super::conn::Conn;
use super::poller::{Poller, Ready};
use super::schedule::DueQueue;
use super::slab::{Key, Slab};
use super::transport::Reader;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

/// Writes that are due before sockets have their turn.
const WRITES: usize = 64;
/// Writes that are due between two connections that have something to read.
const WRITES_BETWEEN: usize = 8;

/// A worker and everything that is its own.
pub(super) struct Worker {
    shared: Arc<MetronomeState>,
    index: usize,
    poller: Poller,
    /// The first worker accepts for all; dealing out in turn gives each the same share.
    listener: Option<TcpListener>,
    /// Connections dealt out so far.
    dealt: usize,
    conns: Slab,
    queue: DueQueue,
    reader: Reader,
    /// Where writes are put together.
    scratch: Vec<u8>,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<MetronomeState>,
        index: usize,
        listener: Option<TcpListener>,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.watch_bell(&shared.mailboxes[index].bell, Key::MAILBOX)?;
        if let Some(listener) = &listener {
            poller.watch_listener(listener, Key::LISTENER)?;
        }
        Ok(Self {
            shared,
            index,
            poller,
            listener,
            dealt: 0,
            conns: Slab::default(),
            queue: DueQueue::default(),
            reader: Reader::new(),
            scratch: Vec::new(),
        })
    }

    /// Serves until it is told to stop; then every connection is dropped as it stands.
    pub(super) fn run(mut self) {
        while !self.shared.mailboxes[self.index].is_stopping() {
            // Without its event queue the worker is blind; it ends, and its clients see that.
            let Ok(count) = self.poller.wait(self.queue.next_ns()) else {
                return;
            };
            self.reader.stamps.refresh(now_ns());
            for index in 0..count {
                self.dispatch(self.poller.ready(index));
                self.fire(WRITES_BETWEEN);
            }
            self.fire(WRITES);
        }
    }

    fn dispatch(&mut self, ready: Ready) {
        match ready.key {
            Key::TIMER => {}
            Key::LISTENER => self.accept(),
            Key::MAILBOX => {
                for socket in self.shared.mailboxes[self.index].take() {
                    self.adopt(socket);
                }
            }
            key => self.visit(key, |worker, conn| worker.serve(key, conn, ready)),
        }
    }

    /// Works on a connection; an error, the client's end among them, is the end of it.
    fn visit(&mut self, key: Key, work: impl FnOnce(&mut Self, &mut Conn) -> io::Result<()>) {
        let Some(mut conn) = self.conns.take(key) else {
            return;
        };
        if work(self, &mut conn).is_ok() {
            self.conns.put(key, conn);
        } else {
            if let Some(answer) = &conn.answer {
                self.shared.recorder.cancel(self.index, answer);
            }
            self.conns.free(key);
        }
    }
}
