//! How a stream is cut into payloads.

use crate::wire::{NdjsonParser, SseEvent, SseParser};

/// How a protocol streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events; a payload is an event's data.
    #[default]
    Sse,
    /// Newline-delimited JSON; a payload is a line.
    Ndjson,
}

impl Framing {
    /// Content type of a stream.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// Whether a body that starts with this byte, after empty lines, is a stream: content types are often
    /// wrong, and an error may come as a document where a stream was due. `is_declared` says whether
    /// the content type is that of a stream.
    pub(super) fn is_begun_by(self, first: u8, is_declared: bool) -> bool {
        match self {
            // A stream of one line is that document.
            Self::Ndjson => first != b'<',
            Self::Sse if is_declared => !matches!(first, b'{' | b'[' | b'<'),
            // A comment, `data`, `event`, `error`, `id`, `retry`, or a byte-order mark before them.
            Self::Sse => matches!(first, b':' | b'd' | b'e' | b'i' | b'r' | 0xef),
        }
    }

    /// A parser at the start of a stream.
    pub(super) fn frames(self) -> Frames {
        match self {
            Self::Sse => Frames::Sse(SseParser::new()),
            Self::Ndjson => Frames::Ndjson(NdjsonParser::new()),
        }
    }
}

/// Cuts a stream into payloads.
#[derive(Debug)]
pub(super) enum Frames {
    Sse(SseParser),
    Ndjson(NdjsonParser),
}

impl Default for Frames {
    fn default() -> Self {
        Framing::default().frames()
    }
}

impl Frames {
    /// Takes the next bytes and calls `on_payload` with each payload they finish, and with what the
    /// framing itself names an error.
    pub(super) fn push(&mut self, bytes: &[u8], on_payload: &mut impl FnMut(SseEvent<'_>)) {
        match self {
            Self::Sse(parser) => parser.push(bytes, on_payload),
            Self::Ndjson(parser) => {
                parser.push(bytes, &mut |line| on_payload(SseEvent::Data(line)));
            }
        }
    }

    /// Takes what the stream ended in, where that is a payload of its own.
    pub(super) fn end(&mut self, on_payload: &mut impl FnMut(&[u8])) {
        match self {
            // An event without its blank line is none (WHATWG HTML §9.2.6).
            Self::Sse(_) => {}
            Self::Ndjson(parser) => parser.end(on_payload),
        }
    }

    /// Whether a payload has become longer than any can be.
    pub(super) fn is_too_long(&self) -> bool {
        match self {
            Self::Sse(parser) => parser.is_too_long(),
            Self::Ndjson(parser) => parser.is_too_long(),
        }
    }
}
