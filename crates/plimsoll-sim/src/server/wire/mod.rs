//! The bytes of answers, protocol by protocol. What is the same in every event of a request is
//! written once.

mod anthropic;
mod ollama;
mod openai;

use crate::faults::Faults;
use bytes::{BufMut, Bytes, BytesMut};
use plimsoll_core::protocol::Protocol;
use std::fmt::Debug;

/// Token counts as a response reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: u32,
    pub(crate) completion_tokens: u32,
}

/// Names a response: its id, model and time of creation.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) protocol: Protocol,
    pub(crate) request: u64,
    pub(crate) model: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

/// Why an answer ended; each protocol has a word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// It is as long as it may become.
    Length,
    /// The model said so.
    Stop,
}

/// Writes the answer to one request. Its texts must need no JSON escapes. Counts are `None` where
/// they are not reported.
pub(crate) trait Wire: Debug + Send + Sync {
    /// What comes before the first token, if anything does.
    fn opening(&self, usage: Option<Usage>) -> Option<Bytes>;

    /// An event that carries text.
    fn text(&self, text: &str) -> Bytes;

    /// The event that carries the last text.
    fn last(&self, text: &str, finish: Finish, usage: Option<Usage>) -> Bytes;

    /// What comes after it, to the end of the stream.
    fn closing(&self, finish: Finish, usage: Option<Usage>) -> Vec<Bytes>;

    /// An error inside a stream that began well.
    fn error(&self) -> Bytes;

    /// What says nothing, and keeps a connection alive.
    fn comment(&self) -> Bytes;

    /// An answer that is not streamed; without a reason it is one that broke off.
    fn whole(&self, text: &str, finish: Option<Finish>, usage: Option<Usage>) -> String;
}

/// The writer of a response.
pub(crate) fn wire(label: &Label, faults: &Faults) -> Box<dyn Wire> {
    match label.protocol {
        Protocol::Completions | Protocol::Chat => Box::new(openai::OpenAi::new(label, faults)),
        Protocol::Ollama => Box::new(ollama::Ollama::new(label)),
        Protocol::Anthropic => Box::new(anthropic::Anthropic::new(label, faults)),
    }
}

/// An event that is the same but for its text.
#[derive(Debug)]
struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Frame {
    fn new(before: String, after: String) -> Self {
        Self {
            before: before.into_bytes(),
            after: after.into_bytes(),
        }
    }

    fn around(&self, text: &str) -> Bytes {
        let mut event = BytesMut::with_capacity(self.before.len() + text.len() + self.after.len());
        event.put_slice(&self.before);
        event.put_slice(text.as_bytes());
        event.put_slice(&self.after);
        event.freeze()
    }
}

/// How events of a stream are written.
#[derive(Debug, Clone, Copy)]
struct Sse {
    /// `data:` with or without its space.
    field: &'static str,
    /// One line end; an event ends with two.
    eol: &'static str,
}

impl Sse {
    fn new(faults: &Faults) -> Self {
        Self {
            field: if faults.no_space { "data:" } else { "data: " },
            eol: if faults.crlf { "\r\n" } else { "\n" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Finish, Label, Usage, wire};
    use crate::faults::Faults;
    use plimsoll_core::protocol::{Answer, Protocol};
    use plimsoll_core::time::Offset;
    use plimsoll_core::wire::Head;

    const USAGE: Usage = Usage {
        prompt_tokens: 2,
        completion_tokens: 3,
    };

    fn label(protocol: Protocol) -> Label {
        Label {
            protocol,
            request: 1,
            model: "a\"b".to_owned(),
            created: 1_760_000_000,
        }
    }

    /// What a client reads of an answer.
    fn read(protocol: Protocol, content_type: &str, body: &[u8]) -> (String, Answer, String) {
        let mut answer = Answer::new(protocol, true);
        answer.take_head(&Head {
            status: 200,
            content_type: content_type.to_owned(),
            ..Head::default()
        });
        let end = answer.body(body, Offset::ZERO);
        let end = end.unwrap_or_else(|| answer.end(Offset::ZERO));
        let text = answer.text().unwrap_or_default().to_owned();
        (text, answer, end.outcome.key())
    }

    #[test]
    fn a_stream_is_read_as_what_was_written() {
        for protocol in Protocol::ALL {
            for (no_space, crlf) in [(false, false), (true, true)] {
                let faults = Faults {
                    crlf,
                    no_space,
                    ..Faults::default()
                };
                let wire = wire(&label(protocol), &faults);
                let mut body = Vec::new();
                body.extend(wire.comment());
                body.extend(wire.opening(Some(USAGE)).unwrap_or_default());
                body.extend(wire.text(" 船"));
                body.extend(wire.comment());
                body.extend(wire.text(" a"));
                body.extend(wire.last(" x", Finish::Length, Some(USAGE)));
                body.extend(wire.closing(Finish::Length, Some(USAGE)).concat());
                let kind = protocol.framing().content_type();
                let (text, answer, outcome) = read(protocol, kind, &body);
                assert_eq!((text.as_str(), outcome.as_str()), (" 船 a x", "completed"));
                assert!(answer.has_said_all(), "{protocol:?}");
                assert_eq!(answer.usage().prompt_tokens, Some(2));
                assert_eq!(answer.usage().completion_tokens, Some(3));
            }
        }
    }

    #[test]
    fn a_whole_answer_and_an_error_are_read_too() {
        for protocol in Protocol::ALL {
            let wire = wire(&label(protocol), &Faults::default());
            let whole = wire.whole(" a b", Some(Finish::Stop), Some(USAGE));
            let (text, answer, outcome) = read(protocol, "application/json", whole.as_bytes());
            assert_eq!((text.as_str(), outcome.as_str()), (" a b", "completed"));
            assert_eq!(answer.usage().completion_tokens, Some(3));
            let kind = protocol.framing().content_type();
            let (_, _, outcome) = read(protocol, kind, &wire.error());
            assert_eq!(outcome, "error_event", "{protocol:?}");
        }
    }
}
