//! An answer as bytes, with what a client must know once it has so many of them.

use plimsoll_core::protocol::Protocol;

use super::dice::Dice;

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The head is whole, and has this status.
    Head(u16),
    /// An event of the answer, which carries output or not.
    Event { output: bool },
    /// The reason to finish.
    Finish,
    /// The protocol's last word.
    LastWord,
    /// The answer failed, by an event of its own.
    Error,
    /// These bytes are no answer.
    Malformed,
    /// The framing has ended.
    End,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Chunked,
    /// By a length, which is wrong by so many bytes.
    Length(isize),
    ToClose,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) bytes: Vec<u8>,
    /// After how many bytes what is known, in this order.
    pub(super) marks: Vec<(usize, Meaning)>,
    pub(super) framing: Framing,
    /// The server says that it takes another request.
    pub(super) keeps_alive: bool,
    pub(super) text: String,
    /// It is a document, which is read at the end of the body alone.
    pub(super) is_whole: bool,
}

/// A body, while it is written.
#[derive(Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    marks: Vec<(usize, Meaning)>,
    text: String,
    is_whole: bool,
}

/// Output of one, two, three and four bytes a character.
const WORDS: [&str; 5] = [" ship", "é", "首字", "🚢", " a\\n"];

impl Body {
    fn mark(&mut self, meaning: Meaning) {
        self.marks.push((self.bytes.len(), meaning));
    }

    /// Writes an event; what it means is known with the byte that ends its empty line.
    pub(super) fn event(&mut self, dice: &mut Dice, payload: &str, meanings: &[Meaning]) {
        let end = dice.pick(&["\n", "\n", "\r\n"]);
        let space = dice.pick(&[" ", ""]);
        self.bytes
            .extend(format!("data:{space}{payload}{end}{end}").bytes());
        for meaning in meanings {
            // A CR ends a line, whatever comes after it.
            let known = self.bytes.len() - (end.len() - 1);
            self.marks.push((known, *meaning));
        }
    }

    pub(super) fn comment(&mut self) {
        self.bytes.extend(b": ping\n\n");
    }

    /// Writes an event that the framing itself calls an error.
    pub(super) fn named_error(&mut self) {
        self.bytes
            .extend(b"event: error\ndata: {\"message\":\"busy\"}\n\n");
        self.mark(Meaning::Error);
    }

    /// Writes an event with output.
    pub(super) fn output(&mut self, dice: &mut Dice, protocol: Protocol) {
        let word = dice.pick(&WORDS);
        let payload = match protocol {
            Protocol::Chat => format!(
                r#"{{"choices":[{{"index":0,"delta":{{"content":"{word}"}},"finish_reason":null}}]}}"#
            ),
            _ => format!(r#"{{"choices":[{{"index":0,"text":"{word}","finish_reason":null}}]}}"#),
        };
        self.text.push_str(&word.replace("\\n", "\n"));
        self.event(dice, &payload, &[Meaning::Event { output: true }]);
    }

    /// Writes an event that is a part of the answer and has no output.
    pub(super) fn role(&mut self, dice: &mut Dice) {
        let payload = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#;
        self.event(dice, payload, &[Meaning::Event { output: false }]);
    }

    pub(super) fn finish(&mut self, dice: &mut Dice) {
        let payload = r#"{"choices":[{"index":0,"text":"","delta":{},"finish_reason":"length"}]}"#;
        let meanings = [Meaning::Event { output: false }, Meaning::Finish];
        self.event(dice, payload, &meanings);
    }

    pub(super) fn usage(&mut self, dice: &mut Dice) {
        let payload = r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":9}}"#;
        self.event(dice, payload, &[]);
    }

    pub(super) fn last_word(&mut self, dice: &mut Dice) {
        self.event(dice, "[DONE]", &[Meaning::LastWord]);
    }

    /// Writes what means nothing after the last word.
    pub(super) fn babble(&mut self, dice: &mut Dice) {
        let word = r#"{"choices":[{"text":"more","delta":{"content":"more"}}]}"#;
        let payload = dice.pick(&[word, "{", r#"{"error":{"message":"late"}}"#, "[DONE]"]);
        self.event(dice, payload, &[]);
    }

    /// Writes a document, which is known at the end of the body alone.
    pub(super) fn document(&mut self, text: &str) {
        self.bytes.extend(text.bytes());
    }

    /// Makes the document an answer as a whole.
    pub(super) fn whole_answer(&mut self) {
        let word = "whole 首字";
        self.document(&format!(
            r#"{{"choices":[{{"message":{{"content":"{word}"}},"finish_reason":"stop"}}]}}"#
        ));
        self.text.push_str(word);
        self.is_whole = true;
    }

    /// Puts HTTP around it. In chunks, so many of them as there is room for; a chunk that is
    /// `broken` has a size that is none.
    pub(super) fn framed(
        self,
        dice: &mut Dice,
        status: u16,
        framing: Framing,
        broken: bool,
    ) -> Script {
        let keeps_alive = framing != Framing::ToClose && !dice.one_in(8);
        let mut bytes = head(dice, &self, status, framing, keeps_alive).into_bytes();
        let mut marks = vec![(bytes.len(), Meaning::Head(status))];
        match framing {
            Framing::Chunked => self.in_chunks(dice, broken, &mut bytes, &mut marks),
            Framing::Length(_) | Framing::ToClose => self.as_it_is(framing, &mut bytes, &mut marks),
        }
        Script {
            bytes,
            marks,
            framing,
            keeps_alive,
            text: self.text,
            is_whole: self.is_whole,
        }
    }

    fn as_it_is(&self, framing: Framing, bytes: &mut Vec<u8>, marks: &mut Vec<(usize, Meaning)>) {
        let before = bytes.len();
        bytes.extend(&self.bytes);
        let ends = match framing {
            Framing::Length(off) => self.bytes.len().saturating_add_signed(off),
            _ => usize::MAX,
        };
        let within = self.marks.iter().filter(|(at, _)| *at <= ends);
        marks.extend(within.map(|(at, meaning)| (before + at, *meaning)));
        if ends <= self.bytes.len() {
            marks.push((before + ends, Meaning::End));
        }
    }

    fn in_chunks(
        &self,
        dice: &mut Dice,
        broken: bool,
        bytes: &mut Vec<u8>,
        marks: &mut Vec<(usize, Meaning)>,
    ) {
        let mut from = 0;
        while from < self.bytes.len() {
            if broken && dice.one_in(3) {
                bytes.extend(b"zz\r\n");
                return marks.push((bytes.len() - 3, Meaning::Malformed));
            }
            let size = (1 + dice.below(90)).min(self.bytes.len() - from);
            let extension = dice.pick(&["", "", ";a=b"]);
            bytes.extend(format!("{size:x}{extension}\r\n").bytes());
            let to = from + size;
            let within = self
                .marks
                .iter()
                .filter(|(at, _)| (from + 1..=to).contains(at));
            marks.extend(within.map(|(at, meaning)| (bytes.len() + at - from, *meaning)));
            bytes.extend(&self.bytes[from..to]);
            bytes.extend(b"\r\n");
            from = to;
        }
        if broken {
            bytes.extend(b"zz\r\n");
            return marks.push((bytes.len() - 3, Meaning::Malformed));
        }
        bytes.extend(b"0\r\n\r\n");
        marks.push((bytes.len(), Meaning::End));
    }
}

fn head(dice: &mut Dice, body: &Body, status: u16, framing: Framing, keeps_alive: bool) -> String {
    let mut head = String::new();
    if dice.one_in(8) {
        head.push_str("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    }
    let kind = if body.bytes.first() == Some(&b'{') {
        "application/json"
    } else {
        "text/event-stream; charset=utf-8"
    };
    let status = status.to_string();
    head.extend([
        "HTTP/1.1 ",
        &status,
        " Said\r\nContent-Type: ",
        kind,
        "\r\n",
    ]);
    match framing {
        Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
        Framing::Length(off) => {
            let length = body.bytes.len().saturating_add_signed(off);
            head.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
        }
        Framing::ToClose => {}
    }
    if !keeps_alive && framing != Framing::ToClose {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    head
}
