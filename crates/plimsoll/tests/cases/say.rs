//! What a scripted server says, byte by byte and with its pauses.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};
use serde_json::Value;

use super::server::Truth;

/// The head of a streamed answer.
pub(crate) const EVENTS: [(&str, &str); 1] = [("Content-Type", "text/event-stream; charset=utf-8")];

/// How long the body of an answer is said to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Chunks,
    /// By its length, or to the close.
    Plain,
}

/// The way to the client, for one request.
pub(crate) struct Say<'a> {
    socket: &'a TcpStream,
    truth: &'a Truth,
    framing: Framing,
    /// Whether the connection closes after this answer.
    closes: bool,
}

impl<'a> Say<'a> {
    pub(crate) fn new(socket: &'a TcpStream, truth: &'a Truth) -> Self {
        Self {
            socket,
            truth,
            framing: Framing::Plain,
            closes: false,
        }
    }

    pub(crate) fn truth(&self) -> &Truth {
        self.truth
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let mut socket = self.socket;
        socket.write_all(bytes.as_ref())
    }

    /// A head whose body comes in chunks.
    pub(crate) fn head(&mut self, status: u16, headers: &[(&str, &str)]) -> io::Result<()> {
        self.framing = Framing::Chunks;
        let chunked = [("Transfer-Encoding", "chunked")];
        self.write_head("1.1", status, &[headers, &chunked].concat())
    }

    /// A head whose body has the length that the headers say, or ends with the connection.
    pub(crate) fn plain_head(
        &mut self,
        version: &str,
        status: u16,
        headers: &[(&str, &str)],
    ) -> io::Result<()> {
        self.framing = Framing::Plain;
        self.write_head(version, status, headers)
    }

    fn write_head(
        &mut self,
        version: &str,
        status: u16,
        headers: &[(&str, &str)],
    ) -> io::Result<()> {
        self.truth.answered(status);
        let headers: String = headers
            .iter()
            .map(|(name, value)| [name, ": ", value, "\r\n"].concat())
            .collect();
        self.raw(format!("HTTP/{version} {status} X\r\n{headers}\r\n"))
    }

    /// Part of a body, as one chunk where it comes in chunks.
    pub(crate) fn body(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let bytes = bytes.as_ref();
        match self.framing {
            Framing::Plain => self.raw(bytes),
            Framing::Chunks => {
                let size = format!("{:x}\r\n", bytes.len());
                self.raw([size.as_bytes(), bytes, b"\r\n"].concat())
            }
        }
    }

    /// One server-sent event.
    pub(crate) fn event(&mut self, payload: &Value) -> io::Result<()> {
        self.body(event(payload))
    }

    /// The last word of a stream of OpenAI's APIs.
    pub(crate) fn done(&mut self) -> io::Result<()> {
        self.body("data: [DONE]\n\n")
    }

    /// The end of a body in chunks.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self.framing {
            Framing::Plain => Ok(()),
            Framing::Chunks => self.raw("0\r\n\r\n"),
        }
    }

    /// A whole answer that is not streamed.
    pub(crate) fn page(&mut self, status: u16, kind: &str, text: &str) -> io::Result<()> {
        self.page_with(status, kind, text, &[])
    }

    /// The same with headers of its own.
    pub(crate) fn page_with(
        &mut self,
        status: u16,
        kind: &str,
        text: &str,
        headers: &[(&str, &str)],
    ) -> io::Result<()> {
        let length = text.len().to_string();
        let own = [("Content-Type", kind), ("Content-Length", &length)];
        self.plain_head("1.1", status, &[&own, headers].concat())?;
        self.raw(text)
    }

    pub(crate) fn json(&mut self, status: u16, value: &Value) -> io::Result<()> {
        self.page(status, "application/json", &value.to_string())
    }

    pub(crate) fn not_found(&mut self) -> io::Result<()> {
        self.json(404, &serde_json::json!({"detail": "Not Found"}))
    }

    /// Closes the connection after this answer.
    pub(crate) fn close(&mut self) {
        self.closes = true;
    }

    pub(crate) fn closes(&self) -> bool {
        self.closes
    }

    /// Resets the connection, as a process that dies with something unread does.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        self.closes = true;
        let at_once = linger {
            l_onoff: 1,
            l_linger: 0,
        };
        setsockopt(self.socket, sockopt::Linger, &at_once)?;
        Ok(())
    }

    /// The server goes away: this connection closes, and no other one is taken any more.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        self.closes = true;
        self.truth.left();
        // The listener waits for a connection, and ends with this one.
        TcpStream::connect(self.socket.local_addr()?).map(drop)
    }

    /// Says nothing more until the client has closed the connection.
    pub(crate) fn hang(&mut self) {
        self.closes = true;
        let mut socket = self.socket;
        let mut buffer = [0; 1_024];
        while socket.read(&mut buffer).is_ok_and(|count| count > 0) {}
    }
}

/// One server-sent event as text.
pub(crate) fn event(payload: &Value) -> String {
    format!("data: {payload}\n\n")
}

/// A pause that is the server's own.
#[expect(
    clippy::disallowed_methods,
    reason = "the time that a scripted server takes"
)]
pub(crate) fn pause_ms(span_ms: u64) {
    std::thread::sleep(Duration::from_millis(span_ms));
}
