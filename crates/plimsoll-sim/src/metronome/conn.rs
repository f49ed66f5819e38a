//! One connection: requests in, at most one answer out at a time.

use super::answer::Answer;
use super::ask::{Ask, Defaults};
use super::request::{Head, Parser, Request, Route};
use super::transport::{Reader, Transport};
use crate::server::error::ApiError;
use std::io::{self, ErrorKind};

/// Most bytes kept of a client that sends on while it is being answered.
const CARRY_LIMIT_BYTES: usize = 32 << 20;
/// A buffer above this is given back once its request is read.
const KEPT_BYTES: usize = 4 << 10;

/// How far a connection is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Requests are answered.
    Open,
    /// Nothing more is answered, but something is still to be written.
    Ending,
    /// All is written; the client is to close.
    Ended,
}

/// A connection and where it stands.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) transport: Transport,
    parser: Parser,
    /// The beginning of a request of which more must come.
    carry: Vec<u8>,
    /// When the latest bytes came, in ns.
    read_ns: u64,
    /// What is being answered.
    pub(super) answer: Option<Answer>,
    /// Whether a write that was due waits for the client to read.
    pub(super) stalled: bool,
    pub(super) phase: Phase,
}

/// A request as far as it concerns a worker.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) head: Head,
    /// What is to be generated, if that was asked for.
    pub(super) ask: Option<Result<Ask, ApiError>>,
    pub(super) received_ns: u64,
}

/// What a read came to.
#[derive(Debug)]
pub(super) enum Heard {
    /// There was nothing to read.
    Nothing,
    /// Bytes came, and more may be there.
    More,
    /// Bytes came, and that was all.
    Some,
}

impl Conn {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport,
            parser: Parser::default(),
            carry: Vec::new(),
            read_ns: 0,
            answer: None,
            stalled: false,
            phase: Phase::Open,
        }
    }

    /// Reads once, and returns the request that became complete with it.
    pub(super) fn read(
        &mut self,
        reader: &mut Reader,
        defaults: &Defaults,
    ) -> io::Result<(Heard, Option<Result<Question, ApiError>>)> {
        let Some(input) = self.transport.read(reader)? else {
            return Ok((Heard::Nothing, None));
        };
        let heard = if input.more { Heard::More } else { Heard::Some };
        if input.bytes.is_empty() || self.phase != Phase::Open {
            return Ok((heard, None));
        }
        self.read_ns = input.at_ns;
        if self.answer.is_some() || !self.carry.is_empty() {
            self.carry.extend_from_slice(input.bytes);
            if self.carry.len() > CARRY_LIMIT_BYTES {
                return Err(ErrorKind::OutOfMemory.into());
            }
            let asked = self.next(defaults);
            self.encourage()?;
            return Ok((heard, asked));
        }
        // The usual case: the request came whole, and is read where it lies.
        let polled = self.parser.poll(input.bytes);
        let used = used(&polled, input.bytes);
        let asked = asked(polled, self.read_ns, defaults);
        self.carry.extend_from_slice(&input.bytes[used..]);
        self.encourage()?;
        Ok((heard, asked))
    }

    /// Returns the request that the bytes kept so far hold, unless another is being answered.
    pub(super) fn next(&mut self, defaults: &Defaults) -> Option<Result<Question, ApiError>> {
        if self.answer.is_some() || self.phase != Phase::Open || self.carry.is_empty() {
            return None;
        }
        let polled = self.parser.poll(&self.carry);
        let used = used(&polled, &self.carry);
        let asked = asked(polled, self.read_ns, defaults);
        self.carry.drain(..used);
        if self.carry.is_empty() && self.carry.capacity() > KEPT_BYTES {
            self.carry = Vec::new();
        }
        asked
    }

    /// Ends the server's side as soon as all is written; the client sees that and closes.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.transport.blocked() {
            self.phase = Phase::Ending;
            return Ok(());
        }
        self.phase = Phase::Ended;
        self.transport.end()
    }

    /// Tells a client that waits to be told to send its body.
    fn encourage(&mut self) -> io::Result<()> {
        if self.parser.take_expectation() {
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        Ok(())
    }
}

/// How much of `data` is done with: all of it if it is no request.
fn used(polled: &Result<Option<Request<'_>>, ApiError>, data: &[u8]) -> usize {
    match polled {
        Ok(request) => request.as_ref().map_or(0, |request| request.used),
        Err(_) => data.len(),
    }
}

fn asked(
    polled: Result<Option<Request<'_>>, ApiError>,
    received_ns: u64,
    defaults: &Defaults,
) -> Option<Result<Question, ApiError>> {
    let request = polled.transpose()?;
    Some(request.map(|Request { head, body, .. }| {
        let ask = match head.route {
            Route::Generate(protocol) => Some(Ask::read(protocol, &body, defaults)),
            _ => None,
        };
        Question {
            head,
            ask,
            received_ns,
        }
    }))
}
