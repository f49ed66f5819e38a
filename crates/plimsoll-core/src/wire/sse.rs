//! Server-sent events from bytes, as the WHATWG HTML standard defines the event stream
//! (section 9.2.6): CR, LF or CRLF line ends, an optional byte-order mark, comments, fields with
//! or without a space after the colon, several `data` lines in one event.
//!
//! Any split of the same bytes gives the same events.

const BOM: &[u8] = b"\xef\xbb\xbf";

/// An unfinished event longer than this is a fault of the server: events of these protocols are a
/// few hundred bytes, and one with the log-probabilities of a whole answer is a MB.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// What a finished event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SseEvent<'a> {
    /// Its data.
    Data(&'a [u8]),
    /// It is named `error`: its data or, where it has none, its comments (NVIDIA Dynamo). So is the
    /// value of a field `error` (older llama.cpp).
    Error(&'a [u8]),
}

/// A parser that is pushed bytes and hands each finished event to a callback.
#[derive(Debug, Default)]
pub struct SseParser {
    /// The line so far, when it came in pieces.
    line: Vec<u8>,
    /// Data of the event so far; lines joined by LF.
    data: Vec<u8>,
    /// What the event has had.
    has: Had,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    /// The first line has been seen, so a byte-order mark is no longer possible.
    begun: bool,
}

/// What an event has had so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Had {
    /// Nothing that would make it an event.
    #[default]
    Nothing,
    /// A `data` field.
    Data,
    /// The name `error`; comments are its data as long as it has no other.
    Error,
    /// Both.
    ErrorWithData,
}

impl SseParser {
    /// Makes a parser at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and calls `on_event` with each event they finish.
    pub fn push(&mut self, mut bytes: &[u8], on_event: &mut impl FnMut(SseEvent<'_>)) {
        while !bytes.is_empty() {
            if self.after_cr {
                self.after_cr = false;
                if bytes[0] == b'\n' {
                    bytes = &bytes[1..];
                    continue;
                }
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.line.extend_from_slice(bytes);
                return;
            };
            if let Some(data) = self.whole_event(bytes, end) {
                on_event(SseEvent::Data(data));
                bytes = &bytes[end + 2..];
                continue;
            }
            self.after_cr = bytes[end] == b'\r';
            if self.line.is_empty() {
                self.take_line(&bytes[..end], on_event);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&bytes[..end]);
                self.take_line(&line, on_event);
                line.clear();
                self.line = line;
            }
            bytes = &bytes[end + 1..];
        }
    }

    /// Whether the event so far is longer than any event can be: a stream that never ends a line or
    /// an event must not fill the memory.
    pub fn is_too_long(&self) -> bool {
        self.line.len() + self.data.len() > MAX_EVENT_BYTES
    }

    /// The data of an event that is one `data` line and an empty one, both here: nearly all are,
    /// and need no copy.
    fn whole_event<'a>(&self, bytes: &'a [u8], end: usize) -> Option<&'a [u8]> {
        let stands_alone = self.begun && self.line.is_empty() && self.has == Had::Nothing;
        if !stands_alone || bytes[end..].get(..2)? != b"\n\n" {
            return None;
        }
        let value = bytes[..end].strip_prefix(b"data:")?;
        Some(value.strip_prefix(b" ").unwrap_or(value))
    }

    fn take_line(&mut self, line: &[u8], on_event: &mut impl FnMut(SseEvent<'_>)) {
        let line = if self.begun {
            line
        } else {
            line.strip_prefix(BOM).unwrap_or(line)
        };
        self.begun = true;
        if line.is_empty() {
            match self.has {
                Had::Nothing => {}
                Had::Data => on_event(SseEvent::Data(&self.data)),
                Had::Error | Had::ErrorWithData => on_event(SseEvent::Error(&self.data)),
            }
            self.data.clear();
            self.has = Had::Nothing;
            return;
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        // `id`, `retry` and all other names of events do not matter to these protocols.
        match (name, self.has) {
            (b"data", Had::Nothing) => self.add(value, false, Had::Data),
            (b"data", Had::Data) => self.add(value, true, Had::Data),
            (b"data" | b"error", Had::ErrorWithData) | (b"error", Had::Data) => {
                self.add(value, true, Had::ErrorWithData);
            }
            (b"data" | b"error", Had::Error) | (b"error", Had::Nothing) => {
                // Comments were its data only for want of others.
                self.data.clear();
                self.add(value, false, Had::ErrorWithData);
            }
            (b"event", Had::Nothing) if value == b"error" => self.has = Had::Error,
            (b"event", Had::Data) if value == b"error" => self.has = Had::ErrorWithData,
            (b"", Had::Error) => self.add(value, !self.data.is_empty(), Had::Error),
            _ => {}
        }
    }

    /// Adds a line to the data of the event.
    fn add(&mut self, value: &[u8], goes_on: bool, has: Had) {
        if goes_on {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        self.has = has;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = SseParser::new();
        let mut found = Vec::new();
        for piece in pieces {
            parser.push(piece, &mut |event| {
                let (mark, data) = match event {
                    SseEvent::Data(data) => ("", data),
                    SseEvent::Error(data) => ("!", data),
                };
                found.push(format!("{mark}{}", String::from_utf8_lossy(data)));
            });
        }
        found
    }

    #[test]
    fn the_forms_of_the_standard_are_all_read() {
        let table: [(&str, &[&str]); 11] = [
            ("data: a\n\n", &["a"]),
            ("data:a\n\n", &["a"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
            ("data: a\r\rdata: b\r\r", &["a", "b"]),
            ("data: a\ndata: b\n\n", &["a\nb"]),
            (": ping\n\ndata: a\n\n", &["a"]),
            (": ping\ndata: a\n\n", &["a"]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("event: message\nid: 7\nretry: 3\ndata: a\n\n", &["a"]),
            ("data\n\n", &[""]),
            ("data:  two spaces\n\n", &[" two spaces"]),
        ];
        for (text, expected) in table {
            assert_eq!(events(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn an_event_named_error_is_one_with_whatever_it_says() {
        let table: [(&str, &[&str]); 8] = [
            ("event: error\ndata: a\n\ndata: b\n\n", &["!a", "b"]),
            ("data: a\nevent: error\n\n", &["!a"]),
            ("event: error\n: died\n\ndata: b\n\n", &["!died", "b"]),
            ("event: error\n: of\n: what\n\n", &["!of\nwhat"]),
            ("event: error\n: ping\ndata: a\n\n", &["!a"]),
            ("event: error\n\n", &["!"]),
            ("error: {\"code\":500}\n\n", &["!{\"code\":500}"]),
            ("event: errors\ndata: a\n\n", &["a"]),
        ];
        for (text, expected) in table {
            assert_eq!(
                events(&[b": hi\n\n", text.as_bytes()]),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_an_event() {
        assert!(events(&[b"data: a\n"]).is_empty());
        assert!(events(&[b"data: abc"]).is_empty());
    }

    #[test]
    fn only_an_event_that_does_not_end_gets_too_long() {
        let piece = vec![b'a'; 1 << 16];
        let pieces = MAX_EVENT_BYTES / piece.len();
        let filled = |begin: &[u8], piece: &[u8], pieces: usize| {
            let mut parser = SseParser::new();
            parser.push(begin, &mut |_| {});
            (0..pieces).for_each(|_| parser.push(piece, &mut |_| {}));
            parser.is_too_long()
        };
        assert!(filled(b"data:", &piece, pieces));
        assert!(filled(b":", &piece, pieces));
        assert!(!filled(b"data:", &piece, pieces - 1));
        let line = [b"data:".as_slice(), &piece, b"\n"].concat();
        assert!(filled(b"", &line, pieces + 1));
        let event = [line.as_slice(), b"\n"].concat();
        assert!(!filled(b"", &event, pieces + 1));
    }

    #[test]
    fn a_blank_event_is_not_dispatched() {
        assert!(events(&[b"event: ping\n\n\n\n"]).is_empty());
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "data: 首字", "data:x", "data", ": ping", "", "", "event: e", "id", "data: {\"a\":1}",
                    "event: error", "error: x",
                ]),
                0..24,
            ),
            ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r", "\r\n"]), 24),
            cuts in prop::collection::vec(0usize..400, 0..12),
            bom in any::<bool>(),
        ) {
            let mut text = if bom { "\u{feff}".to_owned() } else { String::new() };
            for (line, end) in lines.iter().zip(&ends) {
                text.push_str(line);
                text.push_str(end);
            }
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            prop_assert_eq!(events(&pieces), events(&[bytes]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = events(&[&bytes]);
        }
    }
}
