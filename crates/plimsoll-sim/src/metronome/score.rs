//! The bytes of answers, written once for all of them.
//!
//! All answers of a kind carry the same id and the same words; only the usage is written anew.

use super::ask::Ask;
use crate::faults::Faults;
use crate::server::clock::unix_seconds;
use crate::server::generate::stream_type;
use crate::server::wire::{Finish, Label, Usage, Wire, wire};
use plimsoll_core::protocol::Protocol;
use std::io::Write as _;

/// The text of every token.
const WORD: &str = " wave";
const JSON_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";

/// The bytes of one protocol's answers.
#[derive(Debug)]
pub(super) struct Score {
    protocol: Protocol,
    wire: Box<dyn Wire>,
    /// Response head of a stream.
    head: Vec<u8>,
    token: Vec<u8>,
}

impl Score {
    pub(super) fn new(protocol: Protocol, model: &str) -> Self {
        let label = Label {
            protocol,
            request: 0,
            model: model.to_owned(),
            created: unix_seconds(),
        };
        let wire = wire(&label, &Faults::default());
        let kind = stream_type(protocol);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        Self {
            protocol,
            head: head.into_bytes(),
            token: chunk(&wire.text(WORD)),
            wire,
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The bytes of a token that is neither the first nor the last of its answer.
    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    /// Appends the tokens `from..to` of a streamed answer, with what belongs before and after.
    pub(super) fn append(&self, out: &mut Vec<u8>, ask: &Ask, from: u32, to: u32) {
        let usage = ask.include_usage.then(|| usage(ask));
        if from == 0 {
            out.extend_from_slice(&self.head);
            if let Some(opening) = self.wire.opening(usage) {
                append_chunk(out, &opening);
            }
        }
        for _ in from..to.min(ask.tokens - 1) {
            out.extend_from_slice(&self.token);
        }
        if to == ask.tokens {
            append_chunk(out, &self.wire.last(WORD, Finish::Length, usage));
            for event in self.wire.closing(Finish::Length, usage) {
                append_chunk(out, &event);
            }
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }

    /// Appends the response to a request that is not streamed.
    pub(super) fn append_whole(&self, out: &mut Vec<u8>, ask: &Ask) {
        let text = WORD.repeat(ask.tokens as usize);
        let body = self
            .wire
            .whole(&text, Some(Finish::Length), Some(usage(ask)));
        out.extend_from_slice(JSON_HEAD.as_bytes());
        out.extend_from_slice(format!("{}\r\n\r\n{body}", body.len()).as_bytes());
    }
}

fn usage(ask: &Ask) -> Usage {
    Usage {
        prompt_tokens: ask.prompt_tokens,
        completion_tokens: ask.tokens,
    }
}

fn chunk(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    append_chunk(&mut out, data);
    out
}

fn append_chunk(out: &mut Vec<u8>, data: &[u8]) {
    write!(out, "{:x}\r\n", data.len()).expect("memory takes everything");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::Score;
    use crate::metronome::ask::Ask;
    use plimsoll_core::protocol::{Answer, Protocol};
    use plimsoll_core::time::Offset;

    fn ask(protocol: Protocol, tokens: u32) -> Ask {
        Ask {
            protocol,
            tokens,
            stream: true,
            include_usage: true,
            prompt_tokens: 3,
        }
    }

    #[test]
    fn any_division_of_the_tokens_gives_the_same_response() {
        for protocol in Protocol::ALL {
            let score = Score::new(protocol, "sim");
            let ask = ask(protocol, 5);
            let mut whole = Vec::new();
            score.append(&mut whole, &ask, 0, 5);
            let mut one_by_one = Vec::new();
            for token in 0..5 {
                if (1..4).contains(&token) {
                    one_by_one.extend_from_slice(score.token());
                } else {
                    score.append(&mut one_by_one, &ask, token, token + 1);
                }
            }
            assert_eq!(whole, one_by_one);
            let mut answer = Answer::new(protocol, true);
            let end = answer.push(&whole, Offset::ZERO).expect("an end");
            assert!(end.outcome.is_completed(), "{protocol:?}");
            assert_eq!(answer.text(), Some(" wave wave wave wave wave"));
            assert_eq!(answer.usage().completion_tokens, Some(5));
        }
    }

    #[test]
    fn an_answer_of_one_token_finishes_with_its_first_event() {
        let score = Score::new(Protocol::Completions, "sim");
        let mut out = Vec::new();
        score.append(&mut out, &ask(Protocol::Completions, 1), 0, 1);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text.matches("data: {").count(),
            2,
            "the token and the usage"
        );
        assert!(text.contains(r#""finish_reason":"length""#));
    }

    #[test]
    fn a_whole_answer_is_json_of_the_length_it_says() {
        for protocol in Protocol::ALL {
            let mut out = Vec::new();
            Score::new(protocol, "a\"b").append_whole(&mut out, &ask(protocol, 3));
            let mut answer = Answer::new(protocol, true);
            let end = answer.push(&out, Offset::ZERO).expect("an end");
            assert!(end.outcome.is_completed(), "{protocol:?}");
            assert_eq!(answer.text(), Some(" wave wave wave"));
            assert_eq!(answer.usage().completion_tokens, Some(3));
        }
    }
}
