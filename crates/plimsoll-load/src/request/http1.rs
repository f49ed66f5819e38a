//! A request on a connection of its own: HTTP/1.1.

use std::io;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{Answer, AnswerEnd};

use super::head::head_and_body;
use super::{Flight, Tried, Watch};
use crate::connection::{Connection, READ_BYTES};
use crate::context::WorkerContext;
use crate::source::Built;

impl WorkerContext {
    pub(super) async fn over_http1(
        &self,
        flight: &Flight<'_, impl Watch>,
        connection: &mut Connection,
        built: Built,
        answer: &mut Answer,
    ) -> Tried {
        let bytes = head_and_body(&self.target, "POST", &built, self.pool.keep_alive());
        // A server may refuse, answer and close before it has read a long request: what it said
        // counts, and not that the rest could not be written.
        drop(connection.send(&bytes, || self.stamp_sent(flight)).await);
        drop((bytes, built));
        let end = self.read_answer(flight, connection, answer).await;
        let may_retry = self.was_closed_for_being_idle(flight.trace, &end, answer);
        Tried { end, may_retry }
    }

    async fn read_answer(
        &self,
        flight: &Flight<'_, impl Watch>,
        connection: &mut Connection,
        answer: &mut Answer,
    ) -> AnswerEnd {
        let mut last_output = None;
        loop {
            // The buffer is taken out for the read alone; another stream that finds none makes one.
            let mut buffer = std::mem::take(&mut *self.buffer.borrow_mut());
            if buffer.is_empty() {
                buffer = vec![0; READ_BYTES];
            }
            let read = connection.ready_read(&mut buffer, &self.stamps);
            let Some(read) = read else {
                *self.buffer.borrow_mut() = buffer;
                if let Err(error) = connection.readable().await {
                    return reset(&error);
                }
                continue;
            };
            let known = answer.events().len();
            let end = match read {
                Ok((0, at)) => Some(answer.close(at)),
                Ok((count, at)) => answer.push(&buffer[..count], at),
                // A server that closes with something unread resets, whatever it has said.
                Err(_) if answer.has_said_all() => Some(answer.close(self.clock.now())),
                Err(error) => Some(reset(&error)),
            };
            *self.buffer.borrow_mut() = buffer;
            self.note(flight, &answer.events()[known..], false, &mut last_output);
            if let Some(end) = end {
                return end;
            }
        }
    }
}

fn reset(error: &io::Error) -> AnswerEnd {
    let outcome = if error.kind() == io::ErrorKind::InvalidData {
        Outcome::Tls
    } else {
        Outcome::Reset
    };
    AnswerEnd {
        outcome,
        detail: Some(error.to_string()),
    }
}
