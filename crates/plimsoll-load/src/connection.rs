//! One connection, plain or TLS, with a stamp on everything that is read from it.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use plimsoll_core::time::Offset;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use crate::connect::tls_fault;
use crate::stamps::{self, Stamps};
use crate::transport::Transport;

/// A transport with its TLS, and what is needed to stamp its reads.
pub(crate) struct Connection {
    transport: Transport,
    tls: Option<Box<rustls::ClientConnection>>,
    /// Encrypted bytes on their way into rustls; empty for plain connections.
    sealed: Vec<u8>,
    /// When the peer's farewell of TLS came: the socket may stay open after it.
    closed: Option<Offset>,
    /// What is left of a request whose answer began before all of it was written; else empty.
    unsent: Vec<u8>,
    /// Reads since the runtime last had its turn.
    reads_in_a_row: u32,
}

/// What came out of sealed bytes.
struct Opened {
    bytes: usize,
    /// The peer has said that nothing more comes.
    closed: bool,
}

/// Bytes read at once; one such buffer is shared by all streams of a worker.
pub(crate) const READ_BYTES: usize = 64 * 1024;
/// A server that sends faster than it is read is read so often in a row, a MB, before others have
/// their turn: other streams, the time limit, the stop.
const MOST_READS_IN_A_ROW: u32 = 16;
/// A TLS record and its frame.
const SEALED_BYTES: usize = 17 * 1024;

impl Connection {
    /// Takes a socket that is connected.
    pub(crate) fn over(socket: TcpStream) -> io::Result<Self> {
        // A request is one write: there is nothing to wait for.
        socket.set_nodelay(true)?;
        stamps::ask_for(&socket);
        Ok(Self::on(Transport::Tcp(socket)))
    }

    /// Takes a transport that is connected.
    pub(crate) fn on(transport: Transport) -> Self {
        Self {
            transport,
            tls: None,
            sealed: Vec::new(),
            closed: None,
            unsent: Vec::new(),
            reads_in_a_row: 0,
        }
    }

    /// Makes it a TLS connection, by a handshake.
    pub(crate) async fn secure(&mut self, mut tls: rustls::ClientConnection) -> io::Result<()> {
        // A long prompt must go into one write, however large.
        tls.set_buffer_limit(None);
        self.tls = Some(Box::new(tls));
        self.sealed = vec![0; SEALED_BYTES];
        self.shake_hands().await
    }

    /// The protocol that the server chose by ALPN, if it chose one.
    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.tls.as_ref()?.alpn_protocol()
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Encrypts bytes, and adds what TLS itself has to say; nothing on a plain connection.
    pub(crate) fn seal(&mut self, bytes: &[u8], sealed: &mut Vec<u8>) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            while tls.wants_write() {
                let _ = tls.write_tls(sealed)?;
            }
        }
        Ok(())
    }

    /// Says that nothing more will be sent; nothing on a plain connection.
    pub(crate) fn seal_end(&mut self, sealed: &mut Vec<u8>) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.seal(&[], sealed)
    }

    /// Ready when there may be something to read.
    pub(crate) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.reads_in_a_row) >= MOST_READS_IN_A_ROW {
            // It is the turn of others; this task is next after them.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.transport.poll_readable(cx)
    }

    /// The transport, for bytes that need no sealing or are sealed.
    pub(crate) fn raw(&mut self) -> Pin<&mut (impl AsyncWrite + use<>)> {
        self.transport.writer()
    }

    /// Writes a request; `stamp` is called just before the first byte goes to the kernel, and `gone`
    /// as soon as it is there. If something comes before all of it is written, the rest goes out while
    /// that is read.
    pub(crate) async fn send(
        &mut self,
        bytes: &[u8],
        stamp: impl FnOnce(),
        gone: impl FnOnce(),
    ) -> io::Result<()> {
        let sealed = if self.is_tls() {
            let mut sealed = Vec::with_capacity(bytes.len() + 256);
            self.seal(bytes, &mut sealed)?;
            Some(sealed)
        } else {
            None
        };
        stamp();
        let mut bytes = sealed.as_deref().unwrap_or(bytes);
        let written = self.transport.try_write(bytes)?;
        gone();
        bytes = &bytes[written..];
        while !bytes.is_empty() {
            let written = self.transport.try_write(bytes)?;
            bytes = &bytes[written..];
            if written == 0 && self.transport.ready_to_go_on().await?.is_readable() {
                break;
            }
        }
        self.unsent = bytes.to_vec();
        Ok(())
    }

    /// Whether all of the request went out.
    pub(crate) fn has_sent_all(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Waits until there may be something to read, and writes what is left of the request meanwhile.
    pub(crate) async fn readable(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.reads_in_a_row) >= MOST_READS_IN_A_ROW {
            tokio::task::yield_now().await;
            return Ok(());
        }
        while !self.unsent.is_empty() {
            if self.transport.ready_to_go_on().await?.is_readable() {
                return Ok(());
            }
            // What cannot be written is no end: what the server says counts.
            let written = self
                .transport
                .try_write(&self.unsent)
                .unwrap_or(self.unsent.len());
            drop(self.unsent.drain(..written));
        }
        // One waiter a socket: cheaper than `readable`, which keeps a list of them.
        poll_fn(|context| self.transport.poll_readable(context)).await
    }

    /// Reads what there is; `None` if that is nothing, or if it is the turn of others. The stamp is
    /// that of the TCP bytes, taken before any parsing. Zero bytes mean that the server closed the
    /// connection.
    pub(crate) fn ready_read(
        &mut self,
        buffer: &mut [u8],
        stamps: &Stamps,
    ) -> Option<io::Result<(usize, Offset)>> {
        if self.reads_in_a_row >= MOST_READS_IN_A_ROW {
            return None;
        }
        self.reads_in_a_row += 1;
        let read = if self.tls.is_some() {
            self.read_sealed(buffer, stamps)
        } else {
            stamps.read(&self.transport, buffer)
        };
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            read => Some(read),
        }
    }

    /// Reads until TLS opens something; "would block" if it does not yet.
    fn read_sealed(&mut self, buffer: &mut [u8], stamps: &Stamps) -> io::Result<(usize, Offset)> {
        if let Some(at) = self.closed {
            return Ok((0, at));
        }
        loop {
            let (count, at) = stamps.read(&self.transport, &mut self.sealed)?;
            if count == 0 {
                return Ok((0, at));
            }
            let opened = self.open_sealed(count, buffer)?;
            self.closed = opened.closed.then_some(at);
            if opened.bytes > 0 || opened.closed {
                return Ok((opened.bytes, at));
            }
        }
    }

    async fn write_raw(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.transport.try_write(bytes)? {
                0 => self.transport.writable().await?,
                count => bytes = &bytes[count..],
            }
        }
        Ok(())
    }

    /// Feeds sealed bytes to TLS and takes out what they open, which may be nothing yet.
    fn open_sealed(&mut self, count: usize, buffer: &mut [u8]) -> io::Result<Opened> {
        let Some(tls) = &mut self.tls else {
            return Ok(Opened {
                bytes: 0,
                closed: true,
            });
        };
        let mut sealed = &self.sealed[..count];
        let mut opened = Opened {
            bytes: 0,
            closed: false,
        };
        // After the peer's close_notify nothing more is taken.
        while !sealed.is_empty() && tls.read_tls(&mut sealed)? > 0 {
            let state = tls
                .process_new_packets()
                .map_err(|error| tls_fault(&error))?;
            opened.closed |= state.peer_has_closed();
            loop {
                match tls.reader().read(&mut buffer[opened.bytes..]) {
                    Ok(0) => break,
                    Ok(more) => opened.bytes += more,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        opened.closed |= !sealed.is_empty();
        Ok(opened)
    }

    /// Whether an idle connection is still good: nothing has come that nobody asked for, and the
    /// server has not closed it.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        self.closed.is_none()
            && matches!(self.transport.try_read(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether a server has said something on a new connection before it was asked. TLS has words of
    /// its own after its handshake, so that nothing is known of it.
    pub(crate) fn has_spoken(&self) -> bool {
        self.tls.is_none() && self.transport.has_come()
    }

    async fn shake_hands(&mut self) -> io::Result<()> {
        loop {
            let Some(tls) = &mut self.tls else {
                return Ok(());
            };
            let mut outgoing = Vec::new();
            while tls.wants_write() {
                let _ = tls.write_tls(&mut outgoing)?;
            }
            let done = !tls.is_handshaking();
            self.write_raw(&outgoing).await?;
            if done {
                return Ok(());
            }
            self.readable().await?;
            let count = match self.transport.try_read(&mut self.sealed) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            if count == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server closed during the handshake; does the port speak TLS? if not, write http://",
                ));
            }
            let _ = self.open_sealed(count, &mut [])?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;

    /// Both ends of a new connection.
    async fn connected() -> (TcpStream, std::net::TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let (peer, _) = listener.accept().unwrap();
        (socket, peer)
    }

    #[test]
    fn a_server_that_speaks_before_it_is_asked_is_noticed() {
        let runtime = crate::runtime::single_threaded().unwrap();
        runtime.block_on(async {
            let (socket, mut peer) = connected().await;
            let mut connection = Connection::over(socket).unwrap();
            assert!(!connection.has_spoken());
            peer.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
            connection.readable().await.unwrap();
            assert!(connection.has_spoken());
            drop(peer);
        });
    }

    /// Otherwise neither the time limit nor the stop would ever be looked at.
    #[test]
    fn a_server_that_is_faster_than_its_reader_lets_others_have_their_turn() {
        let runtime = crate::runtime::single_threaded().unwrap();
        runtime.block_on(async {
            let (socket, mut peer) = connected().await;
            let mut connection = Connection::over(socket).unwrap();
            let stamps = Stamps::new(Clock::start(), Arc::default());
            let mut buffer = [0; 64];
            peer.write_all(&[0; 64 * 2 * MOST_READS_IN_A_ROW as usize])
                .unwrap();
            for _ in 0..2 {
                let mut reads = 0;
                connection.readable().await.unwrap();
                while let Some(read) = connection.ready_read(&mut buffer, &stamps) {
                    assert_eq!(read.unwrap().0, buffer.len());
                    reads += 1;
                }
                assert_eq!(reads, MOST_READS_IN_A_ROW);
                let others = tokio::select! {
                    biased;
                    _ = connection.readable() => false,
                    () = std::future::ready(()) => true,
                };
                assert!(others);
            }
        });
    }
}
