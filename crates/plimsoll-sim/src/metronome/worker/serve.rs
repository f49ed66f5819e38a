//! Requests: read, and answered at once or put on the schedule.

use super::Worker;
use crate::metronome::answer::Answer;
use crate::metronome::conn::{Conn, Heard, Phase, Question};
use crate::metronome::poller::Ready;
use crate::metronome::reply::{Reply, reply};
use crate::metronome::slab::Key;
use crate::server::error::ApiError;
use plimsoll_core::protocol::Protocol;
use std::io;

impl Worker {
    pub(super) fn serve(&mut self, key: Key, conn: &mut Conn, ready: Ready) -> io::Result<()> {
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
        // After reading: under TLS a read writes too, and may have made the room that was waited for.
        if conn.transport.blocked() {
            conn.transport.flush()?;
        }
        if !conn.transport.blocked() {
            self.drained(key, conn)?;
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
    pub(super) fn answer(
        &mut self,
        key: Key,
        conn: &mut Conn,
        asked: Result<Question, ApiError>,
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
        asked: Result<Question, ApiError>,
    ) -> io::Result<()> {
        // After bytes that are no request nothing is understood any more.
        let (reply, close) = match asked {
            Err(error) => (self.refusal(&error, Protocol::default()), true),
            Ok(Question {
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
                Some(Err(error)) => (self.refusal(&error, head.route.protocol()), head.close),
                None => (reply(&self.shared, head.route), head.close),
            },
        };
        conn.transport.write(&reply.bytes(close))?;
        if close {
            conn.end()?;
        }
        Ok(())
    }

    fn refusal(&self, error: &ApiError, protocol: Protocol) -> Reply {
        self.shared.recorder.refuse(self.index);
        Reply::refusal(error, protocol)
    }
}
