//! A request on a stream of a shared connection: HTTP/2.

use bytes::Bytes;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{Answer, AnswerEnd};

use super::head::http2_head;
use super::{Flight, How, Tried, Watch};
use crate::context::WorkerContext;
use crate::http2::{Fault, Incoming, Lease};
use crate::source::Built;
use crate::stamps::kernel_stamps;

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
                    let sent = flight.trace.sent.get().unwrap_or_default();
                    let at = self.stamps.not_before(piece.at, sent);
                    flight.trace.heard.set(Some(at));
                    end = answer.body(bytes, at);
                    let events = &answer.events()[known..];
                    let how = How {
                        shared: piece.followed || end.is_some(),
                        own: !kernel_stamps(),
                    };
                    self.note(flight, events, how, &mut last_output);
                }
            });
            if let Some(end) = end {
                return Ok(end);
            }
            if answer.has_said_all() {
                return Ok(Box::pin(self.read_stream_tail(flight, incoming, answer)).await);
            }
        }
        // Nothing but the end of the stream came after the last bytes, and it has no stamp.
        Ok(answer.end(incoming.last_at().unwrap_or_else(|| self.clock.now())))
    }

    /// Waits for the end of a stream that has said all, as long as that is worth it. A stream that is
    /// dropped before its end is reset.
    async fn read_stream_tail(
        &self,
        flight: &Flight<'_, impl Watch>,
        mut incoming: Incoming,
        answer: &mut Answer,
    ) -> AnswerEnd {
        flight.trace.said_all.set(incoming.last_at());
        let tail = async {
            while let Ok(Some(bytes)) = incoming.data().await {
                incoming.by_stamp(&bytes, |_, _| {});
            }
        };
        let came = tokio::time::timeout(self.tails.patience(), tail)
            .await
            .is_ok();
        self.tails.note(came);
        if came {
            flight.trace.said_all.set(None);
        }
        answer.leave()
    }
}

impl Tried {
    pub(super) fn malformed(detail: String) -> Self {
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
