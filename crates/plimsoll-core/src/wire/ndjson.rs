//! Newline-delimited JSON from bytes: one value a line, LF or CRLF line ends, empty lines ignored
//! (the `NDJSON` specification, version 1.0.0, §3.1 and §3.2).
//!
//! Any split of the same bytes gives the same lines.

/// An unfinished line longer than this is a fault of the server, as an event of a stream is.
const MAX_LINE_BYTES: usize = 4 << 20;

/// A parser that is pushed bytes and hands each finished line to a callback.
#[derive(Debug, Default)]
pub struct NdjsonParser {
    /// The line so far, when it came in pieces.
    line: Vec<u8>,
}

impl NdjsonParser {
    /// Makes a parser at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and calls `on_line` with each line they finish, but for empty ones.
    pub fn push(&mut self, mut bytes: &[u8], on_line: &mut impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            if self.line.is_empty() {
                say(&bytes[..end], on_line);
            } else {
                self.line.extend_from_slice(&bytes[..end]);
                say(&self.line, on_line);
                self.line.clear();
            }
            bytes = &bytes[end + 1..];
        }
        self.line.extend_from_slice(bytes);
    }

    /// Says that the stream has ended: its last line may lack its line end.
    pub fn end(&mut self, on_line: &mut impl FnMut(&[u8])) {
        say(&self.line, on_line);
        self.line.clear();
    }

    /// Whether the line so far is longer than any line can be: a stream that never ends a line must
    /// not fill the memory.
    pub fn is_too_long(&self) -> bool {
        self.line.len() > MAX_LINE_BYTES
    }
}

fn say(line: &[u8], on_line: &mut impl FnMut(&[u8])) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.is_empty() {
        on_line(line);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = NdjsonParser::new();
        let mut found = Vec::new();
        let mut keep = |line: &[u8]| found.push(String::from_utf8_lossy(line).into_owned());
        for piece in pieces {
            parser.push(piece, &mut keep);
        }
        parser.end(&mut keep);
        found
    }

    #[test]
    fn a_line_ends_with_lf_or_crlf_or_with_the_stream() {
        let table: [(&str, &[&str]); 6] = [
            ("{\"a\":1}\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]),
            ("1\r\n2\r\n", &["1", "2"]),
            ("1\n\n\r\n2", &["1", "2"]),
            ("首\n", &["首"]),
            ("1", &["1"]),
            ("", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(lines(&[text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn only_a_line_that_does_not_end_gets_too_long() {
        let piece = vec![b'a'; 1 << 16];
        let mut parser = NdjsonParser::new();
        for _ in 0..MAX_LINE_BYTES / piece.len() {
            parser.push(&piece, &mut |_| {});
            assert!(!parser.is_too_long());
        }
        parser.push(b"a", &mut |_| {});
        assert!(parser.is_too_long());
        parser.push(b"\n", &mut |_| {});
        assert!(!parser.is_too_long());
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_lines(
            bytes in prop::collection::vec(
                prop::sample::select(vec![b'\n', b'\r', b'{', b'"', 0xe9, b'a']), 0..60,
            ),
            cut in 0usize..61,
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(lines(&[left, right]), lines(&[&bytes]));
        }
    }
}
