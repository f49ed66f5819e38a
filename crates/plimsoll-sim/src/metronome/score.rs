//! The bytes of answers, written once for all of them.
//!
//! All answers of a kind carry the same id and the same words; only the usage is written anew.

use super::ask::Ask;
use crate::faults::Faults;
use crate::server::ask::Kind;
use crate::server::clock::unix_seconds;
use crate::server::wire::{Label, Usage, Wire};
use std::io::Write as _;

/// The text of every token.
const WORD: &str = " wave";
const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                           transfer-encoding: chunked\r\n\r\n";
const JSON_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";

/// The bytes of one kind of answer.
#[derive(Debug)]
pub(super) struct Score {
    /// Response head, and what comes before the first token.
    opening: Vec<u8>,
    token: Vec<u8>,
    /// The last token, with the finish reason.
    finish: Vec<u8>,
    /// The usage event up to its numbers.
    usage: String,
    /// The stream's and the response's end.
    end: Vec<u8>,
    /// A whole answer up to its text, and from there to its usage.
    whole: (String, String),
}

impl Score {
    pub(super) fn new(kind: Kind, model: &str) -> Self {
        let label = Label {
            kind,
            request: 0,
            model: model.to_owned(),
            created: unix_seconds(),
        };
        let wire = Wire::new(&label, &Faults::default());
        let mut opening = STREAM_HEAD.as_bytes().to_vec();
        if kind == Kind::Chat {
            append_chunk(&mut opening, &wire.role());
        }
        let mut end = chunk(&wire.done());
        end.extend_from_slice(b"0\r\n\r\n");
        let fields = label.json_fields(true);
        Self {
            opening,
            token: chunk(&wire.text(WORD)),
            finish: chunk(&wire.finish(WORD, "length", None)),
            usage: format!(r#"data: {{{fields},"choices":[],"usage":"#),
            end,
            whole: whole_frame(&label),
        }
    }

    /// The bytes of a token that is neither the first nor the last of its answer.
    pub(super) fn token(&self) -> &[u8] {
        &self.token
    }

    /// Appends the tokens `from..to` of a streamed answer, with what belongs before and after.
    pub(super) fn append(&self, out: &mut Vec<u8>, ask: &Ask, from: u32, to: u32) {
        if from == 0 {
            out.extend_from_slice(&self.opening);
        }
        for _ in from..to.min(ask.tokens - 1) {
            out.extend_from_slice(&self.token);
        }
        if to == ask.tokens {
            out.extend_from_slice(&self.finish);
            if ask.include_usage {
                append_chunk(
                    out,
                    format!("{}{}}}\n\n", self.usage, usage(ask)).as_bytes(),
                );
            }
            out.extend_from_slice(&self.end);
        }
    }

    /// Appends the response to a request that is not streamed.
    pub(super) fn append_whole(&self, out: &mut Vec<u8>, ask: &Ask) {
        let (before, after) = &self.whole;
        let usage = usage(ask);
        let text = WORD.len() * ask.tokens as usize;
        let length = before.len() + text + after.len() + usage.len() + 1;
        out.extend_from_slice(JSON_HEAD.as_bytes());
        out.extend_from_slice(format!("{length}\r\n\r\n{before}").as_bytes());
        for _ in 0..ask.tokens {
            out.extend_from_slice(WORD.as_bytes());
        }
        out.extend_from_slice(format!("{after}{usage}}}").as_bytes());
    }
}

fn usage(ask: &Ask) -> String {
    let usage = Usage {
        prompt_tokens: ask.prompt_tokens,
        completion_tokens: ask.tokens,
    };
    usage.json().to_string()
}

fn whole_frame(label: &Label) -> (String, String) {
    let (open, close) = match label.kind {
        Kind::Completion => (r#""text":""#, r#"""#),
        Kind::Chat => (r#""message":{"role":"assistant","content":""#, r#""}"#),
    };
    let fields = label.json_fields(false);
    (
        format!(r#"{{{fields},"choices":[{{"index":0,{open}"#),
        format!(r#"{close},"logprobs":null,"finish_reason":"length"}}],"usage":"#),
    )
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
    use crate::server::ask::Kind;

    fn ask(kind: Kind, tokens: u32) -> Ask {
        Ask {
            kind,
            tokens,
            stream: true,
            include_usage: true,
            prompt_tokens: 3,
        }
    }

    #[test]
    fn any_division_of_the_tokens_gives_the_same_response() {
        for kind in [Kind::Completion, Kind::Chat] {
            let score = Score::new(kind, "sim");
            let ask = ask(kind, 5);
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
            let text = String::from_utf8(whole.clone()).unwrap();
            assert_eq!(text.matches(" wave").count(), 5);
            assert!(text.contains(r#""completion_tokens":5"#));
            assert!(text.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
            assert_eq!(whole, one_by_one);
        }
    }

    #[test]
    fn an_answer_of_one_token_finishes_with_its_first_event() {
        let score = Score::new(Kind::Completion, "sim");
        let mut out = Vec::new();
        score.append(&mut out, &ask(Kind::Completion, 1), 0, 1);
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
        for (kind, pointer) in [
            (Kind::Completion, "/choices/0/text"),
            (Kind::Chat, "/choices/0/message/content"),
        ] {
            let mut out = Vec::new();
            Score::new(kind, "a\"b").append_whole(&mut out, &ask(kind, 3));
            let text = String::from_utf8(out).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.ends_with(&format!("content-length: {}", body.len())));
            let json: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(json.pointer(pointer).unwrap(), " wave wave wave");
            assert_eq!(json["usage"]["total_tokens"], 6);
        }
    }
}
