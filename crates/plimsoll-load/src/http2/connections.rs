//! The HTTP/2 connections of one worker: those that are open, and those that are being made.
//!
//! A request that finds no free place has a connection made for it. What many requests do at once is
//! made once: a request that fits on a connection that is being made waits for that one. None waits
//! for the end of another request.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use plimsoll_core::protocol::AnswerEnd;
use tokio::sync::Notify;

use super::connection::{DEFAULT_STREAMS, Http2Connection, Lease};

/// Connections of one worker to one server.
pub(crate) struct Http2Connections {
    open: RefCell<Vec<Rc<Http2Connection>>>,
    dials: RefCell<Vec<Rc<Dialing>>>,
    /// Streams that the last connection took.
    limit: Cell<u32>,
}

/// A connection that is being made, to those who wait for it.
#[derive(Default)]
struct Dialing {
    waiting: Cell<u32>,
    /// Why there is none.
    failed: OnceCell<AnswerEnd>,
    over: Cell<bool>,
    told: Notify,
}

/// A connection that is being made, to the request that makes it. If that is dropped, one of those
/// who wait takes its place.
pub(crate) struct Dial<'a> {
    connections: &'a Http2Connections,
    dialing: Rc<Dialing>,
}

impl Default for Http2Connections {
    fn default() -> Self {
        Self {
            open: RefCell::default(),
            dials: RefCell::default(),
            limit: Cell::new(DEFAULT_STREAMS),
        }
    }
}

impl Http2Connections {
    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    /// A free place on the connection that has the fewest streams, other than the one that just
    /// failed. Connections that take no more requests are let go.
    pub(crate) fn free(&self, failed: Option<&Lease>) -> Option<Lease> {
        let mut open = self.open.borrow_mut();
        open.retain(|connection| connection.is_open());
        open.iter()
            .filter(|connection| connection.in_use() < connection.limit())
            .filter(|connection| !failed.is_some_and(|lease| lease.is_on(connection)))
            .min_by_key(|connection| connection.in_use())
            .map(Http2Connection::lease)
    }

    /// Takes a new connection in, and gives out its first place.
    pub(crate) fn add(&self, connection: Rc<Http2Connection>) -> Lease {
        let lease = connection.lease();
        self.limit.set(connection.limit());
        self.open.borrow_mut().push(connection);
        lease
    }

    /// Begins to make a connection.
    pub(crate) fn dial(&self) -> Dial<'_> {
        let dialing = Rc::<Dialing>::default();
        self.dials.borrow_mut().push(Rc::clone(&dialing));
        Dial {
            connections: self,
            dialing,
        }
    }

    /// Waits for a connection that is being made, if one has room by the limit of the last.
    /// `Some(Ok)` if it is worth looking for a place again.
    ///
    /// # Errors
    /// It could not be made.
    pub(crate) async fn join(&self) -> Option<Result<(), AnswerEnd>> {
        let limit = self.limit.get();
        let dial = self
            .dials
            .borrow()
            .iter()
            .find(|dial| dial.waiting.get() + 1 < limit)
            .cloned()?;
        dial.waiting.set(dial.waiting.get() + 1);
        let waits = Waits(&dial);
        let mut told = std::pin::pin!(dial.told.notified());
        while !dial.over.get() {
            told.as_mut().await;
            told.set(dial.told.notified());
        }
        drop(waits);
        Some(dial.failed.get().cloned().map_or(Ok(()), Err))
    }
}

/// One who waits, until it is dropped.
struct Waits<'a>(&'a Dialing);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

impl Dial<'_> {
    /// Says that there is no connection; all who wait for it fail alike.
    pub(crate) fn fail(self, end: &AnswerEnd) {
        // It is set once: this takes the dial.
        drop(self.dialing.failed.set(end.clone()));
    }
}

impl Drop for Dial<'_> {
    fn drop(&mut self) {
        let mut dials = self.connections.dials.borrow_mut();
        dials.retain(|dial| !Rc::ptr_eq(dial, &self.dialing));
        self.dialing.over.set(true);
        self.dialing.told.notify_waiters();
    }
}
