//! What a connection reads from and writes to: a socket; in tests also memory, so that requests run
//! in virtual time against a server of which everything is known.
//!
//! A variant that only tests have costs production nothing: there the only `match` is of one arm.
//! What is read has the stamp that the transport gives it; see [`crate::stamps`].

#[cfg(test)]
pub(crate) mod memory;

use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use nix::sys::socket::{MsgFlags, recv};
use tokio::io::{AsyncWrite, Interest, Ready};
use tokio::net::TcpStream;

/// A way for bytes, in both directions. Nothing blocks.
pub(crate) enum Transport {
    /// The kernel's, which stamps what it receives.
    Tcp(TcpStream),
    /// A test's.
    #[cfg(test)]
    Memory(memory::Client),
}

impl Transport {
    /// Ready when there may be something to read.
    #[inline]
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_read_ready(cx),
            #[cfg(test)]
            Self::Memory(memory) => memory.poll_readable(cx).map(Ok),
        }
    }

    /// Waits until there may be something to read, or room to write.
    ///
    /// # Errors
    /// The runtime ends.
    pub(crate) async fn ready_to_go_on(&self) -> io::Result<Ready> {
        match self {
            Self::Tcp(socket) => {
                let both = Interest::READABLE | Interest::WRITABLE;
                socket.ready(both).await
            }
            #[cfg(test)]
            Self::Memory(memory) => Ok(memory.ready_to_go_on().await),
        }
    }

    /// Waits until there may be room to write.
    ///
    /// # Errors
    /// The runtime ends.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.writable().await,
            #[cfg(test)]
            Self::Memory(_) => unimplemented!("requests in memory have no TLS"),
        }
    }

    /// Writes what fits; 0 if nothing does.
    ///
    /// # Errors
    /// The peer has broken the connection off.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            #[cfg(test)]
            Self::Memory(memory) => memory.try_write(bytes),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            written => written,
        }
    }

    /// Reads without a stamp; "would block" if there is nothing.
    ///
    /// # Errors
    /// Nothing is there, or the peer has broken the connection off.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read(buffer),
            #[cfg(test)]
            Self::Memory(memory) => memory.read(buffer).map(|(count, _)| count),
        }
    }

    /// Whether something is there, which stays there.
    pub(crate) fn has_come(&self) -> bool {
        match self {
            Self::Tcp(socket) => {
                let peek = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
                recv(socket.as_raw_fd(), &mut [0], peek).is_ok_and(|count| count > 0)
            }
            #[cfg(test)]
            Self::Memory(memory) => memory.has_come(),
        }
    }

    /// The writing half for a library that wants one.
    pub(crate) fn writer(&mut self) -> Pin<&mut (impl AsyncWrite + use<>)> {
        match self {
            Self::Tcp(socket) => Pin::new(socket),
            #[cfg(test)]
            Self::Memory(_) => unimplemented!("requests in memory are of HTTP/1.1"),
        }
    }
}
