//! The body's side of the machine, apart from the HTTP reader that feeds it.

use super::bound::Bound;
use super::{AnswerEnd, broken, failure};
use crate::outcome::Outcome;
use crate::protocol::Protocol;
use crate::protocol::chunk::Chunk;
use crate::protocol::framing::Frames;
use crate::protocol::refusal::words_of;
use crate::protocol::template::Template;
use crate::protocol::usage::{Seen, Usage};
use crate::record::StreamEvent;
use crate::time::Offset;
use crate::wire::{Decoder, Head, Part, SseEvent};

/// Bytes of a body that are kept where it is not an event stream.
const MAX_KEPT_BODY: usize = 1 << 20;
/// Characters of what is not understood that are quoted.
const MAX_QUOTED: usize = 120;

/// How the body is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Nothing but ends of lines has come yet.
    #[default]
    Unknown,
    /// In events, as they come.
    Stream,
    /// At its end.
    Whole,
}

/// What the body of an answer says.
#[derive(Debug, Default)]
pub(super) struct Body {
    protocol: Protocol,
    pub(super) bound: Bound,
    head: Option<Head>,
    kind: Kind,
    decoder: Option<Decoder>,
    frames: Frames,
    kept: Vec<u8>,
    events: Vec<StreamEvent>,
    output_bytes: u64,
    has_reasoning: bool,
    text: Option<String>,
    usage: Usage,
    template: Template,
    finished: bool,
    has_said_all: bool,
    fault: Option<AnswerEnd>,
}

impl Body {
    pub(super) fn new(protocol: Protocol, keep_text: bool) -> Self {
        Self {
            protocol,
            text: keep_text.then(String::new),
            ..Self::default()
        }
    }

    /// Gets ready for the next answer, and keeps the room for it.
    pub(super) fn reset(&mut self) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        let mut template = std::mem::take(&mut self.template);
        template.forget();
        *self = Self {
            kept,
            template,
            bound: self.bound,
            ..Self::new(self.protocol, self.text.is_some())
        };
    }

    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub(super) fn events(&self) -> &[StreamEvent] {
        &self.events
    }

    pub(super) fn take_events(&mut self) -> Vec<StreamEvent> {
        std::mem::take(&mut self.events)
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn seen(&self) -> Seen {
        let events = self.events.iter().filter(|event| event.output).count();
        Seen {
            events: u32::try_from(events).unwrap_or(u32::MAX),
            bytes: self.output_bytes,
            has_reasoning: self.has_reasoning,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    pub(super) fn has_said_all(&self) -> bool {
        self.has_said_all
    }

    pub(super) fn take_fault(&mut self) -> Option<AnswerEnd> {
        self.fault.take()
    }

    pub(super) fn take(&mut self, part: Part<'_>, at: Offset) {
        match part {
            Part::Head(head) => self.take_head(head),
            Part::Body(bytes) if self.decoder.is_some() => self.take_coded(bytes, at),
            Part::Body(bytes) => self.take_bytes(bytes, at),
            Part::End if self.kind == Kind::Stream => self.end_stream(at),
            Part::End if self.is_ok() => {
                let kept = std::mem::take(&mut self.kept);
                self.take_payload(&kept, at);
                // A whole answer needs no reason to be at its end.
                self.finished |= self.fault.is_none() && !kept.is_empty();
                self.kept = kept;
            }
            Part::End => {}
        }
    }

    fn take_head(&mut self, head: &Head) {
        self.head = Some(head.clone());
        self.frames = self.protocol.framing().frames();
        self.kind = if self.is_ok() && !head.content_type.starts_with("text/html") {
            Kind::Unknown
        } else {
            Kind::Whole
        };
        match Decoder::of(&head.content_encoding) {
            Ok(decoder) => self.decoder = decoder,
            // A refusal is one, whether its words can be read or not.
            Err(_) if !self.is_ok() => {}
            Err(fault) => self.fault = Some(broken(&fault)),
        }
    }

    /// Whether its head refuses the request.
    pub(super) fn is_refusal(&self) -> bool {
        self.head.is_some() && !self.is_ok()
    }

    fn is_ok(&self) -> bool {
        self.head
            .as_ref()
            .is_some_and(|head| (200..300).contains(&head.status))
    }

    /// Takes bytes in a content coding. What they decode to came when they did.
    fn take_coded(&mut self, bytes: &[u8], at: Offset) {
        if self.has_said_all || self.fault.is_some() {
            return;
        }
        let Some(mut decoder) = self.decoder.take() else {
            return;
        };
        let pushed = decoder.push(bytes, &mut |plain| self.take_bytes(plain, at));
        self.decoder = Some(decoder);
        if let Err(fault) = pushed
            && !self.has_said_all
            && self.is_ok()
        {
            self.fault = self.fault.take().or_else(|| Some(broken(&fault)));
        }
    }

    fn take_bytes(&mut self, bytes: &[u8], at: Offset) {
        if self.kind == Kind::Unknown {
            self.find_kind(bytes);
        }
        match self.kind {
            Kind::Stream => self.take_stream(bytes, at),
            Kind::Whole => {
                let room = MAX_KEPT_BODY.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Kind::Unknown => {}
        }
    }

    /// Finds out by the first byte that is no end of a line how the body is to be read.
    fn find_kind(&mut self, bytes: &[u8]) {
        let framing = self.protocol.framing();
        let content_type = self.head.as_ref().map(|head| head.content_type.as_str());
        let is_declared = content_type.is_some_and(|kind| kind.starts_with(framing.content_type()));
        if let Some(first) = bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n')) {
            self.kind = if framing.is_begun_by(*first, is_declared) {
                Kind::Stream
            } else {
                Kind::Whole
            };
        }
    }

    fn take_stream(&mut self, bytes: &[u8], at: Offset) {
        if self.has_said_all {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        frames.push(bytes, &mut |event| match event {
            SseEvent::Data(payload) => self.take_payload(payload, at),
            SseEvent::Error(said) => self.take_error(said),
        });
        if frames.is_too_long() && self.fault.is_none() && !self.has_said_all {
            let detail = "an event of the stream does not end".to_owned();
            self.fault = Some(failure(Outcome::Malformed, Some(detail)));
        }
        self.frames = frames;
    }

    fn end_stream(&mut self, at: Offset) {
        let mut frames = std::mem::take(&mut self.frames);
        frames.end(&mut |payload| {
            // What is no payload was broken off: the stream lacks its end, not its form.
            if self.protocol.read(payload).is_ok() {
                self.take_payload(payload, at);
            }
        });
    }

    /// Takes what the framing itself calls an error.
    fn take_error(&mut self, said: &[u8]) {
        if self.fault.is_none() && !self.has_said_all {
            let said = match words_of(said) {
                words if words.is_empty() => "an event `error` without words".to_owned(),
                words => words,
            };
            self.fault = Some(failure(Outcome::ErrorEvent, Some(said)));
        }
    }

    fn take_payload(&mut self, payload: &[u8], at: Offset) {
        if self.fault.is_some() || self.has_said_all || payload.is_empty() {
            return;
        }
        if let Some(text) = self.template.text(payload) {
            return self.take_output(text, at);
        }
        // A heartbeat of a stream; a whole answer of blanks is none.
        if self.kind == Kind::Stream && payload.trim_ascii().is_empty() {
            return;
        }
        match self.protocol.locate(payload) {
            Ok(located) => {
                if let Some(text) = located.text {
                    self.template.learn(payload, text, located.aside.as_ref());
                }
                self.take_chunk(located.chunk, at);
            }
            Err(fault) => {
                self.fault = Some(failure(
                    Outcome::Malformed,
                    Some(self.describe(&fault.to_string(), payload)),
                ));
            }
        }
    }

    fn take_chunk(&mut self, chunk: Chunk, at: Offset) {
        if let Some(message) = chunk.error {
            self.fault = Some(failure(Outcome::ErrorEvent, Some(message)));
            return;
        }
        if let Some(usage) = chunk.usage {
            self.usage.take(usage);
        }
        if chunk.is_part {
            self.take_output(&chunk.text, at);
        }
        self.has_reasoning |= chunk.has_reasoning;
        self.finished |= chunk.finished;
        self.has_said_all |= chunk.is_last;
    }

    /// Enters an event of the answer, and its text where that is kept.
    fn take_output(&mut self, text: &str, at: Offset) {
        self.events.push(StreamEvent {
            at,
            output: !text.is_empty(),
        });
        self.output_bytes += text.len() as u64;
        if let Some(kept) = &mut self.text {
            kept.push_str(text);
        }
        if self.events.len() > self.bound.events || self.output_bytes > self.bound.text_bytes {
            self.break_bound();
        }
    }

    /// Notes that the answer has more than any: apart, since this is nearly never done.
    #[cold]
    #[inline(never)]
    fn break_bound(&mut self) {
        let detail = self.bound.broken_by_output(self.events.len());
        self.fault = Some(failure(Outcome::Malformed, Some(detail)));
    }

    /// A web page where JSON was due is the commonest mistake in a URL: name it.
    fn describe(&self, fault: &str, data: &[u8]) -> String {
        let content_type = self
            .head
            .as_ref()
            .map_or("", |head| head.content_type.as_str());
        if content_type.starts_with("text/html") {
            return "the answer is a web page, not an API's".to_owned();
        }
        format!("{fault}: {}", quoted(data))
    }

    /// The outcome of an answer whose HTTP response is complete.
    pub(super) fn verdict(&mut self) -> AnswerEnd {
        if let Some(fault) = self.fault.take() {
            return fault;
        }
        let Some(head) = &self.head else {
            return failure(Outcome::Malformed, Some("no answer".to_owned()));
        };
        if !self.is_ok() {
            let outcome = Outcome::HttpStatus {
                status: head.status,
            };
            return failure(outcome, Some(self.refusal_text(head)));
        }
        if !self.finished && !self.has_said_all {
            let last_word = self.protocol.last_word();
            return failure(
                Outcome::EndedEarly,
                Some(format!("neither a finish reason nor {last_word}")),
            );
        }
        if self.events.iter().any(|event| event.output) {
            return failure(Outcome::Completed, None);
        }
        let said = match self.kept.trim_ascii() {
            [] => "no output in the answer".to_owned(),
            said => format!("no output in the answer: {}", quoted(said)),
        };
        failure(Outcome::Empty, Some(said))
    }

    /// The message of a refusal: its JSON error if it has one, else the start of its body.
    fn refusal_text(&self, head: &Head) -> String {
        if let Some(location) = &head.location {
            return format!("redirected to {location}");
        }
        let chunk = self.protocol.read(&self.kept).ok();
        if let Some(message) = chunk.and_then(|chunk| chunk.error) {
            return message;
        }
        let text = String::from_utf8_lossy(&self.kept);
        match text.trim() {
            "" => format!("status {}", head.status),
            text => text.to_owned(),
        }
    }
}

fn quoted(data: &[u8]) -> String {
    String::from_utf8_lossy(&data[..data.len().min(MAX_QUOTED)]).into_owned()
}
