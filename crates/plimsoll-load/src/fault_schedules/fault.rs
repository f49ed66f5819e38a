//! What goes wrong with an answer, and the answer that has it.

use plimsoll_core::protocol::Protocol;

use super::dice::Dice;
use super::plan::{ENDS, Then};
use super::script::{Body, Framing, Meaning, Script};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    /// It ends, or stands still, somewhere.
    Cut(Then),
    /// It says nothing and ends: if it has answered before, as if for being idle.
    AtOnce,
    /// It stands still for long.
    Stall,
    Status,
    ErrorEvent,
    NamedError,
    MalformedHead,
    MalformedChunk,
    MalformedJson,
    /// A finish reason, and no last word.
    NoLastWord,
    /// Neither.
    NoEnd,
    /// A last word, and no end of the framing.
    NoFraming(Then),
    WrongLength,
    /// More than the answer comes.
    Extra,
    /// It goes on after its last word.
    Babble,
    NoOutput,
    /// A document where a stream was asked for.
    Whole,
}

impl Fault {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        if dice.one_in(3) {
            return Self::Nothing;
        }
        let then = dice.pick(&ENDS);
        dice.pick(&[
            Self::Cut(then),
            Self::Cut(then),
            Self::Cut(then),
            Self::AtOnce,
            Self::AtOnce,
            Self::Stall,
            Self::Status,
            Self::Status,
            Self::ErrorEvent,
            Self::NamedError,
            Self::MalformedHead,
            Self::MalformedChunk,
            Self::MalformedJson,
            Self::NoLastWord,
            Self::NoEnd,
            Self::NoFraming(then),
            Self::WrongLength,
            Self::Extra,
            Self::Babble,
            Self::NoOutput,
            Self::Whole,
        ])
    }
}

/// Writes an answer with a fault.
pub(super) fn script(dice: &mut Dice, protocol: Protocol, fault: Fault) -> Script {
    let framing = framing(dice, fault);
    match fault {
        Fault::MalformedHead => malformed_head(dice),
        Fault::Status => refusal(dice, framing),
        Fault::Whole => {
            let mut body = Body::default();
            body.whole_answer();
            body.framed(dice, 200, framing, false)
        }
        _ => {
            let body = stream(dice, protocol, fault);
            let mut script = body.framed(dice, 200, framing, fault == Fault::MalformedChunk);
            if fault == Fault::Extra {
                script.bytes.extend(b"HTTP/1.1 200 OK\r\n");
            }
            script
        }
    }
}

fn framing(dice: &mut Dice, fault: Fault) -> Framing {
    let any = dice.pick(&[
        Framing::Chunked,
        Framing::Chunked,
        Framing::Length(0),
        Framing::ToClose,
    ]);
    match fault {
        Fault::MalformedChunk => Framing::Chunked,
        Fault::WrongLength => Framing::Length(dice.pick(&[-60, -9, -1, 1, 40])),
        // Else the close is the end.
        Fault::NoFraming(_) | Fault::Extra => dice.pick(&[Framing::Chunked, Framing::Length(0)]),
        _ => any,
    }
}

fn malformed_head(dice: &mut Dice) -> Script {
    let bytes = dice.pick(&[
        "SSH-2.0-x\r\n",
        "\u{1}\u{2}\u{3}",
        "HTTP/2.0 200 OK\r\n\r\n",
    ]);
    Script {
        bytes: bytes.as_bytes().to_vec(),
        marks: vec![(bytes.len(), Meaning::Malformed)],
        framing: Framing::ToClose,
        keeps_alive: false,
        text: String::new(),
        is_whole: false,
    }
}

fn refusal(dice: &mut Dice, framing: Framing) -> Script {
    let status = dice.pick(&[400, 401, 404, 413, 422, 429, 429, 500, 502, 503, 504]);
    let mut body = Body::default();
    body.document(dice.pick(&[
        r#"{"error":{"message":"no"}}"#,
        "no upstream",
        "",
        "data: [DONE]\n\n",
    ]));
    body.framed(dice, status, framing, false)
}

fn stream(dice: &mut Dice, protocol: Protocol, fault: Fault) -> Body {
    let mut body = Body::default();
    if dice.one_in(3) {
        body.comment();
    }
    if dice.one_in(2) {
        body.role(dice);
    }
    let outputs = if fault == Fault::NoOutput {
        0
    } else {
        1 + dice.below(7)
    };
    let wrong = dice.below(outputs + 1);
    for number in 0..=outputs {
        if number == wrong {
            go_wrong(dice, &mut body, fault);
        }
        if number < outputs {
            body.output(dice, protocol);
        }
    }
    if fault == Fault::NoEnd {
        return body;
    }
    if fault == Fault::NoLastWord || !dice.one_in(6) {
        body.finish(dice);
    }
    if dice.one_in(2) {
        body.usage(dice);
    }
    if fault != Fault::NoLastWord {
        body.last_word(dice);
    }
    if fault == Fault::Babble {
        body.babble(dice);
    }
    body
}

fn go_wrong(dice: &mut Dice, body: &mut Body, fault: Fault) {
    match fault {
        Fault::ErrorEvent => body.event(dice, r#"{"error":{"message":"busy"}}"#, &[Meaning::Error]),
        Fault::NamedError => body.named_error(),
        Fault::MalformedJson => {
            let payload = dice.pick(&["{\"choices\":[", "<html>", "7"]);
            body.event(dice, payload, &[Meaning::Malformed]);
        }
        _ => {}
    }
}
