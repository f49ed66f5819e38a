//! A thread with its share of the connections, and the loop that keeps their time.

use super::Shared;
use super::answer::Answer;
use super::clock::now_ns;
use super::conn::{Asked, Conn, Heard, Phase};
use super::poller::{Poller, Ready};
use super::reply::{Reply, reply};
use super::schedule::DueQueue;
use super::slab::{Key, Slab};
use super::transport::{Reader, Transport};
use crate::server::error::ApiError;
use rustls::ServerConnection;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// Connections accepted before something else has its turn; each takes some 10 µs.
const ACCEPTS: usize = 32;
/// Writes that are due before sockets have their turn.
const WRITES: usize = 64;
/// Writes that are due between two connections that have something to read.
const WRITES_BETWEEN: usize = 8;
/// Pause of accepting when the system gives no more descriptors, in ns.
const ACCEPT_PAUSE_NS: u64 = 10_000_000;

/// A worker and everything that is its own.
pub(super) struct Worker {
    shared: Arc<Shared>,
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
        shared: Arc<Shared>,
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

/// Connections.
impl Worker {
    fn accept(&mut self) {
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

    fn resume_accepting(&mut self) {
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

    fn adopt(&mut self, socket: TcpStream) {
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

/// Requests.
impl Worker {
    fn serve(&mut self, key: Key, conn: &mut Conn, ready: Ready) -> io::Result<()> {
        if conn.transport.blocked() {
            conn.transport.flush()?;
        }
        if !conn.transport.blocked() {
            self.drained(key, conn)?;
        }
        while ready.readable() {
            let (heard, asked) = conn.read(&mut self.reader, &self.shared.defaults)?;
            if let Some(asked) = asked {
                self.answer(key, conn, asked)?;
            }
            match heard {
                Heard::Nothing => break,
                Heard::Some if !ready.hung_up() => break,
                Heard::Some | Heard::More => {}
            }
        }
        Ok(())
    }

    /// Everything written has been taken: what waited for that goes on.
    fn drained(&mut self, key: Key, conn: &mut Conn) -> io::Result<()> {
        match &conn.answer {
            Some(answer) if answer.all_sent() => self.complete(key, conn),
            Some(answer) if conn.stalled => {
                self.queue.push(answer.due_ns(), key);
                conn.stalled = false;
                Ok(())
            }
            None if conn.phase == Phase::Ending => conn.end(),
            _ => Ok(()),
        }
    }

    /// Answers a request, and those that came behind it and are answered at once.
    fn answer(
        &mut self,
        key: Key,
        conn: &mut Conn,
        asked: Result<Asked, ApiError>,
    ) -> io::Result<()> {
        let mut next = Some(asked);
        while let Some(asked) = next {
            self.answer_one(key, conn, asked)?;
            next = conn.next(&self.shared.defaults);
        }
        Ok(())
    }

    fn answer_one(
        &mut self,
        key: Key,
        conn: &mut Conn,
        asked: Result<Asked, ApiError>,
    ) -> io::Result<()> {
        // After bytes that are no request nothing is understood any more.
        let (reply, close) = match asked {
            Err(error) => (self.refusal(&error), true),
            Ok(Asked {
                head,
                ask,
                received_ns,
            }) => match ask {
                Some(Ok(ask)) => {
                    let mut answer = Answer::new(ask, head.id, received_ns, self.shared.pace);
                    answer.close = head.close;
                    self.shared.recorder.begin(&mut answer);
                    self.queue.push(answer.due_ns(), key);
                    conn.answer = Some(answer);
                    return Ok(());
                }
                Some(Err(error)) => (self.refusal(&error), head.close),
                None => (reply(&self.shared, head.route), head.close),
            },
        };
        conn.transport.write(&reply.bytes(close))?;
        if close {
            conn.end()?;
        }
        Ok(())
    }

    fn refusal(&self, error: &ApiError) -> Reply {
        self.shared.recorder.refuse(self.index);
        error.into()
    }
}

/// The schedule.
impl Worker {
    /// Writes what is due, earliest first, but not more than `most` writes.
    fn fire(&mut self, most: usize) {
        for _ in 0..most {
            let now = now_ns();
            match self.queue.pop_due(now) {
                None => return,
                Some(Key::LISTENER) => self.resume_accepting(),
                Some(key) => self.visit(key, |worker, conn| worker.play(key, conn, now)),
            }
        }
    }

    /// Writes what is due of an answer; `now_ns` is the time of its being found due.
    fn play(&mut self, key: Key, conn: &mut Conn, now_ns: u64) -> io::Result<()> {
        let Some(answer) = &mut conn.answer else {
            return Ok(());
        };
        if conn.transport.blocked() {
            conn.stalled = true;
            return Ok(());
        }
        let (from, tokens) = (answer.sent, answer.next_tokens());
        let score = self.shared.score(answer.ask.kind);
        let middle = from > 0 && tokens == 1 && from + 1 < answer.ask.tokens;
        if middle {
            answer.record(now_ns, 1);
            conn.transport.write(score.token())?;
        } else {
            self.scratch.clear();
            if answer.ask.stream {
                score.append(&mut self.scratch, &answer.ask, from, from + tokens);
            } else {
                score.append_whole(&mut self.scratch, &answer.ask);
            }
            answer.record(super::clock::now_ns(), tokens);
            conn.transport.write(&self.scratch)?;
        }
        if !answer.all_sent() {
            self.queue.push(answer.due_ns(), key);
        } else if !conn.transport.blocked() {
            self.complete(key, conn)?;
        }
        Ok(())
    }

    /// The last byte of an answer is out.
    fn complete(&mut self, key: Key, conn: &mut Conn) -> io::Result<()> {
        let Some(answer) = conn.answer.take() else {
            return Ok(());
        };
        let close = answer.close;
        self.shared.recorder.complete(self.index, answer, now_ns());
        if close {
            return conn.end();
        }
        match conn.next(&self.shared.defaults) {
            Some(asked) => self.answer(key, conn, asked),
            None => Ok(()),
        }
    }
}
