//! A request on a connection of its own: HTTP/1.1.

use std::io;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{Answer, AnswerEnd};
use plimsoll_core::time::Offset;

use super::head::head_and_body;
use super::{Flight, How, Tried, Watch};
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
        if !flight.trace.reused.get() && connection.has_spoken() {
            return Tried::malformed("the server answered before it was asked".to_owned());
        }
        let bytes = head_and_body(&self.target, "POST", &built, self.pool.keep_alive());
        // A server may refuse, answer and close before it has read a long request: what it said
        // counts, and not that the rest could not be written.
        drop(
            connection
                .send(
                    &bytes,
                    || self.stamp_sent(flight),
                    || self.stamp_gone(flight),
                )
                .await,
        );
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
        match self
            .read_on(flight, connection, answer, &mut last_output)
            .await
        {
            Read::Ended(end) => end,
            // In a box: hardly any answer needs it, and each stream would keep the room for it.
            Read::SaidAll(at) => Box::pin(self.read_tail(flight, connection, answer, at)).await,
        }
    }

    /// Reads until the answer has ended, or has said its last word.
    async fn read_on(
        &self,
        flight: &Flight<'_, impl Watch>,
        connection: &mut Connection,
        answer: &mut Answer,
        last_output: &mut Option<Offset>,
    ) -> Read {
        loop {
            // The buffer is taken out for the read alone; another stream that finds none makes one.
            let mut buffer = std::mem::take(&mut *self.buffer.borrow_mut());
            if buffer.is_empty() {
                buffer = vec![0; READ_BYTES];
            }
            let read = connection.ready_read(&mut buffer, &self.stamps);
            let Some(read) = read else {
                *self.buffer.borrow_mut() = buffer;
                match connection.readable().await {
                    Ok(()) => {}
                    Err(_) if answer.has_said_all() => return Read::Ended(answer.leave()),
                    Err(error) => return Read::Ended(reset(&error)),
                }
                continue;
            };
            let known = answer.events().len();
            let mut at = None;
            let sent = flight.trace.sent.get().unwrap_or_default();
            let read = read.map(|(count, at)| (count, self.stamps.not_before(at, sent)));
            match read {
                // A close before any byte is no word of the server's.
                Ok((0, _)) if flight.trace.heard.get().is_none() => {}
                Ok((_, at)) => flight.trace.heard.set(Some(at)),
                Err(_) => {}
            }
            let end = match read {
                Ok((0, at)) => Some(answer.close(at)),
                Ok((count, came)) => {
                    at = Some(came);
                    answer.push(&buffer[..count], came)
                }
                // A server that closes with something unread resets, whatever it has said.
                Err(_) if answer.has_said_all() => Some(answer.close(self.clock.now())),
                Err(error) => Some(reset(&error)),
            };
            *self.buffer.borrow_mut() = buffer;
            let how = How {
                shared: end.is_some() || answer.has_said_all(),
                own: self.stamps.is_own(),
            };
            self.note(flight, &answer.events()[known..], how, last_output);
            match (end, at) {
                (Some(end), Some(_)) => {
                    flight.trace.said_all.set(None);
                    return Read::Ended(end);
                }
                (Some(end), None) => return Read::Ended(end),
                (None, Some(at)) if answer.has_said_all() => return Read::SaidAll(at),
                _ => {}
            }
        }
    }

    /// Reads the end of an answer that has said all at `said_at`, as long as that is worth it. Where
    /// it does not come the answer is complete, and its connection of no further use.
    async fn read_tail(
        &self,
        flight: &Flight<'_, impl Watch>,
        connection: &mut Connection,
        answer: &mut Answer,
        said_at: Offset,
    ) -> AnswerEnd {
        flight.trace.said_all.set(Some(said_at));
        let patience = self.tails.patience();
        let tail = async {
            let mut last_output = None;
            loop {
                let read = self.read_on(flight, connection, answer, &mut last_output);
                if let Read::Ended(end) = read.await {
                    return end;
                }
            }
        };
        let end = tokio::time::timeout(patience, tail).await.ok();
        self.tails.note(end.is_some());
        end.unwrap_or_else(|| answer.leave())
    }
}

/// How far an answer was read.
enum Read {
    /// To its end, or to a fault.
    Ended(AnswerEnd),
    /// To its last word, which came then.
    SaidAll(Offset),
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
