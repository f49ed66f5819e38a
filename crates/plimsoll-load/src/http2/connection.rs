//! One HTTP/2 connection: its handshake, the task that drives it, and the requests on it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::Request;
use tokio::sync::Notify;

use super::fault::Fault;
use super::incoming::Incoming;
use super::ledger::Ledger;
use super::socket::Socket;
use crate::connect::Http2Fault;
use crate::connection::Connection;
use crate::stamps::Stamps;

/// Body bytes that the server may send ahead on one stream. Answers are read as they come: this is
/// never in the way of text, and it is what one flooding stream can pile up.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;
/// The same for all streams of a connection together.
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// Longest list of headers, bytes, by the count of RFC 9113 §6.5.2.
const MAX_HEADERS: u32 = 64 * 1024;
/// Streams at once where the server sets no limit: the least that RFC 9113 §6.5.2 recommends.
pub(super) const DEFAULT_STREAMS: u32 = 100;

/// A connection that carries streams.
pub(crate) struct Http2Connection {
    sender: SendRequest<Bytes>,
    ledger: Rc<RefCell<Ledger>>,
    /// Streams that somebody holds.
    in_use: Cell<u32>,
    ended: Rc<Cell<bool>>,
}

/// A place for one stream on a connection. Others get it when it is dropped.
pub(crate) struct Lease {
    connection: Rc<Http2Connection>,
}

impl Http2Connection {
    /// Speaks HTTP/2 on a connection, and waits for the server's settings, so that its limit is
    /// known before the first request. It spawns a task on the current local runtime, which ends when
    /// the connection and its streams are gone.
    ///
    /// # Errors
    /// The server speaks something else or breaks off.
    pub(crate) async fn open(
        connection: Connection,
        stamps: Rc<Stamps>,
    ) -> Result<Rc<Self>, Http2Fault> {
        let ledger = Rc::new(RefCell::new(Ledger::default()));
        let greeted = Rc::clone(&ledger.borrow().greeted);
        let socket = Socket::new(connection, stamps, Rc::clone(&ledger));
        let (sender, connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEADERS)
            .handshake(socket)
            .await
            .map_err(|error| Http2Fault::Library(error.to_string()))?;
        let ended = Rc::new(Cell::new(false));
        drop(tokio::task::spawn_local(drive(
            connection,
            Rc::clone(&ended),
            Rc::clone(&greeted),
        )));
        greeted.notified().await;
        let this = Rc::new(Self {
            sender,
            ledger,
            in_use: Cell::new(0),
            ended,
        });
        this.check()?;
        Ok(this)
    }

    /// What is wrong with the greeting.
    fn check(&self) -> Result<(), Http2Fault> {
        let told = self.ledger.borrow().told();
        Err(match (told.foreign, told.settings) {
            (Some(true), _) => Http2Fault::OldHttp,
            (Some(false), _) => Http2Fault::NoHttp,
            (None, false) => Http2Fault::Closed,
            (None, true) if self.limit() == 0 => Http2Fault::NoStreams,
            (None, true) => return Ok(()),
        })
    }

    /// Whether it takes more requests.
    pub(super) fn is_open(&self) -> bool {
        !self.ended.get() && self.ledger.borrow().told().last_stream.is_none()
    }

    /// Streams that it carries at once.
    pub(super) fn limit(&self) -> u32 {
        let told = self.ledger.borrow().told();
        told.max_streams.unwrap_or(DEFAULT_STREAMS)
    }

    pub(super) fn in_use(&self) -> u32 {
        self.in_use.get()
    }

    /// Takes a place, whether there is one or not.
    pub(crate) fn lease(self: &Rc<Self>) -> Lease {
        self.in_use.set(self.in_use.get() + 1);
        Lease {
            connection: Rc::clone(self),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.connection.in_use.set(self.connection.in_use.get() - 1);
    }
}

impl Lease {
    /// Whether it is a place on this connection.
    pub(super) fn is_on(&self, connection: &Rc<Http2Connection>) -> bool {
        Rc::ptr_eq(&self.connection, connection)
    }

    /// Hands a request to the connection; `stamp` is called just before. The answer must be read
    /// or dropped before the lease is.
    pub(crate) fn send(
        &self,
        request: Request<()>,
        body: Bytes,
        stamp: impl FnOnce(),
    ) -> Result<Incoming, Fault> {
        let connection = &self.connection;
        let is_whole = body.is_empty();
        stamp();
        let sent = connection.sender.clone().send_request(request, is_whole);
        let (response, mut rest) = sent.map_err(|error| Fault::before_stream(&error))?;
        let incoming = Incoming::new(response, Rc::clone(&connection.ledger));
        if !is_whole {
            rest.send_data(body, true)
                .map_err(|error| incoming.fault(&error))?;
        }
        Ok(incoming)
    }
}

/// Reads and writes until nobody needs the connection or it breaks; its streams hear of that.
async fn drive(
    connection: h2::client::Connection<Socket, Bytes>,
    ended: Rc<Cell<bool>>,
    greeted: Rc<Notify>,
) {
    drop(connection.await);
    ended.set(true);
    greeted.notify_one();
}
