//! A socket, with or without TLS, that never blocks.

use super::stamps::Stamps;
use rustls::ServerConnection;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

/// Bytes of one read; a longer request takes several.
const READ_BYTES: usize = 64 << 10;

/// What a worker's connections share: nothing of it outlives one read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) stamps: Stamps,
    wire: Vec<u8>,
    plain: Vec<u8>,
}

/// What one read gave.
#[derive(Debug)]
pub(super) struct Input<'a> {
    /// The bytes, without TLS; may be empty if only the handshake went on.
    pub(super) bytes: &'a [u8],
    /// When the last of it came, in ns.
    pub(super) at_ns: u64,
    /// Whether there may be more to read.
    pub(super) more: bool,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            stamps: Stamps::new(),
            wire: vec![0; READ_BYTES],
            plain: Vec::new(),
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Transport {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// What the socket has not taken yet; under TLS that is inside of `tls`.
    rest: Vec<u8>,
}

impl Transport {
    pub(super) fn new(socket: TcpStream, tls: Option<Box<ServerConnection>>) -> Self {
        Self {
            socket,
            tls,
            rest: Vec::new(),
        }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether bytes wait for the client to read.
    pub(super) fn blocked(&self) -> bool {
        !self.rest.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads once; `None` if there is nothing. The client's end of the connection is an error, as
    /// is everything after which nothing more can come.
    pub(super) fn read<'a>(&mut self, reader: &'a mut Reader) -> io::Result<Option<Input<'a>>> {
        let Reader {
            stamps,
            wire,
            plain,
        } = reader;
        let (count, at_ns) = match stamps.read(&self.socket, wire) {
            Ok((0, _)) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => (0, 0),
            Err(error) => return Err(error),
        };
        let more = count == wire.len() || count == 0;
        let bytes = match &mut self.tls {
            None => &wire[..count],
            Some(tls) => {
                plain.clear();
                let opened = open(tls, &wire[..count], plain);
                // Handshakes and alerts are answered whatever became of the bytes.
                self.flush()?;
                opened?;
                plain
            }
        };
        Ok(Some(Input { bytes, at_ns, more }))
    }

    /// Writes at once what the socket takes, and keeps the rest for [`flush`](Self::flush).
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes)?;
            return self.flush();
        }
        let taken = if self.rest.is_empty() {
            write_some(&self.socket, bytes)?
        } else {
            0
        };
        self.rest.extend_from_slice(&bytes[taken..]);
        Ok(())
    }

    /// Writes what was kept, as far as the socket takes it.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                match tls.write_tls(&mut &self.socket) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        } else if !self.rest.is_empty() {
            let taken = write_some(&self.socket, &self.rest)?;
            if taken == self.rest.len() {
                self.rest = Vec::new();
            } else {
                self.rest.drain(..taken);
            }
        }
        Ok(())
    }

    /// Says that nothing more will be written. The client still sees what was.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            self.flush()?;
        }
        self.socket.shutdown(Shutdown::Write)
    }
}

/// Writes until all is written or the socket is full; only the latter makes it tell when it has
/// room again.
fn write_some(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut taken = 0;
    while taken < bytes.len() {
        match socket.write(&bytes[taken..]) {
            Ok(count) => taken += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

/// Takes TLS off: all of `wire` goes in, what it says is appended to `plain`.
fn open(tls: &mut ServerConnection, mut wire: &[u8], plain: &mut Vec<u8>) -> io::Result<()> {
    while !wire.is_empty() {
        tls.read_tls(&mut wire)?;
        let state = tls
            .process_new_packets()
            .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let before = plain.len();
        plain.resize(before + state.plaintext_bytes_to_read(), 0);
        tls.reader().read_exact(&mut plain[before..])?;
        if state.peer_has_closed() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
