//! The answer to one request on an HTTP/2 connection, with the stamp of each of its bytes.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::{HeaderMap, HeaderName, header};
use plimsoll_core::time::Offset;
use plimsoll_core::wire::{Head, retry_after_s};

use super::fault::Fault;
use super::ledger::{Ledger, Piece};

/// An answer on its way. A stream that is dropped before its end is reset.
pub(crate) struct Incoming {
    stream: u32,
    response: Option<ResponseFuture>,
    body: Option<RecvStream>,
    ledger: Rc<RefCell<Ledger>>,
    last_at: Option<Offset>,
}

impl Incoming {
    pub(super) fn new(response: ResponseFuture, ledger: Rc<RefCell<Ledger>>) -> Self {
        let stream = response.stream_id().as_u32();
        ledger.borrow_mut().follow(stream);
        Self {
            stream,
            response: Some(response),
            body: None,
            ledger,
            last_at: None,
        }
    }

    /// The head, which comes first.
    ///
    /// # Errors
    /// The stream or the connection broke.
    pub(crate) async fn head(&mut self) -> Result<Head, Fault> {
        let Some(response) = &mut self.response else {
            return Ok(Head::default());
        };
        let answer = response.await.map_err(|error| self.fault(&error))?;
        self.response = None;
        let (parts, body) = answer.into_parts();
        self.body = Some(body);
        let date = text(&parts.headers, &header::DATE);
        Ok(Head {
            status: parts.status.as_u16(),
            content_type: text(&parts.headers, &header::CONTENT_TYPE)
                .map(|kind| kind.to_ascii_lowercase())
                .unwrap_or_default(),
            content_encoding: text(&parts.headers, &header::CONTENT_ENCODING)
                .map(|coding| coding.to_ascii_lowercase())
                .unwrap_or_default(),
            location: text(&parts.headers, &header::LOCATION),
            retry_after_s: text(&parts.headers, &header::RETRY_AFTER)
                .and_then(|value| retry_after_s(&value, date.as_deref())),
        })
    }

    /// The next bytes of the body; `None` after the last. The server may send as many again.
    ///
    /// # Errors
    /// The stream or the connection broke.
    pub(crate) async fn data(&mut self) -> Result<Option<Bytes>, Fault> {
        let Some(body) = &mut self.body else {
            return Ok(None);
        };
        let Some(data) = body.data().await else {
            return Ok(None);
        };
        let taken = data.and_then(|bytes| {
            body.flow_control().release_capacity(bytes.len())?;
            Ok(bytes)
        });
        taken.map(Some).map_err(|error| self.fault(&error))
    }

    /// Cuts bytes of [`Incoming::data`] by the reads that carried them, in order.
    pub(crate) fn by_stamp(&mut self, bytes: &Bytes, mut take: impl FnMut(&[u8], Piece)) {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let piece = self.ledger.borrow_mut().next(self.stream, rest.len());
            // What the library gives out has passed through the ledger.
            debug_assert!(piece.is_some());
            let piece = piece.unwrap_or(Piece {
                bytes: rest.len(),
                at: self.last_at.unwrap_or(Offset::ZERO),
                followed: false,
            });
            self.last_at = Some(piece.at);
            let (now, later) = rest.split_at(piece.bytes);
            take(now, piece);
            rest = later;
        }
    }

    /// The stamp of the last bytes taken; `None` before the first.
    pub(crate) fn last_at(&self) -> Option<Offset> {
        self.last_at
    }

    /// Bytes that have come and were not taken by [`Incoming::by_stamp`].
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.ledger.borrow().waiting(self.stream)
    }

    /// What an error means for this request.
    pub(super) fn fault(&self, error: &h2::Error) -> Fault {
        let last = self.ledger.borrow().told().last_stream;
        Fault::on_stream(error, last.is_some_and(|last| self.stream > last))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.ledger.borrow_mut().forget(self.stream);
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
