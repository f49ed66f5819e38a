//! One answer as a state machine: bytes with their receive stamp in, stamped events and the way
//! it ended out. HTTP, the stream's framing and the protocol are put together here and nowhere else.
//!
//! | state | meaning | leaves it |
//! |---|---|---|
//! | waiting | no head yet, or nothing of the body | its first bytes → streaming or whole; a head that refuses → refused |
//! | streaming | events counted as they come | error event, last word, end, close |
//! | whole | a JSON body, parsed at its end | end, close |
//! | refused | status not 2xx, body kept for the message | end, close |
//!
//! After the protocol's last word nothing is read any more, whatever the body does then. What brings
//! more than any answer of its length does not end, and is malformed.
//!
//! A version of HTTP with framing of its own (HTTP/2) hands in the parts, by [`Answer::take_head`],
//! [`Answer::body`], [`Answer::end`] and [`Answer::broken`]; its answers end in the same ways.

mod body;
mod bound;

use super::Protocol;
use super::usage::{Counted, Seen, Usage};
use crate::outcome::Outcome;
use crate::record::StreamEvent;
use crate::time::Offset;
use crate::wire::{Head, HttpFault, Part, ResponseReader};
use body::Body;
use bound::Bound;

/// Characters of a message that go into a record.
const MAX_DETAIL_CHARS: usize = 300;

/// How an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerEnd {
    /// Completed, or the kind of failure.
    pub outcome: Outcome,
    /// What the server said, for failures.
    pub detail: Option<String>,
}

/// Reads one answer. Reusable: [`Answer::reset`] keeps its buffers for the next request.
#[derive(Debug, Default)]
pub struct Answer {
    http: ResponseReader,
    body: Body,
    bound: Bound,
    /// Bytes received so far.
    bytes: u64,
}

impl Answer {
    /// Makes a reader that counts events; with `keep_text` it also collects the output text.
    pub fn new(protocol: Protocol, keep_text: bool) -> Self {
        Self {
            http: ResponseReader::new(),
            body: Body::new(protocol, keep_text),
            bound: Bound::default(),
            bytes: 0,
        }
    }

    /// Gets ready for the next answer.
    pub fn reset(&mut self) {
        self.http.reset();
        self.body.reset();
        self.bytes = 0;
    }

    /// Says how many tokens are asked for, from which follows how much the answer may be. It holds for
    /// the answers after it too.
    pub fn expect(&mut self, asked_output_tokens: u32) {
        self.bound = Bound::of(asked_output_tokens);
        self.body.bound = self.bound;
    }

    /// Takes bytes that were received at `at`. Returns the end, once it is known.
    pub fn push(&mut self, bytes: &[u8], at: Offset) -> Option<AnswerEnd> {
        let body = &mut self.body;
        let pushed = self.http.push(bytes, &mut |part| body.take(part, at));
        if let Err(fault) = pushed {
            return Some(self.broken_http(&fault));
        }
        let end = self.ended();
        if self.is_within(bytes) || end.is_some() {
            return end;
        }
        Some(self.too_long())
    }

    /// Counts bytes, and says whether they may be as many.
    fn is_within(&mut self, bytes: &[u8]) -> bool {
        self.bytes += bytes.len() as u64;
        self.bytes <= self.bound.bytes
    }

    /// How an answer ends that has more bytes than any.
    #[cold]
    #[inline(never)]
    fn too_long(&mut self) -> AnswerEnd {
        if self.body.is_refusal() {
            self.body.verdict()
        } else {
            self.broken(Outcome::Malformed, self.bound.broken_by_bytes())
        }
    }

    /// Says that the connection closed at `at`.
    pub fn close(&mut self, at: Offset) -> AnswerEnd {
        let body = &mut self.body;
        match self.http.close(&mut |part| body.take(part, at)) {
            Ok(()) => self.body.verdict(),
            Err(fault) => self.broken_http(&fault),
        }
    }

    /// Says that nothing more is waited for: the stream has said its last word, and HTTP its end not.
    pub fn leave(&mut self) -> AnswerEnd {
        self.body.verdict()
    }

    /// How an answer ends whose framing is broken. A stream that had said its last word lost nothing.
    fn broken_http(&mut self, fault: &HttpFault) -> AnswerEnd {
        match self.body.take_fault() {
            Some(fault) => fault,
            None if self.has_said_all() => self.body.verdict(),
            None => broken(fault),
        }
    }

    /// Takes the head, where the protocol frames it.
    pub fn take_head(&mut self, head: &Head) {
        self.body.take(Part::Head(head), Offset::ZERO);
    }

    /// Takes bytes of the body, without framing, that were received at `at`. Returns the end where
    /// the bytes say it before the protocol does: an error event, or what is none.
    pub fn body(&mut self, bytes: &[u8], at: Offset) -> Option<AnswerEnd> {
        self.body.take(Part::Body(bytes), at);
        if self.is_within(bytes) {
            return self.body.take_fault();
        }
        self.body.take_fault().or_else(|| Some(self.too_long()))
    }

    /// Says that the protocol has ended the answer; its last bytes were received at `at`.
    pub fn end(&mut self, at: Offset) -> AnswerEnd {
        self.body.take(Part::End, at);
        self.body.verdict()
    }

    /// Says that the protocol broke the answer off, and how. A stream that had said its last word
    /// lost nothing.
    pub fn broken(&mut self, outcome: Outcome, detail: String) -> AnswerEnd {
        if self.has_said_all() {
            self.body.verdict()
        } else {
            failure(outcome, Some(detail))
        }
    }

    /// Whether nothing of the answer has come yet: a request that may be sent again.
    pub fn is_untouched(&self) -> bool {
        self.body.head().is_none()
    }

    /// Whether the stream has said its last word: only the end of HTTP may be missing.
    pub fn has_said_all(&self) -> bool {
        self.body.has_said_all()
    }

    /// Whether the connection can carry another request.
    pub fn keep_alive(&self) -> bool {
        self.http.is_done() && self.http.keep_alive()
    }

    /// The head, once it has come.
    pub fn head(&self) -> Option<&Head> {
        self.body.head()
    }

    /// The events so far.
    pub fn events(&self) -> &[StreamEvent] {
        self.body.events()
    }

    /// Takes the events out.
    pub fn take_events(&mut self) -> Vec<StreamEvent> {
        self.body.take_events()
    }

    /// Token counts as they are stated so far.
    pub fn usage(&self) -> Usage {
        self.body.usage()
    }

    /// What was seen of it so far.
    pub fn seen(&self) -> Seen {
        self.body.seen()
    }

    /// What is believed of its token counts, if so many tokens were asked for.
    pub fn counted(&self, asked_output_tokens: u32) -> Counted {
        Counted::of(self.usage(), self.seen(), asked_output_tokens)
    }

    /// The output text, if it is kept.
    pub fn text(&self) -> Option<&str> {
        self.body.text()
    }

    fn ended(&mut self) -> Option<AnswerEnd> {
        if let Some(fault) = self.body.take_fault() {
            return Some(fault);
        }
        // Without framing, the last word is the end: the server may keep the connection open.
        let is_over = self.http.is_done() || (self.has_said_all() && self.http.ends_at_close());
        is_over.then(|| self.body.verdict())
    }
}

fn failure(outcome: Outcome, detail: Option<String>) -> AnswerEnd {
    AnswerEnd {
        outcome,
        detail: detail.map(|text| text.chars().take(MAX_DETAIL_CHARS).collect()),
    }
}

fn broken(fault: &HttpFault) -> AnswerEnd {
    let outcome = match fault {
        HttpFault::Truncated => Outcome::Reset,
        _ => Outcome::Malformed,
    };
    failure(outcome, Some(fault.to_string()))
}

#[cfg(test)]
mod tests;
