//! Reading a payload that differs from the one before in its text alone, as most of a stream do:
//! two comparisons and a search for the closing quote, instead of a whole JSON document. A string
//! that says nothing, such as a time of creation, may differ as well.
//!
//! This guesses nothing. A document that has the bytes of a known one before and after a string
//! literal, and a literal without quotes, escapes and control characters in its place, means what
//! the known one means, but for that string (RFC 8259 §7).

use std::ops::Range;

use super::chunk::Aside;

/// A known payload's bytes around its text. Empty until one is learnt.
#[derive(Debug, Default)]
pub(super) struct Template {
    before: Vec<u8>,
    /// From the end of the string aside to the text; `before` ends at that string then.
    between: Vec<u8>,
    after: Vec<u8>,
    /// The string aside is the text once more.
    has_twin: bool,
}

impl Template {
    /// Learns from a payload whose only output text stands at `text`, and after a string `aside`, if
    /// that is given.
    pub(super) fn learn(&mut self, data: &[u8], text: Range<usize>, aside: Option<&Aside>) {
        self.forget();
        self.has_twin = matches!(aside, Some(Aside::Twin(_)));
        match aside {
            Some(Aside::Ignored(aside) | Aside::Twin(aside)) if aside.end < text.start => {
                self.before.extend_from_slice(&data[..aside.start]);
                self.between.extend_from_slice(&data[aside.end..text.start]);
            }
            _ => self.before.extend_from_slice(&data[..text.start]),
        }
        self.after.extend_from_slice(&data[text.end..]);
    }

    /// Forgets what was learnt, and keeps the room for it.
    pub(super) fn forget(&mut self) {
        self.before.clear();
        self.between.clear();
        self.after.clear();
    }

    /// The text of a payload that is like the known one; `None` if it is not, or may not be.
    pub(super) fn text<'a>(&self, data: &'a [u8]) -> Option<&'a str> {
        if self.before.is_empty() {
            return None;
        }
        let mut rest = data.strip_prefix(self.before.as_slice())?;
        let mut aside = None;
        if !self.between.is_empty() {
            let quote = memchr::memchr(b'"', rest)?;
            let (ignored, from_quote) = rest.split_at(quote);
            if !self.has_twin && !is_literal(ignored) {
                return None;
            }
            aside = Some(ignored);
            rest = from_quote.strip_prefix(self.between.as_slice())?;
        }
        let text = rest.strip_suffix(self.after.as_slice())?;
        if self.has_twin && aside != Some(text) {
            return None;
        }
        if !text.iter().all(|byte| is_plain(*byte)) {
            return None;
        }
        std::str::from_utf8(text).ok()
    }
}

fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// Whether the bytes are a string's without escapes. It is not read, so that it is ASCII is asked
/// for instead of valid UTF-8. Each byte is looked at, which is faster than to stop at the first.
fn is_literal(bytes: &[u8]) -> bool {
    let looked = bytes.iter();
    looked.fold(true, |is, byte| is & is_plain(*byte) & byte.is_ascii())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::openai::locate;
    use super::*;

    const EVENT: &str =
        r#"{"id":"x","choices":[{"index":0,"text":" ship","finish_reason":null}],"usage":null}"#;

    fn learnt(data: &str) -> Template {
        let mut template = Template::default();
        let located = locate(data.as_bytes()).unwrap();
        template.learn(
            data.as_bytes(),
            located.text.unwrap(),
            located.aside.as_ref(),
        );
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
    fn a_string_that_says_nothing_may_differ_too() {
        let event =
            |at: &str, text: &str| format!(r#"{{"at":"{at}","m":{{"text":"{text}"}},"z":0}}"#);
        let known = event("12:00", "a");
        let place = |part: &str| {
            let start = known.find(part).unwrap();
            start..start + part.len()
        };
        let text = place("a\"}").start;
        let mut template = Template::default();
        let aside = Aside::Ignored(place("12:00"));
        template.learn(known.as_bytes(), text..text + 1, Some(&aside));
        let table = [
            (event("12:00", "a"), Some("a")),
            (event("12:00:01.5", "船"), Some("船")),
            (event("", ""), Some("")),
            (event("1\\u0030", "b"), None),
            (event("é", "b"), None),
            (event("12:00", "b\\n"), None),
            (event(r#"1","m":"2"#, "b"), None),
            (event("12:00", "b").replace('z', "y"), None),
        ];
        for (data, text) in table {
            assert_eq!(template.text(data.as_bytes()), text, "{data}");
        }
    }

    #[test]
    fn a_text_under_two_names_must_be_the_same() {
        let event = |first: &str, second: &str| {
            format!(
                r#"{{"choices":[{{"delta":{{"reasoning":"{first}","reasoning_content":"{second}"}}}}]}}"#
            )
        };
        let template = learnt(&event("a", "a"));
        let table = [
            (event("a", "a"), Some("a")),
            (event("船", "船"), Some("船")),
            (event("", ""), Some("")),
            (event("a", ""), None),
            (event("", "a"), None),
            (event("a", "b"), None),
            (event("a\n", "a\n"), None),
        ];
        for (data, text) in table {
            assert_eq!(template.text(data.as_bytes()), text, "{data}");
        }
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
                let chunk = locate(&data).unwrap().chunk;
                prop_assert_eq!(chunk.text, text);
                prop_assert!(chunk.is_part && !chunk.finished);
            }
        }
    }
}
