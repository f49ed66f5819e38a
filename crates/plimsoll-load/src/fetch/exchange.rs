//! The exchange itself, in either version of HTTP.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::run::HttpVersion;
use plimsoll_core::wire::{Decoder, Head, HttpFault, Part, ResponseReader};

use super::{BreakFault, FetchError, Response};
use crate::clock::Clock;
use crate::connect::{ConnectFault, Connector, ProxyFault};
use crate::connection::{Connection, READ_BYTES};
use crate::http2::{Fault, Lease};
use crate::link::{self, Link};
use crate::request::head::{head_and_body, http2_head};
use crate::source::Built;
use crate::stamps::Stamps;
use crate::target::Target;

/// Longest body that is taken, bytes; four times as many as are received, with all framing, are a
/// fault.
const MAX_BODY: usize = 16 << 20;
const MAX_RECEIVED: u64 = 4 * MAX_BODY as u64;

pub(super) async fn exchange(
    connector: &Connector,
    target: &Target,
    method: &str,
    built: &Built,
) -> Result<Response, FetchError> {
    let stamps = Rc::new(Stamps::new(Clock::start(), Arc::default()));
    let opened = link::open(connector, target.http, &stamps).await;
    let (link, times) = opened.map_err(|source| FetchError::Connect {
        authority: target.authority(),
        source,
    })?;
    let mut response = Response {
        connect: times,
        ..Response::default()
    };
    match link {
        Link::Http1(mut connection) => {
            let bytes = head_and_body(target, method, built, false);
            over_http1(target, &mut connection, &bytes, &stamps, &mut response).await?;
        }
        Link::Http2(connection) => {
            response.http = HttpVersion::Http2;
            over_http2(target, &connection.lease(), method, built, &mut response).await?;
        }
    }
    let decoded = response.decode();
    decoded.map_err(|fault| not_http(target, BreakFault::Http(fault)))?;
    match target.forward_proxy() {
        // A status that no server behind it sends.
        Some(proxy) if response.status == 407 => Err(FetchError::Connect {
            authority: target.authority(),
            source: ConnectFault::Proxy {
                proxy: proxy.authority(),
                fault: ProxyFault::Refused {
                    status: 407,
                    reason: String::new(),
                },
            },
        }),
        _ => Ok(response),
    }
}

/// On an HTTP/1.1 connection.
async fn over_http1(
    target: &Target,
    connection: &mut Connection,
    bytes: &[u8],
    stamps: &Stamps,
    response: &mut Response,
) -> Result<(), FetchError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => tls(target, BreakFault::Io(error)),
        _ => broken(target, BreakFault::Io(error)),
    };
    connection.send(bytes, || {}, || {}).await.map_err(failed)?;
    let mut reader = ResponseReader::new();
    let mut take = |part: Part<'_>| match part {
        Part::Head(head) => response.take_head(head),
        Part::Body(bytes) => response.take_body(bytes),
        Part::End => {}
    };
    let mut buffer = vec![0; READ_BYTES];
    let mut received: u64 = 0;
    while !reader.is_done() {
        let Some(read) = connection.ready_read(&mut buffer, stamps) else {
            connection.readable().await.map_err(failed)?;
            continue;
        };
        let (count, _) = read.map_err(failed)?;
        if count == 0 {
            let closed = reader.close(&mut take);
            return closed.map_err(|fault| broken(target, BreakFault::Http(fault)));
        }
        reader
            .push(&buffer[..count], &mut take)
            .and_then(|()| within_bounds(&mut received, count))
            .map_err(|fault| not_http(target, BreakFault::Http(fault)))?;
    }
    Ok(())
}

/// On an HTTP/2 connection.
async fn over_http2(
    target: &Target,
    lease: &Lease,
    method: &str,
    built: &Built,
    response: &mut Response,
) -> Result<(), FetchError> {
    let failed = |fault: Fault| match fault.outcome {
        Outcome::Tls => tls(target, BreakFault::Http2(fault.text)),
        Outcome::Malformed => not_http(target, BreakFault::Http2(fault.text)),
        _ => broken(target, BreakFault::Http2(fault.text)),
    };
    let head = http2_head(target, method, built)
        .map_err(|fault| broken(target, BreakFault::Http2(fault)))?;
    let body = Bytes::copy_from_slice(&built.body);
    let mut incoming = lease.send(head, body, || {}).map_err(failed)?;
    response.take_head(&incoming.head().await.map_err(failed)?);
    let mut received: u64 = 0;
    while let Some(bytes) = incoming.data().await.map_err(failed)? {
        response.take_body(&bytes);
        within_bounds(&mut received, bytes.len())
            .map_err(|fault| not_http(target, BreakFault::Http(fault)))?;
    }
    Ok(())
}

/// Counts bytes that were received, of an answer that must end.
fn within_bounds(received: &mut u64, count: usize) -> Result<(), HttpFault> {
    *received += count as u64;
    if *received > MAX_RECEIVED {
        return Err(HttpFault::DoesNotEnd(MAX_RECEIVED));
    }
    Ok(())
}

impl Response {
    fn take_head(&mut self, head: &Head) {
        self.status = head.status;
        self.content_type.clone_from(&head.content_type);
        self.location.clone_from(&head.location);
        self.content_encoding.clone_from(&head.content_encoding);
        self.retry_after_s = head.retry_after_s;
    }

    /// Takes the content coding off the body. The words of a refusal may stay as they came.
    fn decode(&mut self) -> Result<(), HttpFault> {
        let mut decoder = match Decoder::of(&self.content_encoding) {
            Ok(Some(decoder)) => decoder,
            Err(fault) if self.is_ok() => return Err(fault),
            Ok(None) | Err(_) => return Ok(()),
        };
        let coded = std::mem::take(&mut self.body);
        decoder.push(&coded, &mut |bytes| self.take_body(bytes))
    }

    fn take_body(&mut self, bytes: &[u8]) {
        if self.body.len() < MAX_BODY {
            self.body.extend_from_slice(bytes);
        }
    }
}

fn broken(target: &Target, fault: BreakFault) -> FetchError {
    FetchError::Broken {
        authority: target.authority(),
        fault,
    }
}

fn tls(target: &Target, fault: BreakFault) -> FetchError {
    FetchError::Tls {
        authority: target.authority(),
        fault,
    }
}

fn not_http(target: &Target, fault: BreakFault) -> FetchError {
    FetchError::NotHttp {
        authority: target.authority(),
        fault,
    }
}
