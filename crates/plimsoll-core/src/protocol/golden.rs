//! Streams written down from the documentation of the protocols, and what must be told of them.

use super::{Answer, AnswerEnd, Counted, Protocol, Usage};
use crate::outcome::Outcome;
use crate::time::Offset;
use crate::wire::Head;

/// What a reader told of an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) outcome: Outcome,
    pub(super) detail: Option<String>,
    /// Whether each event had output.
    pub(super) outputs: Vec<bool>,
    pub(super) text: String,
    pub(super) usage: Usage,
    /// What is believed of it, if as many tokens were asked for as events came.
    pub(super) counted: Counted,
    /// Whether its last word was heard.
    pub(super) has_said_all: bool,
}

/// What is told of a stream that comes at once.
pub(super) fn told(protocol: Protocol, body: &[u8]) -> Told {
    in_pieces(protocol, &[body])
}

/// Asserts that the stream is told the same wherever it is cut, over HTTP/1.1 and in frames, and if
/// each byte comes alone.
pub(super) fn every_cut(protocol: Protocol, body: &[u8]) {
    let whole = told(protocol, body);
    for cut in 0..=body.len() {
        let (left, right) = body.split_at(cut);
        assert_eq!(in_pieces(protocol, &[left, right]), whole, "cut at {cut}");
        assert_eq!(over_http1(protocol, &[left, right]), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(in_pieces(protocol, &bytes), whole, "byte by byte");
}

fn in_pieces(protocol: Protocol, pieces: &[&[u8]]) -> Told {
    let mut answer = Answer::new(protocol, true);
    answer.take_head(&Head {
        status: 200,
        content_type: format!("{}; charset=utf-8", protocol.framing().content_type()),
        ..Head::default()
    });
    let mut end = None;
    for piece in pieces {
        end = end.or_else(|| answer.body(piece, Offset::ZERO));
    }
    let end = end.unwrap_or_else(|| answer.end(Offset::ZERO));
    tell(&answer, end)
}

/// The same behind a head of HTTP/1.1, to the close of the connection.
fn over_http1(protocol: Protocol, pieces: &[&[u8]]) -> Told {
    let mut answer = Answer::new(protocol, true);
    let content_type = protocol.framing().content_type();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
    let mut end = answer.push(head.as_bytes(), Offset::ZERO);
    for piece in pieces {
        end = end.or_else(|| answer.push(piece, Offset::ZERO));
    }
    let end = end.unwrap_or_else(|| answer.close(Offset::ZERO));
    tell(&answer, end)
}

fn tell(answer: &Answer, end: AnswerEnd) -> Told {
    Told {
        outcome: end.outcome,
        detail: end.detail,
        outputs: answer.events().iter().map(|event| event.output).collect(),
        text: answer.text().unwrap_or_default().to_owned(),
        usage: answer.usage(),
        counted: answer.counted(answer.seen().events),
        has_said_all: answer.has_said_all(),
    }
}
