//! One request and its answer on a worker: take a connection, send, read to the end, record.
//!
//! Here stands what both versions of HTTP share; the way over a connection of one's own is `http1`,
//! that over a stream of a shared one is `http2`. `head` writes what goes out.

mod deadline;
pub(crate) mod head;
mod http1;
mod http2;
mod id;
mod tail;
#[cfg(test)]
mod tests;
mod trace;

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{Answer, AnswerEnd};
use plimsoll_core::record::{Doubt, RequestRecord, RequestTrace, StreamEvent, TELLS_EVERY};
use plimsoll_core::time::Offset;

use crate::context::{Taken, Way, WorkerContext};
use crate::source::Built;
use deadline::unless;
pub(crate) use id::RequestId;
pub(crate) use tail::Tails;
pub(crate) use trace::{Due, Trace, Watch};

/// A connection that is closed later than this after the send was not closed for being idle.
const IDLE_RACE: Duration = Duration::from_millis(100);

/// A request on its way: what its steps share.
struct Flight<'a, W> {
    request: RequestId,
    due: Due,
    trace: &'a Trace,
    watch: &'a W,
}

/// Whether an end is none of the answer's own.
fn is_given_up(end: &AnswerEnd) -> bool {
    matches!(end.outcome, Outcome::TimedOut | Outcome::CutAtEnd)
}

/// How the stamp of a read came about.
#[derive(Clone, Copy)]
struct How {
    /// It is that of other bytes too, which came after the events.
    shared: bool,
    /// It is the time of the read.
    own: bool,
}

/// How an attempt ended.
struct Tried {
    end: AnswerEnd,
    /// The server has not looked at the request: it may be sent once more.
    may_retry: bool,
}

impl WorkerContext {
    /// Runs one request to its end. `cut` resolves when it must be given up.
    pub(crate) async fn run(
        &self,
        request: RequestId,
        due: Due,
        watch: &impl Watch,
        cut: impl AsyncFnOnce(Rc<Trace>),
    ) -> (RequestTrace, Option<String>) {
        let mut answer = self
            .answers
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| Answer::new(self.target.protocol, self.keep_text));
        answer.reset();
        let trace = Rc::new(Trace::default());
        let (due_at, ready) = match due {
            Due::At { due, ready } => (due, ready),
            Due::WhenReady => (self.clock.now(), self.clock.now()),
        };
        trace.due.set(due_at);
        trace.ready.set(ready);
        let flight = Flight {
            request,
            due,
            trace: &trace,
            watch,
        };
        let end = {
            let given_up = pin!(self.given_up(cut(Rc::clone(&trace))));
            let exchange = pin!(self.exchange(&flight, &mut answer));
            unless(exchange, given_up).await
        };
        let end = if is_given_up(&end) && answer.has_said_all() {
            // Only the end of its framing was waited for.
            answer.leave()
        } else {
            end
        };
        let record = self.record(request, &trace, end, &mut answer);
        let text = answer.text().map(|text| self.secrets.hide(text));
        self.answers.borrow_mut().push(answer);
        (record, text)
    }

    /// Resolves when a request has taken too long, or is cut.
    async fn given_up(&self, cut: impl Future<Output = ()>) -> AnswerEnd {
        tokio::select! {
            () = tokio::time::sleep(self.timeout) => {
                let detail = format!("no end within {} s", self.timeout.as_secs_f64());
                AnswerEnd { outcome: Outcome::TimedOut, detail: Some(detail) }
            }
            () = cut => AnswerEnd { outcome: Outcome::CutAtEnd, detail: None },
        }
    }

    fn record(
        &self,
        request: RequestId,
        trace: &Trace,
        end: AnswerEnd,
        answer: &mut Answer,
    ) -> RequestTrace {
        let counted = answer.counted(trace.asked_output_tokens.get());
        let record = RequestRecord {
            id: request.id,
            level: request.level,
            stream: request.stream,
            due: trace.due.get(),
            ready: trace.ready.get(),
            sent: trace.sent.get(),
            outputs: None,
            heard: None,
            stamps: None,
            done: self.ended_at(end.outcome, trace),
            doubt: trace.doubt.get(),
            outcome: end.outcome,
            asked_prompt_tokens: trace.asked_prompt_tokens.get(),
            asked_output_tokens: trace.asked_output_tokens.get(),
            prompt_tokens: counted.prompt_tokens,
            usage_output_tokens: counted.output_tokens,
            hidden_output_tokens: counted.hidden_tokens,
            usage_disbelieved: counted.has_disbelieved,
            detail: end.detail.map(|said| self.secrets.hide(&said)),
        };
        RequestTrace::new(record, answer.take_events()).over(trace.connected.get())
    }

    /// When an answer ended: with its last bytes, where they ended it, however late they were read.
    fn ended_at(&self, outcome: Outcome, trace: &Trace) -> Offset {
        let by_bytes = matches!(outcome, Outcome::Completed | Outcome::Empty);
        let heard = trace.heard.get().filter(|_| by_bytes);
        let ended = trace.said_all.get().or(heard);
        ended.unwrap_or_else(|| self.clock.now())
    }

    /// A request. It is built again for a second attempt and kept by no stream.
    fn build(&self, request: RequestId, trace: &Trace) -> Built {
        let built = self.source.build(request.index);
        trace.asked_prompt_tokens.set(built.asked_prompt_tokens);
        trace.asked_output_tokens.set(built.asked_output_tokens);
        built
    }

    async fn exchange(&self, flight: &Flight<'_, impl Watch>, answer: &mut Answer) -> AnswerEnd {
        let mut failed = None;
        let (way, end) = loop {
            let mut way = match self.take(flight.trace, failed.as_ref()).await {
                Ok(way) => way,
                Err(end) => return end,
            };
            let tried = self.attempt(flight, &mut way, answer).await;
            if !tried.may_retry || failed.is_some() {
                break (way, tried.end);
            }
            // No fault of the request, which is sent once more on another connection. Its stamp
            // stays the first.
            self.stats.update(|stats| stats.idle_retries += 1);
            answer.reset();
            failed = Some(way);
        };
        match way {
            Way::Http1(connection)
                if connection.has_sent_all()
                    && answer.keep_alive()
                    && end.outcome != Outcome::Malformed =>
            {
                self.pool.put_back(connection);
            }
            _ => {}
        }
        end
    }

    async fn take(&self, trace: &Trace, failed: Option<&Way>) -> Result<Way, AnswerEnd> {
        let Taken {
            way,
            times,
            at_once,
        } = self.pool.take(failed).await?;
        if !at_once && trace.sent.get().is_none() {
            trace.ready.set(self.clock.now());
        }
        trace.reused.set(times.is_none());
        if times.is_some() {
            trace.connected.set(times);
        }
        Ok(way)
    }

    /// Sends the request and reads its answer to the end.
    async fn attempt(
        &self,
        flight: &Flight<'_, impl Watch>,
        way: &mut Way,
        answer: &mut Answer,
    ) -> Tried {
        let trace = flight.trace;
        let built = self.build(flight.request, trace);
        answer.expect(built.asked_output_tokens);
        if matches!(flight.due, Due::WhenReady) && trace.sent.get().is_none() {
            trace.due.set(self.clock.now());
            trace.ready.set(trace.due.get());
        }
        match way {
            Way::Http1(connection) => self.over_http1(flight, connection, built, answer).await,
            // In a box: it is much larger, and HTTP/1.1 would keep the room for it in each stream.
            Way::Http2(lease) => Box::pin(self.over_http2(flight, lease, built, answer)).await,
        }
    }

    /// Takes the stamp of sending, of the first attempt alone.
    fn stamp_sent(&self, flight: &Flight<'_, impl Watch>) {
        let trace = flight.trace;
        if trace.sent.get().is_none() {
            let sent = self.clock.now();
            trace.sent.set(Some(sent));
            flight.watch.sent(flight.request, trace);
        }
    }

    /// Once the first bytes are with the kernel: until then they may not have been.
    fn stamp_gone(&self, flight: &Flight<'_, impl Watch>) {
        let trace = flight.trace;
        // A second attempt keeps the stamp of the first.
        if let Some(sent) = trace.sent.get().filter(|_| !trace.gone.replace(true)) {
            let doubt = trace.doubt.get();
            let late = Doubt::that_matters(self.clock.now().since(sent));
            trace.doubt.set(Doubt {
                sent: late,
                ..doubt
            });
        }
    }

    /// A server may close an idle connection just as it is used again.
    fn was_closed_for_being_idle(&self, trace: &Trace, end: &AnswerEnd, answer: &Answer) -> bool {
        let since_sent = trace
            .sent
            .get()
            .map_or(Duration::ZERO, |sent| self.clock.now().since(sent));
        trace.reused.get()
            && end.outcome == Outcome::Reset
            && trace.heard.get().is_none()
            && answer.is_untouched()
            && since_sent < IDLE_RACE
    }

    /// Notes what one read brought: whether it was the first output, and whether stamps are shared,
    /// be it with bytes of another stream or with what came after, or among each other.
    fn note(
        &self,
        flight: &Flight<'_, impl Watch>,
        events: &[StreamEvent],
        how: How,
        last_output: &mut Option<Offset>,
    ) {
        let outputs = events.iter().filter(|event| event.output).count() as u64;
        let Some(event) = events.iter().find(|event| event.output) else {
            return;
        };
        let before = last_output.replace(event.at);
        let followed = events.last().is_some_and(|last| !last.output);
        let shared = how.shared || followed || outputs > 1;
        // What the server sends together is read together: the bound must tell this from what waited
        // here.
        let came_after = if shared || how.own {
            self.came_after()
        } else {
            event.at
        };
        self.stats
            .update(|stats| stats.output_read(outputs, shared, before, event.at, came_after));
        let trace = flight.trace;
        let doubt = Doubt::that_matters(event.at.since(came_after));
        let known = trace.doubt.get();
        let is_first = before.is_none();
        trace.doubt.set(Doubt {
            first: known.first.or(doubt.filter(|_| is_first)),
            rest: known.rest.max(doubt.filter(|_| !is_first || outputs > 1)),
            ..known
        });
        if is_first {
            trace.first.set(Some(event.at));
            flight
                .watch
                .first(flight.request, event.at, trace.doubt.get());
        }
        if is_first || event.at.since(trace.told.get()) >= TELLS_EVERY {
            trace.told.set(event.at);
            flight.watch.heard(flight.request, event.at);
        }
    }
}
