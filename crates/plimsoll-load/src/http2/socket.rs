//! A connection as the library wants it: asynchronous reads and writes. Whatever is read is written
//! into the ledger with its stamp before the library sees it.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ledger::Ledger;
use crate::connection::Connection;
use crate::stamps::Stamps;

/// Bytes read at once: more than a TLS record, since nothing that one opens may be left over.
const READ_BYTES: usize = 32 * 1024;
/// Bytes sealed at once.
const SEAL_BYTES: usize = 64 * 1024;

/// A connection with a ledger.
pub(super) struct Socket {
    connection: Connection,
    stamps: Rc<Stamps>,
    ledger: Rc<RefCell<Ledger>>,
    /// What was read and is not taken yet: `buffer[from..to]`.
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// Sealed bytes on their way out: those before `written` are gone.
    sealed: Vec<u8>,
    written: usize,
    said_end: bool,
}

impl Socket {
    pub(super) fn new(
        connection: Connection,
        stamps: Rc<Stamps>,
        ledger: Rc<RefCell<Ledger>>,
    ) -> Self {
        Self {
            connection,
            stamps,
            ledger,
            buffer: vec![0; READ_BYTES],
            from: 0,
            to: 0,
            sealed: Vec::new(),
            written: 0,
            said_end: false,
        }
    }

    /// Reads until there is something; 0 bytes at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.connection.poll_readable(cx))?;
            let read = self.connection.ready_read(&mut self.buffer, &self.stamps);
            let Some(read) = read else { continue };
            let (count, at) = read?;
            self.ledger.borrow_mut().read(&self.buffer[..count], at);
            (self.from, self.to) = (0, count);
            return Poll::Ready(Ok(()));
        }
    }

    /// Writes the sealed bytes that are left.
    fn poll_sealed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.sealed.len() {
            let rest = &self.sealed[self.written..];
            match ready!(self.connection.raw().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.sealed.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.from == this.to {
            ready!(this.poll_fill(cx))?;
        }
        let count = into.remaining().min(this.to - this.from);
        into.put_slice(&this.buffer[this.from..this.from + count]);
        this.from += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.connection.is_tls() {
            return this.connection.raw().poll_write(cx, bytes);
        }
        ready!(this.poll_sealed(cx))?;
        let taken = bytes.len().min(SEAL_BYTES);
        this.connection.seal(&bytes[..taken], &mut this.sealed)?;
        // What does not go at once goes with the next write or flush.
        if let Poll::Ready(written) = this.poll_sealed(cx) {
            written?;
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.connection.is_tls() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(cx, first.map_or(&[], |slice| slice));
        }
        let this = self.get_mut();
        this.connection.raw().poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        !self.connection.is_tls()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // TLS may have to answer something that was read.
        this.connection.seal(&[], &mut this.sealed)?;
        ready!(this.poll_sealed(cx))?;
        this.connection.raw().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.said_end, true) {
            this.connection.seal_end(&mut this.sealed)?;
        }
        ready!(this.poll_sealed(cx))?;
        this.connection.raw().poll_shutdown(cx)
    }
}
