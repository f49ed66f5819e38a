//! Requests from bytes, however these are split.

use super::chunked;
use crate::server::error::ApiError;
use plimsoll_core::protocol::Protocol;
use std::borrow::Cow;

/// Largest request head, in bytes.
const HEAD_LIMIT_BYTES: usize = 64 << 10;
/// Largest request body, in bytes: a prompt of a million token ids fits.
const BODY_LIMIT_BYTES: usize = 16 << 20;
/// Most header lines; clients send a dozen.
const HEADERS: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Generate(Protocol),
    Models(Protocol),
    Health,
    Metrics,
    Truth,
    TruthRequests,
    Reset,
    Unknown,
}

impl Route {
    fn of(method: &str, target: &str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        match (method, path) {
            ("POST", "/sim/reset") => Self::Reset,
            ("GET", "/health") => Self::Health,
            ("GET", "/metrics") => Self::Metrics,
            ("GET", "/sim/truth") => Self::Truth,
            ("GET", "/sim/truth/requests") => Self::TruthRequests,
            (method, path) => Self::spoken(method, path).unwrap_or(Self::Unknown),
        }
    }

    /// The protocol that is spoken there; OpenAI's where it is none's.
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Generate(protocol) | Self::Models(protocol) => protocol,
            _ => Protocol::default(),
        }
    }

    /// What a protocol has at this path.
    fn spoken(method: &str, path: &str) -> Option<Self> {
        let mut all = Protocol::ALL.into_iter();
        match method {
            "POST" => all.find(|one| one.path() == path).map(Self::Generate),
            "GET" => all.find(|one| one.models().path == path).map(Self::Models),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyLength {
    Bytes(usize),
    Chunked,
}

/// What matters of a request's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) route: Route,
    /// The client's name for the request, from `x-request-id`.
    pub(super) id: Option<Box<str>>,
    /// Whether the connection ends with this request.
    pub(super) close: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
    body: BodyLength,
    /// Length of the head itself, in bytes.
    bytes: usize,
}

/// A complete request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) head: Head,
    /// The body, with chunked framing taken off.
    pub(super) body: Cow<'a, [u8]>,
    /// How many bytes of the data it took.
    pub(super) used: usize,
}

/// Reads one request after the other; remembers the head while its body comes.
#[derive(Debug, Default)]
pub(super) struct Parser {
    head: Option<Box<Head>>,
}

impl Parser {
    /// Looks for a whole request at the start of `data`, which holds everything since the last one.
    ///
    /// An error is the end of the connection: where the next request begins is not known.
    pub(super) fn poll<'a>(&mut self, data: &'a [u8]) -> Result<Option<Request<'a>>, ApiError> {
        let head = match self.head.take() {
            Some(head) => head,
            None => match read_head(data)? {
                Some(head) => Box::new(head),
                None => return Ok(None),
            },
        };
        let rest = &data[head.bytes.min(data.len())..];
        let body = match head.body {
            BodyLength::Bytes(count) => rest.get(..count).map(|body| (Cow::Borrowed(body), count)),
            BodyLength::Chunked => {
                chunked::decode(rest, BODY_LIMIT_BYTES)?.map(|(body, used)| (body.into(), used))
            }
        };
        let Some((body, used)) = body else {
            self.head = Some(head);
            return Ok(None);
        };
        let used = head.bytes + used;
        Ok(Some(Request {
            head: *head,
            body,
            used,
        }))
    }

    /// Whether the client now waits for `100 Continue`; says so once.
    pub(super) fn take_expectation(&mut self) -> bool {
        self.head
            .as_mut()
            .is_some_and(|head| std::mem::take(&mut head.expects_continue))
    }
}

fn read_head(data: &[u8]) -> Result<Option<Head>, ApiError> {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut lines);
    let status = request
        .parse(data)
        .map_err(|error| ApiError::bad_request(format!("malformed request: {error}")))?;
    let httparse::Status::Complete(bytes) = status else {
        if data.len() > HEAD_LIMIT_BYTES {
            return Err(ApiError::bad_request("the request's head is too large"));
        }
        return Ok(None);
    };
    let mut head = Head {
        route: Route::of(
            request.method.unwrap_or_default(),
            request.path.unwrap_or_default(),
        ),
        id: None,
        close: request.version == Some(0),
        expects_continue: false,
        body: BodyLength::Bytes(0),
        bytes,
    };
    for header in request.headers {
        head.enter(header)?;
    }
    Ok(Some(head))
}

impl Head {
    fn enter(&mut self, header: &httparse::Header<'_>) -> Result<(), ApiError> {
        let value = String::from_utf8_lossy(header.value);
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            self.body = BodyLength::Bytes(body_length(&value)?);
        } else if is("transfer-encoding") {
            if !value.trim().eq_ignore_ascii_case("chunked") {
                return Err(ApiError::bad_request("only chunked transfer is understood"));
            }
            self.body = BodyLength::Chunked;
        } else if is("connection") {
            self.close |= value.eq_ignore_ascii_case("close");
        } else if is("expect") {
            self.expects_continue = value.eq_ignore_ascii_case("100-continue");
        } else if is("x-request-id") {
            self.id = Some(value.into());
        }
        Ok(())
    }
}

fn body_length(value: &str) -> Result<usize, ApiError> {
    let count: usize = value
        .trim()
        .parse()
        .map_err(|_| ApiError::bad_request("malformed `content-length`"))?;
    if count > BODY_LIMIT_BYTES {
        return Err(ApiError::bad_request("the request's body is too large"));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::{Parser, Route};
    use plimsoll_core::protocol::Protocol;

    const PLAIN: &[u8] = b"POST /v1/completions?x=1 HTTP/1.1\r\nHost: a\r\nX-Request-ID: r1\r\n\
        Content-Length: 5\r\n\r\nhello";
    const CHUNKED: &[u8] = b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\
        Connection: close\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";

    #[test]
    fn any_split_of_the_bytes_gives_the_same_request() {
        for (bytes, protocol, id, close) in [
            (PLAIN, Protocol::Completions, Some("r1"), false),
            (CHUNKED, Protocol::Chat, None, true),
        ] {
            for split in 0..bytes.len() {
                let mut parser = Parser::default();
                assert_eq!(parser.poll(&bytes[..split]).unwrap(), None, "{split}");
                let more = [bytes, b"GET /next"].concat();
                let request = parser.poll(&more).unwrap().expect("a request");
                assert_eq!(request.head.route, Route::Generate(protocol));
                assert_eq!(request.head.id.as_deref(), id);
                assert_eq!(request.head.close, close);
                assert_eq!(*request.body, *b"hello");
                assert_eq!(request.used, bytes.len());
            }
        }
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        for bytes in [
            &b"\x16\x03\x01\x02\x00"[..],
            b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(Parser::default().poll(bytes).is_err(), "{bytes:?}");
        }
        let endless = [b"GET / HTTP/1.1\r\nA: ".to_vec(), vec![b'a'; 70_000]].concat();
        assert!(Parser::default().poll(&endless).is_err());
    }

    #[test]
    fn a_client_that_waits_to_be_told_is_told_once() {
        let mut parser = Parser::default();
        let head = b"POST /sim/reset HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n";
        assert_eq!(parser.poll(head).unwrap(), None);
        assert!(parser.take_expectation());
        assert!(!parser.take_expectation());
        let whole = [head, &b"x"[..]].concat();
        assert_eq!(
            parser.poll(&whole).unwrap().unwrap().head.route,
            Route::Reset
        );
    }
}
