//! The requests of a schedule: each says which it is, and its body follows from that.

use crate::source::{Built, RequestSource};

/// Builds them.
pub(super) struct Numbered(pub(super) &'static str);

impl RequestSource for Numbered {
    fn build(&self, index: u64) -> Built {
        Built {
            path: format!("{}?number={index}", self.0),
            body: body_of(index),
            asked_prompt_tokens: 5,
            asked_output_tokens: 9,
            ..Built::default()
        }
    }
}

/// The body of a request: of 2 to 1,600 bytes, so that some do not fit into the room of a connection.
pub(super) fn body_of(index: u64) -> Vec<u8> {
    let length = 2 + (index * 577) % 1_600;
    let byte = b'a' + (index % 26) as u8;
    vec![byte; length as usize]
}

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Which request it is.
    pub(super) request: u64,
    /// Its own length, and that of the body.
    pub(super) bytes: usize,
    pub(super) length: usize,
}

impl Head {
    /// Reads a head; `None` if there is none yet, or if it is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, _) = text.split_once("\r\n\r\n")?;
        let (_, number) = head.split_once("?number=")?;
        let (_, length) = head.split_once("Content-Length: ")?;
        let first = |text: &str| text.split([' ', '\r']).next()?.parse::<u64>().ok();
        Some(Self {
            request: first(number)?,
            bytes: head.len() + 4,
            length: first(length)? as usize,
        })
    }
}
