//! A server that sends the frames it is told to, and no others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GO_AWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An event with output, and the last one.
pub(crate) const TOKEN: &str = "data: {\"choices\":[{\"text\":\" a\"}]}\n\n";
pub(crate) const LAST: &str =
    "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// The server's end of one connection.
pub(crate) struct Peer<S>(pub(crate) S);

/// A frame of the client's.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// What a server does on a connection.
pub(crate) type Script = fn(&mut Peer<TcpStream>);

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// `:status: 200` and `content-type: text/event-stream` (RFC 7541, without indexing).
pub(crate) fn head(stream: u32) -> Vec<u8> {
    let kind = b"text/event-stream";
    let block = [&[0x88, 0x0f, 0x10, kind.len() as u8][..], kind].concat();
    frame(HEADERS, END_HEADERS, stream, &block)
}

impl<S: Read + Write> Peer<S> {
    pub(crate) fn send(&mut self, frames: &[u8]) {
        self.0.write_all(frames).unwrap();
        self.0.flush().unwrap();
    }

    /// Reads the preface, sends settings and accepts the client's.
    pub(crate) fn greet(&mut self) {
        self.greet_with(&[]);
    }

    /// The same, with these settings.
    pub(crate) fn greet_with(&mut self, settings: &[u8]) {
        let mut preface = [0; PREFACE.len()];
        self.0.read_exact(&mut preface).unwrap();
        assert_eq!(preface, PREFACE);
        let frames = [
            frame(SETTINGS, 0, 0, settings),
            frame(SETTINGS, ACK, 0, &[]),
        ];
        self.send(&frames.concat());
    }

    /// Reads until a request is complete, and says which stream it is on.
    pub(crate) fn request(&mut self) -> u32 {
        self.next_request().unwrap()
    }

    /// The same; `None` if the client has closed.
    pub(crate) fn next_request(&mut self) -> Option<u32> {
        loop {
            let frame = self.next_frame()?;
            if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0 {
                return Some(frame.stream);
            }
        }
    }

    /// Reads the next frame; `None` if the client has closed.
    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        let mut header = [0; 9];
        self.0.read_exact(&mut header).ok()?;
        let [l0, l1, l2, kind, flags, stream @ ..] = header;
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream),
            payload,
        })
    }

    /// Answers with a stream of one token.
    pub(crate) fn answer(&mut self, stream: u32) {
        let data = format!("{TOKEN}{LAST}");
        let frames = [
            head(stream),
            frame(DATA, END_STREAM, stream, data.as_bytes()),
        ];
        self.send(&frames.concat());
    }

    /// Reads until the client closes, so that nothing on its way to it is lost.
    pub(crate) fn wait_for_end(&mut self) {
        drop(self.0.read_to_end(&mut Vec::new()));
    }
}

/// Serves as many connections as there are scripts, one after another.
pub(crate) fn serve(scripts: Vec<Script>) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let ends: Vec<_> = scripts
            .into_iter()
            .map(|script| {
                let mut peer = Peer(listener.accept().unwrap().0);
                peer.0.set_nodelay(true).unwrap();
                std::thread::spawn(move || {
                    script(&mut peer);
                    peer.wait_for_end();
                })
            })
            .collect();
        for end in ends {
            end.join().unwrap();
        }
    });
    (address, server)
}
