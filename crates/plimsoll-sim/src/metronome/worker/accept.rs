//! Connections: accepted by the first worker, dealt out to all.

use super::Worker;
use crate::metronome::clock::now_ns;
use crate::metronome::conn::Conn;
use crate::metronome::slab::Key;
use crate::metronome::transport::Transport;
use rustls::ServerConnection;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::Arc;

/// Connections accepted before something else has its turn; each takes some 10 µs.
const ACCEPTS: usize = 32;
/// Pause of accepting when the system gives no more descriptors, in ns.
const ACCEPT_PAUSE_NS: u64 = 10_000_000;

impl Worker {
    pub(super) fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else {
                return;
            };
            match listener.accept() {
                Ok((socket, _)) => self.deal(socket),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A client that is gone again.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) => return self.pause_accepting(),
            }
        }
    }

    /// Out of descriptors: those who wait go on waiting, without keeping this thread busy.
    fn pause_accepting(&mut self) {
        let Some(listener) = &self.listener else {
            return;
        };
        if self.poller.forget(listener).is_ok() {
            self.queue.push(now_ns() + ACCEPT_PAUSE_NS, Key::LISTENER);
        }
    }

    pub(super) fn resume_accepting(&mut self) {
        let Some(listener) = &self.listener else {
            return;
        };
        if self.poller.watch_listener(listener, Key::LISTENER).is_err() {
            self.queue.push(now_ns() + ACCEPT_PAUSE_NS, Key::LISTENER);
        }
    }

    fn deal(&mut self, socket: TcpStream) {
        let whose = self.dealt % self.shared.mailboxes.len();
        self.dealt += 1;
        if whose == self.index {
            self.adopt(socket);
        } else {
            self.shared.mailboxes[whose].send(socket);
        }
    }

    pub(super) fn adopt(&mut self, socket: TcpStream) {
        // A connection that cannot be set up is dropped: its client sees that.
        drop(self.try_adopt(socket));
    }

    fn try_adopt(&mut self, socket: TcpStream) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        let tls = match &self.shared.tls {
            Some(config) => Some(Box::new(tls_connection(config)?)),
            None => None,
        };
        let conn = Conn::new(Transport::new(socket, tls));
        let key = self.conns.reserve();
        match self.poller.watch(conn.transport.socket(), key) {
            Ok(()) => self.conns.put(key, Box::new(conn)),
            Err(error) => {
                self.conns.free(key);
                return Err(error);
            }
        }
        Ok(())
    }
}

fn tls_connection(config: &Arc<rustls::ServerConfig>) -> io::Result<ServerConnection> {
    let mut tls = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    // A write is refused by no bound: what is due at once is bounded, and nothing is written to
    // a client that has not taken the last of it.
    tls.set_buffer_limit(None);
    Ok(tls)
}
