//! One answer as a state machine: bytes with their receive stamp in, stamped events and the way
//! it ended out. HTTP, the stream's framing and the protocol are put together here and nowhere else.
//!
//! | state | meaning | leaves it |
//! |---|---|---|
//! | waiting | no head yet | head → streaming, whole or refused |
//! | streaming | the protocol's content type of a stream, events counted as they come | error event, end, close |
//! | whole | a JSON body, parsed at its end | end, close |
//! | refused | status not 2xx, body kept for the message | end, close |
//!
//! A version of HTTP with framing of its own (HTTP/2) hands in the parts, by [`Answer::take_head`],
//! [`Answer::body`], [`Answer::end`] and [`Answer::broken`]; its answers end in the same ways.

use super::Protocol;
use super::chunk::{Chunk, Usage};
use super::framing::Frames;
use super::template::Template;
use crate::outcome::Outcome;
use crate::record::StreamEvent;
use crate::time::Offset;
use crate::wire::{Head, HttpFault, Part, ResponseReader};

/// Bytes of a body that are kept where it is not an event stream.
const MAX_KEPT_BODY: usize = 1 << 20;
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
}

/// The body's side of the machine, apart from the HTTP reader that feeds it.
#[derive(Debug, Default)]
struct Body {
    protocol: Protocol,
    head: Option<Head>,
    is_stream: bool,
    frames: Frames,
    kept: Vec<u8>,
    events: Vec<StreamEvent>,
    text: Option<String>,
    usage: Usage,
    template: Template,
    finished: bool,
    has_said_all: bool,
    fault: Option<AnswerEnd>,
}

impl Answer {
    /// Makes a reader that counts events; with `keep_text` it also collects the output text.
    pub fn new(protocol: Protocol, keep_text: bool) -> Self {
        let mut answer = Self::default();
        answer.body.protocol = protocol;
        answer.body.text = keep_text.then(String::new);
        answer
    }

    /// Gets ready for the next answer.
    pub fn reset(&mut self) {
        self.http.reset();
        let text = self.body.text.take().map(|_| String::new());
        let mut kept = std::mem::take(&mut self.body.kept);
        kept.clear();
        let mut template = std::mem::take(&mut self.body.template);
        template.forget();
        self.body = Body {
            protocol: self.body.protocol,
            kept,
            text,
            template,
            ..Body::default()
        };
    }

    /// Takes bytes that were received at `at`. Returns the end, once it is known.
    pub fn push(&mut self, bytes: &[u8], at: Offset) -> Option<AnswerEnd> {
        let body = &mut self.body;
        let pushed = self.http.push(bytes, &mut |part| body.take(part, at));
        match pushed {
            Err(fault) => Some(self.body.fault.take().unwrap_or_else(|| broken(&fault))),
            Ok(()) => self.ended(),
        }
    }

    /// Says that the connection closed at `at`.
    pub fn close(&mut self, at: Offset) -> AnswerEnd {
        let body = &mut self.body;
        match self.http.close(&mut |part| body.take(part, at)) {
            Ok(()) => self.body.verdict(),
            Err(fault) => self.body.fault.take().unwrap_or_else(|| {
                // A stream that had said its last word lost nothing by the missing chunk end.
                if self.body.has_said_all {
                    self.body.verdict()
                } else {
                    broken(&fault)
                }
            }),
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
        self.body.fault.take()
    }

    /// Says that the protocol has ended the answer; its last bytes were received at `at`.
    pub fn end(&mut self, at: Offset) -> AnswerEnd {
        self.body.take(Part::End, at);
        self.body.verdict()
    }

    /// Says that the protocol broke the answer off, and how. A stream that had said its last word
    /// lost nothing.
    pub fn broken(&mut self, outcome: Outcome, detail: String) -> AnswerEnd {
        if self.body.has_said_all {
            self.body.verdict()
        } else {
            failure(outcome, Some(detail))
        }
    }

    /// Whether nothing of the answer has come yet: a request that may be sent again.
    pub fn is_untouched(&self) -> bool {
        self.body.head.is_none()
    }

    /// Whether the stream has said its last word: only the end of HTTP may be missing.
    pub fn has_said_all(&self) -> bool {
        self.body.has_said_all
    }

    /// Whether the connection can carry another request.
    pub fn keep_alive(&self) -> bool {
        self.http.is_done() && self.http.keep_alive()
    }

    /// The head, once it has come.
    pub fn head(&self) -> Option<&Head> {
        self.body.head.as_ref()
    }

    /// The events so far.
    pub fn events(&self) -> &[StreamEvent] {
        &self.body.events
    }

    /// Takes the events out.
    pub fn take_events(&mut self) -> Vec<StreamEvent> {
        std::mem::take(&mut self.body.events)
    }

    /// Token counts so far.
    pub fn usage(&self) -> Usage {
        self.body.usage
    }

    /// The output text, if it is kept.
    pub fn text(&self) -> Option<&str> {
        self.body.text.as_deref()
    }

    fn ended(&mut self) -> Option<AnswerEnd> {
        if self.body.fault.is_some() {
            return self.body.fault.take();
        }
        // Without framing, the last word is the end: the server may keep the connection open.
        let is_over = self.http.is_done() || (self.body.has_said_all && self.http.ends_at_close());
        is_over.then(|| self.body.verdict())
    }
}

/// Enters an event with a choice, and its text where that is kept.
fn take_output(events: &mut Vec<StreamEvent>, kept: Option<&mut String>, text: &str, at: Offset) {
    events.push(StreamEvent {
        at,
        output: !text.is_empty(),
    });
    if let Some(kept) = kept {
        kept.push_str(text);
    }
}

impl Body {
    fn take(&mut self, part: Part<'_>, at: Offset) {
        match part {
            Part::Head(head) => self.take_head(head),
            Part::Body(bytes) if self.is_stream => self.take_stream(bytes, at),
            Part::Body(bytes) => {
                let room = MAX_KEPT_BODY.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            Part::End if self.is_stream => self.end_stream(at),
            Part::End if self.is_ok() => {
                let kept = std::mem::take(&mut self.kept);
                self.take_payload(&kept, at);
                self.finished |= self.fault.is_none();
                self.kept = kept;
            }
            Part::End => {}
        }
    }

    fn take_head(&mut self, head: &Head) {
        let framing = self.protocol.framing();
        self.head = Some(head.clone());
        self.is_stream = self.is_ok() && head.content_type.starts_with(framing.content_type());
        self.frames = framing.frames();
    }

    fn is_ok(&self) -> bool {
        self.head
            .as_ref()
            .is_some_and(|head| (200..300).contains(&head.status))
    }

    fn take_stream(&mut self, bytes: &[u8], at: Offset) {
        let mut frames = std::mem::take(&mut self.frames);
        frames.push(bytes, &mut |payload| self.take_payload(payload, at));
        if frames.is_too_long() && self.fault.is_none() {
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

    fn take_payload(&mut self, payload: &[u8], at: Offset) {
        if self.fault.is_some() || payload.is_empty() {
            return;
        }
        if let Some(text) = self.template.text(payload) {
            return take_output(&mut self.events, self.text.as_mut(), text, at);
        }
        match self.protocol.locate(payload) {
            Ok(located) => {
                if let Some(text) = located.text {
                    self.template.learn(payload, text, located.ignored);
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
            take_output(&mut self.events, self.text.as_mut(), &chunk.text, at);
        }
        self.finished |= chunk.finished;
        self.has_said_all |= chunk.is_last;
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
        format!(
            "{fault}: {}",
            String::from_utf8_lossy(&data[..data.len().min(120)])
        )
    }

    /// The outcome of an answer whose HTTP response is complete.
    fn verdict(&mut self) -> AnswerEnd {
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
            failure(Outcome::Completed, None)
        } else {
            failure(Outcome::Empty, Some("no output in the answer".to_owned()))
        }
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
mod tests {
    use super::*;

    const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

    fn answer(response: &str) -> (Answer, AnswerEnd) {
        let mut answer = Answer::new(Protocol::Completions, true);
        let pushed = answer.push(response.as_bytes(), Offset::from_nanos(7));
        let end = pushed.unwrap_or_else(|| answer.close(Offset::from_nanos(9)));
        (answer, end)
    }

    fn outcome(response: &str) -> Outcome {
        answer(response).1.outcome
    }

    fn stream(body: &str) -> Outcome {
        outcome(&format!("{STREAM_HEAD}{body}"))
    }

    const TOKEN: &str = "data: {\"choices\":[{\"text\":\" a\"}]}\n\n";
    const FINISH: &str = "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\n";

    #[test]
    fn each_way_to_end_has_its_outcome() {
        assert_eq!(
            stream(&format!("{TOKEN}{FINISH}data: [DONE]\n\n")),
            Outcome::Completed
        );
        assert_eq!(stream(&format!("{TOKEN}{FINISH}")), Outcome::Completed);
        assert_eq!(
            stream(&format!("{TOKEN}data: [DONE]\n\n")),
            Outcome::Completed
        );
        assert_eq!(stream(TOKEN), Outcome::EndedEarly);
        assert_eq!(stream(&format!("{FINISH}data: [DONE]\n\n")), Outcome::Empty);
        assert_eq!(
            stream(&format!(
                "{TOKEN}data: {{\"error\":{{\"message\":\"x\"}}}}\n\n"
            )),
            Outcome::ErrorEvent
        );
        assert_eq!(
            stream(&format!("{TOKEN}data: oops\n\n")),
            Outcome::Malformed
        );
        let refused = "HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\nno";
        assert_eq!(outcome(refused), Outcome::HttpStatus { status: 429 });
        let cut = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{TOKEN}\r\n",
            TOKEN.len()
        );
        assert_eq!(outcome(&cut), Outcome::Reset);
        assert_eq!(outcome("garbage\r\n\r\n"), Outcome::Malformed);
    }

    /// A stream in parts, as HTTP/2 has it.
    fn framed(status: u16, content_type: &str, body: &str) -> (Answer, AnswerEnd) {
        let mut answer = Answer::new(Protocol::Completions, true);
        answer.take_head(&Head {
            status,
            content_type: content_type.to_owned(),
            ..Head::default()
        });
        let told = answer.body(body.as_bytes(), Offset::from_nanos(7));
        let end = told.unwrap_or_else(|| answer.end(Offset::from_nanos(9)));
        (answer, end)
    }

    #[test]
    fn parts_end_in_the_same_ways_as_bytes() {
        let stream = |body: &str| framed(200, "text/event-stream", body).1.outcome;
        assert_eq!(
            stream(&format!("{TOKEN}{FINISH}data: [DONE]\n\n")),
            Outcome::Completed
        );
        assert_eq!(stream(TOKEN), Outcome::EndedEarly);
        assert_eq!(stream(FINISH), Outcome::Empty);
        let fault = "data: {\"error\":{\"message\":\"x\"}}\n\n";
        assert_eq!(stream(fault), Outcome::ErrorEvent);
        assert_eq!(stream("data: oops\n\n"), Outcome::Malformed);
        let (_, end) = framed(429, "text/plain", "no");
        assert_eq!(end.outcome, Outcome::HttpStatus { status: 429 });
        assert_eq!(end.detail.as_deref(), Some("no"));
        let whole = r#"{"choices":[{"text":"ab","finish_reason":"stop"}]}"#;
        let (answer, end) = framed(200, "application/json", whole);
        assert_eq!(end.outcome, Outcome::Completed);
        assert_eq!(answer.events()[0].at, Offset::from_nanos(9));
    }

    #[test]
    fn a_stream_that_breaks_after_its_last_word_is_complete() {
        let broken = |body: &str| {
            let mut answer = Answer::default();
            answer.take_head(&Head {
                status: 200,
                content_type: "text/event-stream".to_owned(),
                ..Head::default()
            });
            assert_eq!(answer.body(body.as_bytes(), Offset::ZERO), None);
            answer.broken(Outcome::Reset, "RST_STREAM".to_owned())
        };
        let end = broken(TOKEN);
        assert_eq!(end.outcome, Outcome::Reset);
        assert_eq!(end.detail.as_deref(), Some("RST_STREAM"));
        let done = broken(&format!("{TOKEN}data: [DONE]\n\n"));
        assert_eq!(done.outcome, Outcome::Completed);
    }

    #[test]
    fn a_whole_answer_is_one_event() {
        let body = r#"{"choices":[{"text":"ab","finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
        let (answer, end) = answer(&format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(end.outcome, Outcome::Completed);
        assert_eq!(answer.events().len(), 1);
        assert_eq!(answer.usage().completion_tokens, Some(2));
        assert_eq!(answer.text(), Some("ab"));
    }

    #[test]
    fn a_web_page_is_called_one() {
        let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
        let end = answer(page).1;
        assert_eq!(end.outcome, Outcome::Malformed);
        assert!(end.detail.unwrap().contains("web page"));
    }

    #[test]
    fn the_servers_own_words_are_kept() {
        let body = r#"{"error":{"message":"model `x` does not exist"}}"#;
        let response = format!(
            "HTTP/1.1 404 NF\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(
            answer(&response).1.detail.as_deref(),
            Some("model `x` does not exist")
        );
    }

    #[test]
    fn role_only_and_keep_alive_events_are_not_output() {
        let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n";
        let (answer, end) = answer(&format!("{STREAM_HEAD}: ping\n\n{role}{TOKEN}{FINISH}"));
        assert_eq!(end.outcome, Outcome::Completed);
        let output: Vec<bool> = answer.events().iter().map(|event| event.output).collect();
        assert_eq!(output, vec![false, true, false]);
    }

    #[test]
    fn a_reset_reader_reads_the_next_answer() {
        let (mut reader, _) = answer(&format!("{STREAM_HEAD}{TOKEN}{FINISH}"));
        reader.reset();
        assert!(reader.is_untouched());
        let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(
            reader.push(ok.as_bytes(), Offset::ZERO).unwrap().outcome,
            Outcome::EndedEarly
        );
        assert!(reader.keep_alive());
    }
}
