//! An HTTP/1.1 response from bytes (RFC 9112): head by `httparse`, body by length, by chunks or to
//! the close of the connection. Any split of the same bytes gives the same parts.

use super::chunked::ChunkedReader;
use super::fault::{HttpFault, MAX_HEAD_BYTES};
use super::retry_after::retry_after_s;

const MAX_HEADERS: usize = 96;

/// The head of a response: what a client of these protocols needs of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// HTTP status code.
    pub status: u16,
    /// `Content-Type` in lower case, empty if there is none.
    pub content_type: String,
    /// `Content-Encoding` in lower case, empty if there is none.
    pub content_encoding: String,
    /// `Location` of a redirect.
    pub location: Option<String>,
    /// `Retry-After` in seconds, be it given as a number or as a date.
    pub retry_after_s: Option<u32>,
}

/// A part of a response, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The head is complete.
    Head(&'a Head),
    /// Bytes of the body, chunk framing removed.
    Body(&'a [u8]),
    /// The response is complete.
    End,
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(ChunkedReader),
    UntilClose,
    Done,
}

/// Reads one response after another from one connection.
#[derive(Debug)]
pub struct ResponseReader {
    state: State,
    /// Bytes of an incomplete head.
    carry: Vec<u8>,
    /// Whether the connection may be used again after this response.
    keep_alive: bool,
}

impl Default for ResponseReader {
    fn default() -> Self {
        Self {
            state: State::Head,
            carry: Vec::new(),
            keep_alive: true,
        }
    }
}

impl ResponseReader {
    /// Makes a reader at the start of a response.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the response is complete.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether the server keeps the connection open for another request.
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Gets ready for the next response on the same connection.
    pub fn reset(&mut self) {
        self.state = State::Head;
        self.carry.clear();
        self.keep_alive = true;
    }

    /// Takes the next bytes and gives the parts they complete. Bytes after the end are ignored.
    ///
    /// # Errors
    /// The bytes are not a response; the connection is of no further use.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        on_part: &mut impl FnMut(Part<'_>),
    ) -> Result<(), HttpFault> {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Head => bytes = self.push_head(bytes, on_part)?,
                State::Length(left) => {
                    let take = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *left -= take as u64;
                    let ended = *left == 0;
                    on_part(Part::Body(&bytes[..take]));
                    bytes = &bytes[take..];
                    if ended {
                        self.end(on_part);
                    }
                }
                State::Chunked(chunked) => {
                    bytes = chunked.push(bytes, &mut |data| on_part(Part::Body(data)))?;
                    if chunked.is_done() {
                        self.end(on_part);
                    }
                }
                State::UntilClose => {
                    on_part(Part::Body(bytes));
                    return Ok(());
                }
                State::Done => {
                    // Bytes that nobody asked for: they must not become the next answer.
                    self.keep_alive = false;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether only the close of the connection ends the body.
    pub fn ends_at_close(&self) -> bool {
        matches!(self.state, State::UntilClose)
    }

    /// Says that the connection closed.
    ///
    /// # Errors
    /// The response was not complete.
    pub fn close(&mut self, on_part: &mut impl FnMut(Part<'_>)) -> Result<(), HttpFault> {
        match self.state {
            State::UntilClose => {
                self.end(on_part);
                Ok(())
            }
            State::Done => Ok(()),
            _ => Err(HttpFault::Truncated),
        }
    }

    fn end(&mut self, on_part: &mut impl FnMut(Part<'_>)) {
        self.state = State::Done;
        on_part(Part::End);
    }

    /// Parses a head straight from the read where it came whole, else from the carry.
    fn push_head<'a>(
        &mut self,
        bytes: &'a [u8],
        on_part: &mut impl FnMut(Part<'_>),
    ) -> Result<&'a [u8], HttpFault> {
        let carried = self.carry.len();
        let parsed = if carried == 0 {
            parse_head(bytes)?
        } else {
            self.carry.extend_from_slice(bytes);
            parse_head(&self.carry)?
        };
        let Some(parsed) = parsed else {
            if carried == 0 {
                self.carry.extend_from_slice(bytes);
            }
            return if self.carry.len() > MAX_HEAD_BYTES {
                Err(HttpFault::HeadTooLong)
            } else {
                Ok(&[])
            };
        };
        self.carry.clear();
        let rest = &bytes[parsed.length - carried..];
        match parsed.head.status {
            // Another protocol was not asked for (RFC 9110 §15.2.2), and would not be read here.
            101 => return Err(HttpFault::NotHttp("it switches to another".to_owned())),
            100..200 => return Ok(rest),
            _ => {}
        }
        self.keep_alive = parsed.keep_alive;
        self.state = parsed.body;
        on_part(Part::Head(&parsed.head));
        match self.state {
            State::Length(0) => self.end(on_part),
            State::UntilClose => self.keep_alive = false,
            _ => {}
        }
        Ok(rest)
    }
}

struct ParsedHead {
    head: Head,
    length: usize,
    keep_alive: bool,
    body: State,
}

fn parse_head(bytes: &[u8]) -> Result<Option<ParsedHead>, HttpFault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(HttpFault::NotHttp(error.to_string())),
    };
    let mut head = Head {
        status: response.code.unwrap_or(0),
        ..Head::default()
    };
    let mut keep_alive = response.version == Some(1);
    let mut content_length = None;
    let mut transfer = String::new();
    let (mut retry_after, mut date) = (None, None);
    for header in response.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        let value = value.trim();
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => content_length = Some(length_of(value, content_length)?),
            "transfer-encoding" => add_to_list(&mut transfer, value),
            "content-encoding" => add_to_list(&mut head.content_encoding, value),
            "connection" => match value.to_ascii_lowercase().as_str() {
                "close" => keep_alive = false,
                "keep-alive" => keep_alive = true,
                _ => {}
            },
            "content-type" => head.content_type = value.to_ascii_lowercase(),
            "location" => head.location = Some(value.to_owned()),
            "retry-after" => retry_after = Some(value.to_owned()),
            "date" => date = Some(value.to_owned()),
            _ => {}
        }
    }
    head.retry_after_s = retry_after.and_then(|text| retry_after_s(&text, date.as_deref()));
    // Who states both may have been misread by something in between (RFC 9112 §6.1).
    keep_alive &= transfer.is_empty() || content_length.is_none();
    let body = match transfer.as_str() {
        _ if matches!(head.status, 204 | 304) => State::Length(0),
        "" => content_length.map_or(State::UntilClose, State::Length),
        "chunked" => State::Chunked(ChunkedReader::new()),
        "identity" => State::UntilClose,
        other => return Err(HttpFault::UnknownCoding(other.to_owned())),
    };
    Ok(Some(ParsedHead {
        head,
        length,
        keep_alive,
        body,
    }))
}

/// A length, which may be stated several times if it is the same each time (RFC 9110 §8.6).
fn length_of(value: &str, known: Option<u64>) -> Result<u64, HttpFault> {
    let bad = || HttpFault::BadLength(value.to_owned());
    let mut lengths = value.split(',').map(|length| {
        let length = length.trim();
        let is_number = !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_digit());
        length.parse().ok().filter(|_| is_number)
    });
    let first: u64 = known.or(lengths.clone().next().flatten()).ok_or_else(bad)?;
    let is_one = lengths.all(|length| length == Some(first));
    is_one.then_some(first).ok_or_else(bad)
}

/// Adds to a list of names in lower case; a header that comes again goes on with its list.
fn add_to_list(list: &mut String, value: &str) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push_str(&value.to_ascii_lowercase());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Seen {
        status: u16,
        body: Vec<u8>,
        ended: bool,
        fault: Option<HttpFault>,
    }

    fn read(pieces: &[&[u8]], close: bool) -> Seen {
        let mut reader = ResponseReader::new();
        let mut seen = Seen::default();
        let mut fault = None;
        let mut on_part = |part: Part<'_>| match part {
            Part::Head(head) => seen.status = head.status,
            Part::Body(bytes) => seen.body.extend_from_slice(bytes),
            Part::End => seen.ended = true,
        };
        for piece in pieces {
            fault = fault.or(reader.push(piece, &mut on_part).err());
        }
        if close {
            fault = fault.or(reader.close(&mut on_part).err());
        }
        seen.fault = fault;
        seen
    }

    #[test]
    fn bodies_by_length_by_chunks_and_to_the_close() {
        let table: [(&[u8], bool, &[u8], bool); 5] = [
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
                false,
                b"abc",
                true,
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                false,
                b"abc",
                true,
            ),
            (b"HTTP/1.1 200 OK\r\n\r\nabc", true, b"abc", true),
            (b"HTTP/1.1 204 No Content\r\n\r\n", false, b"", true),
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                false,
                b"x",
                true,
            ),
        ];
        for (bytes, close, body, ended) in table {
            let seen = read(&[bytes], close);
            assert_eq!(
                (seen.body.as_slice(), seen.ended, seen.fault),
                (body, ended, None)
            );
        }
    }

    #[test]
    fn a_close_in_the_middle_is_a_fault() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            b"HTTP/1.1 20",
            b"",
        ] {
            assert_eq!(read(&[bytes], true).fault, Some(HttpFault::Truncated));
        }
    }

    #[test]
    fn something_that_is_not_http_is_said_to_be() {
        assert!(matches!(
            read(&[b"SSH-2.0-OpenSSH_9\r\n"], false).fault,
            Some(HttpFault::NotHttp(_))
        ));
        let endless = vec![b'a'; MAX_HEAD_BYTES + 10];
        let head = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &endless].concat();
        assert_eq!(read(&[&head], false).fault, Some(HttpFault::HeadTooLong));
    }

    #[test]
    fn a_length_that_cannot_be_is_a_fault() {
        let fault = |headers: &str| {
            let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\nabc");
            read(&[answer.as_bytes()], true).fault
        };
        for headers in [
            "Content-Length: 3\r\nContent-Length: 3",
            "Content-Length: 3, 3",
        ] {
            assert_eq!(fault(headers), None, "{headers}");
        }
        for headers in [
            "Content-Length: -3",
            "Content-Length: +3",
            "Content-Length: 3\r\nContent-Length: 4",
            "Content-Length: 3, 4",
            "Content-Length: ",
            "Content-Length: 99999999999999999999",
        ] {
            let fault = fault(headers);
            assert!(
                matches!(fault, Some(HttpFault::BadLength(_))),
                "{headers}: {fault:?}"
            );
        }
        for (coding, headers) in [
            ("chunked, gzip", "Transfer-Encoding: chunked, gzip"),
            (
                "gzip, chunked",
                "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            ),
            (
                "chunked, chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            ),
        ] {
            let coding = HttpFault::UnknownCoding(coding.to_owned());
            assert_eq!(fault(headers), Some(coding), "{headers}");
        }
    }

    #[test]
    fn keep_alive_follows_version_and_header() {
        let table: [(&[u8], bool); 5] = [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                false,
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                false,
            ),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
            (b"HTTP/1.1 200 OK\r\n\r\n", false),
        ];
        for (bytes, keep_alive) in table {
            let mut reader = ResponseReader::new();
            reader.push(bytes, &mut |_| {}).unwrap();
            assert_eq!(
                reader.keep_alive(),
                keep_alive,
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_response(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            cuts in prop::collection::vec(0usize..500, 0..10),
            extension in any::<bool>(),
        ) {
            let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in &chunks {
                let extension = if extension { ";name=value" } else { "" };
                bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= bytes.len()).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            let seen = read(&pieces, true);
            prop_assert_eq!(&seen.body, &chunks.concat());
            prop_assert!(seen.ended && seen.fault.is_none());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[&bytes], true);
        }
    }
}
