//! A request on a stream of a shared connection: HTTP/2.

use bytes::Bytes;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{Answer, AnswerEnd};

use super::head::http2_head;
use super::{Flight, Tried, Watch};
use crate::context::WorkerContext;
use crate::http2::{Fault, Incoming, Lease};
use crate::source::Built;

impl WorkerContext {
    pub(super) async fn over_http2(
        &self,
        flight: &Flight<'_, impl Watch>,
        lease: &Lease,
        built: Built,
        answer: &mut Answer,
    ) -> Tried {
        let head = match http2_head(&self.target, "POST", &built) {
            Ok(head) => head,
            Err(fault) => return Tried::malformed(fault),
        };
        let sent = lease.send(head, Bytes::from(built.body), || self.stamp_sent(flight));
        let read = match sent {
            Ok(incoming) => self.read_stream(flight, incoming, answer).await,
            Err(fault) => Err(fault),
        };
        match read {
            Ok(end) => Tried {
                end,
                may_retry: false,
            },
            Err(fault) => self.broken(flight, fault, answer),
        }
    }

    fn broken(&self, flight: &Flight<'_, impl Watch>, fault: Fault, answer: &mut Answer) -> Tried {
        let end = answer.broken(fault.outcome, fault.text);
        let is_race = fault.lost && self.was_closed_for_being_idle(flight.trace, &end, answer);
        Tried {
            may_retry: answer.is_untouched() && (fault.unprocessed || is_race),
            end,
        }
    }

    async fn read_stream(
        &self,
        flight: &Flight<'_, impl Watch>,
        mut incoming: Incoming,
        answer: &mut Answer,
    ) -> Result<AnswerEnd, Fault> {
        answer.take_head(&incoming.head().await?);
        let mut last_output = None;
        while let Some(bytes) = incoming.data().await? {
            let mut end = None;
            incoming.by_stamp(&bytes, |bytes, piece| {
                if end.is_none() {
                    let known = answer.events().len();
                    end = answer.body(bytes, piece.at);
                    let events = &answer.events()[known..];
                    self.note(flight, events, piece.followed, &mut last_output);
                }
            });
            if let Some(end) = end {
                return Ok(end);
            }
        }
        // Nothing but the end of the stream came after the last bytes, and it has no stamp.
        Ok(answer.end(incoming.last_at().unwrap_or_else(|| self.clock.now())))
    }
}

impl Tried {
    fn malformed(detail: String) -> Self {
        let end = AnswerEnd {
            outcome: Outcome::Malformed,
            detail: Some(detail),
        };
        Self {
            end,
            may_retry: false,
        }
    }
}
