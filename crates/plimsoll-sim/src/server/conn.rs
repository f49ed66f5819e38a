//! A client's socket: plain, or with every write cut in two; reset instead of closed on demand.

use super::body::ResetFlag;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// A TCP stream with the faults that live below HTTP.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    reset: ResetFlag,
    splitter: Option<Splitter>,
}

/// Where the next write is cut, and the pause between the halves.
#[derive(Debug)]
struct Splitter {
    rng: ChaCha8Rng,
    /// Bytes of the present write's second half; 0 before a first half.
    rest: usize,
    /// Without it, the kernel would often join the halves before a reader sees the first.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, reset: ResetFlag, split: Option<ChaCha8Rng>) -> Self {
        let splitter = split.map(|rng| Splitter {
            rng,
            rest: 0,
            pause: None,
        });
        Self {
            stream,
            reset,
            splitter,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.is_set() {
            // Best effort: if the option cannot be set, the stream still ends inside a chunk.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self {
            stream, splitter, ..
        } = self.get_mut();
        let Some(splitter) = splitter else {
            return Pin::new(stream).poll_write(cx, bytes);
        };
        if let Some(pause) = &mut splitter.pause {
            ready!(pause.as_mut().poll(cx));
            splitter.pause = None;
        }
        let first_half = splitter.rest == 0 && bytes.len() > 1;
        let part = match splitter.rest {
            0 if first_half => splitter.rng.random_range(1..bytes.len()),
            0 => bytes.len(),
            rest => rest.min(bytes.len()),
        };
        let written = ready!(Pin::new(stream).poll_write(cx, &bytes[..part]))?;
        if first_half {
            splitter.rest = bytes.len() - written;
            splitter.pause = Some(Box::pin(tokio::time::sleep(std::time::Duration::ZERO)));
        } else {
            splitter.rest = splitter.rest.saturating_sub(written);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.splitter.is_some() {
            let first = bufs
                .iter()
                .find(|buf| !buf.is_empty())
                .map_or(&[][..], |buf| buf);
            return self.poll_write(cx, first);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        // A flat buffer lets a cut fall on both sides of a chunk's border.
        self.splitter.is_none()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
