//! Reading an event that differs from the one before in its text alone, as most of a stream do:
//! two comparisons and a search for the closing quote, instead of a whole JSON document.
//!
//! This guesses nothing. A document that has the bytes of a known one before and after a string
//! literal, and a literal without quotes, escapes and control characters in its place, means what
//! the known one means, but for that string (RFC 8259 §7).

use std::ops::Range;

/// A known event's bytes around its text. Empty until one is learnt.
#[derive(Debug, Default)]
pub(super) struct Template {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Template {
    /// Learns from an event whose only output text stands at `text`.
    pub(super) fn learn(&mut self, data: &[u8], text: Range<usize>) {
        self.forget();
        self.before.extend_from_slice(&data[..text.start]);
        self.after.extend_from_slice(&data[text.end..]);
    }

    /// Forgets what was learnt, and keeps the room for it.
    pub(super) fn forget(&mut self) {
        self.before.clear();
        self.after.clear();
    }

    /// The text of an event that is like the known one; `None` if it is not, or may not be.
    pub(super) fn text<'a>(&self, data: &'a [u8]) -> Option<&'a str> {
        if self.before.is_empty() {
            return None;
        }
        let text = data
            .strip_prefix(self.before.as_slice())?
            .strip_suffix(self.after.as_slice())?;
        let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        if !text.iter().all(is_plain) {
            return None;
        }
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::openai::{locate, parse_chunk};
    use super::*;

    const EVENT: &str =
        r#"{"id":"x","choices":[{"index":0,"text":" ship","finish_reason":null}],"usage":null}"#;

    fn learnt(data: &str) -> Template {
        let mut template = Template::default();
        let (_, text) = locate(data.as_bytes()).unwrap();
        template.learn(data.as_bytes(), text.unwrap());
        template
    }

    #[test]
    fn only_the_text_may_differ() {
        let template = learnt(EVENT);
        let table = [
            (EVENT.to_owned(), Some(" ship")),
            (EVENT.replace(" ship", "船"), Some("船")),
            (EVENT.replace(" ship", ""), Some("")),
            (EVENT.replace(" ship", "a\\n"), None),
            (EVENT.replace(" ship", "a\u{1}"), None),
            (EVENT.replace(" ship", r#"a","text":"b"#), None),
            (EVENT.replace("null}]", r#""stop"}]"#), None),
            (EVENT.replace("\"x\"", "\"y\""), None),
            (EVENT[..EVENT.len() - 1].to_owned(), None),
        ];
        for (data, text) in table {
            assert_eq!(template.text(data.as_bytes()), text, "{data}");
        }
        assert_eq!(Template::default().text(b""), None);
    }

    #[test]
    fn bytes_that_are_no_text_are_left_to_the_parser() {
        let template = learnt(EVENT);
        let mut data = EVENT.as_bytes().to_vec();
        let at = EVENT.find("ship").unwrap();
        data[at] = 0xff;
        assert_eq!(template.text(&data), None);
    }

    proptest! {
        /// Whatever the template reads, the parser reads the same.
        #[test]
        fn it_agrees_with_the_parser(
            first in "[a-z ]{1,5}",
            bytes in prop::collection::vec(any::<u8>(), 0..12),
            chat in any::<bool>(),
        ) {
            let event = |text: &[u8]| {
                let (open, close) = if chat {
                    (r#"{"choices":[{"delta":{"content":""#, r#""},"finish_reason":null}]}"#)
                } else {
                    (r#"{"choices":[{"text":""#, r#"","finish_reason":null}]}"#)
                };
                [open.as_bytes(), text, close.as_bytes()].concat()
            };
            let template = learnt(std::str::from_utf8(&event(first.as_bytes())).unwrap());
            let data = event(&bytes);
            if let Some(text) = template.text(&data) {
                let chunk = parse_chunk(&data).unwrap();
                prop_assert_eq!(chunk.text, text);
                prop_assert!(chunk.has_choices && !chunk.finished);
            }
        }
    }
}
