//! The frames of a connection as they pass by (RFC 9113 §4.1): where the bytes of each answer lie,
//! and what the server says of the connection. It checks nothing; that is the library's work.

/// Bytes of a frame's header.
const HEADER: usize = 9;
/// Longest payload that is kept: the largest frame that a server may send unless told otherwise.
const MAX_KEPT: usize = 16_384;

const DATA: u8 = 0;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
/// Flag of SETTINGS.
const ACK: u8 = 1;
/// Flag of DATA.
const PADDED: u8 = 8;
/// `SETTINGS_MAX_CONCURRENT_STREAMS`.
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// What passed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Bytes of a stream's body, padding left out.
    Data {
        /// Whose.
        stream: u32,
        /// How many.
        bytes: usize,
    },
    /// Settings of the server, with the streams it takes at once, if it says.
    Settings {
        /// Its `SETTINGS_MAX_CONCURRENT_STREAMS`.
        max_streams: Option<u32>,
    },
    /// The server takes no more streams; those above this one it has not looked at.
    GoAway {
        /// The last stream that it may have processed.
        last_stream: u32,
    },
    /// The first bytes are not HTTP/2.
    Foreign {
        /// They are HTTP/1.
        http1: bool,
    },
}

/// Follows the frames of one connection, in whatever pieces they come.
#[derive(Debug, Default)]
pub(super) struct FrameScan {
    header: [u8; HEADER],
    filled: usize,
    frame: Frame,
    begun: bool,
    foreign: bool,
}

/// The frame that is passing.
#[derive(Debug, Default)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    /// Payload bytes that are still to come.
    left: usize,
    /// Those of them that are padding; known once its length has come.
    padding: usize,
    /// The next byte is the length of the padding.
    pad_length_next: bool,
    kept: Vec<u8>,
}

impl FrameScan {
    /// Takes the next bytes and tells what they hold.
    pub(super) fn scan(&mut self, mut bytes: &[u8], on_seen: &mut impl FnMut(Seen)) {
        while !bytes.is_empty() && !self.foreign {
            if self.filled < HEADER {
                let take = bytes.len().min(HEADER - self.filled);
                self.header[self.filled..self.filled + take].copy_from_slice(&bytes[..take]);
                self.filled += take;
                bytes = &bytes[take..];
                if self.filled == HEADER {
                    self.begin(on_seen);
                }
            } else {
                let take = bytes.len().min(self.frame.left);
                self.frame.pass(&bytes[..take], on_seen);
                bytes = &bytes[take..];
            }
            if self.filled == HEADER && self.frame.left == 0 && !self.foreign {
                self.frame.end(on_seen);
                self.filled = 0;
            }
        }
    }

    fn begin(&mut self, on_seen: &mut impl FnMut(Seen)) {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = self.header;
        if !std::mem::replace(&mut self.begun, true) && kind != SETTINGS {
            self.foreign = true;
            let http1 = self.header.starts_with(b"HTTP/1.");
            on_seen(Seen::Foreign { http1 });
            return;
        }
        let frame = &mut self.frame;
        frame.kind = kind;
        frame.flags = flags;
        frame.stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
        frame.left = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        frame.padding = 0;
        frame.pad_length_next = kind == DATA && flags & PADDED != 0;
        frame.kept.clear();
    }
}

impl Frame {
    fn pass(&mut self, mut bytes: &[u8], on_seen: &mut impl FnMut(Seen)) {
        if self.kind != DATA {
            let room = MAX_KEPT.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.left -= bytes.len();
            return;
        }
        if self.pad_length_next && !bytes.is_empty() {
            self.pad_length_next = false;
            self.padding = usize::from(bytes[0]);
            self.left -= 1;
            bytes = &bytes[1..];
        }
        let data = bytes.len().min(self.left.saturating_sub(self.padding));
        if data > 0 {
            on_seen(Seen::Data {
                stream: self.stream,
                bytes: data,
            });
        }
        self.left -= bytes.len();
    }

    fn end(&self, on_seen: &mut impl FnMut(Seen)) {
        match (self.kind, self.kept.first_chunk::<4>()) {
            (SETTINGS, _) if self.flags & ACK == 0 => on_seen(Seen::Settings {
                max_streams: max_streams(&self.kept),
            }),
            (GO_AWAY, Some(last)) => on_seen(Seen::GoAway {
                last_stream: u32::from_be_bytes(*last) & 0x7fff_ffff,
            }),
            _ => {}
        }
    }
}

/// The last value given, as settings are taken in order.
fn max_streams(settings: &[u8]) -> Option<u32> {
    let (settings, _) = settings.as_chunks::<6>();
    settings
        .iter()
        .rev()
        .find(|[i0, i1, ..]| u16::from_be_bytes([*i0, *i1]) == MAX_CONCURRENT_STREAMS)
        .map(|[_, _, v0, v1, v2, v3]| u32::from_be_bytes([*v0, *v1, *v2, *v3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    /// What passes by in pieces of a size; bytes of a stream that follow each other are added up.
    fn seen(bytes: &[u8], piece: usize) -> Vec<Seen> {
        let mut scan = FrameScan::default();
        let mut all: Vec<Seen> = Vec::new();
        for piece in bytes.chunks(piece) {
            scan.scan(piece, &mut |seen| match (all.last_mut(), seen) {
                (
                    Some(Seen::Data { stream, bytes }),
                    Seen::Data {
                        stream: same,
                        bytes: more,
                    },
                ) if *stream == same => *bytes += more,
                _ => all.push(seen),
            });
        }
        all
    }

    #[test]
    fn any_split_of_the_same_bytes_shows_the_same_frames() {
        let stream = 0x8000_0003;
        let bytes = [
            frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0, 0, 3, 0, 0, 0, 10]),
            frame(SETTINGS, ACK, 0, &[]),
            frame(1, 4, 3, b"head"),
            frame(DATA, 0, stream, b"token"),
            frame(DATA, PADDED, 5, &[&[2][..], b"abc", &[0, 0]].concat()),
            frame(DATA, 1, 3, &[]),
            frame(DATA, PADDED, 5, &[0]),
            frame(GO_AWAY, 0, 0, &[0, 0, 0, 5, 0, 0, 0, 0, b'x']),
            frame(DATA, 0, 5, b"last"),
            frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]),
        ]
        .concat();
        let expected = [
            Seen::Settings {
                max_streams: Some(10),
            },
            Seen::Data {
                stream: 3,
                bytes: 5,
            },
            Seen::Data {
                stream: 5,
                bytes: 3,
            },
            Seen::GoAway { last_stream: 5 },
            Seen::Data {
                stream: 5,
                bytes: 4,
            },
            Seen::Settings { max_streams: None },
        ];
        for piece in [1, 2, 7, 9, 10, 64, bytes.len()] {
            assert_eq!(seen(&bytes, piece), expected, "pieces of {piece}");
        }
    }

    #[test]
    fn what_is_not_http2_is_known_by_its_first_bytes() {
        let http1 = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        assert_eq!(seen(http1, 3), [Seen::Foreign { http1: true }]);
        let other = b"SSH-2.0-x\r\n";
        assert_eq!(seen(other, 64), [Seen::Foreign { http1: false }]);
    }

    #[test]
    fn padding_that_is_longer_than_its_frame_is_no_data() {
        let bytes = [
            frame(SETTINGS, 0, 0, &[]),
            frame(DATA, PADDED, 1, &[9, 1, 2]),
        ];
        let expected = [Seen::Settings { max_streams: None }];
        assert_eq!(seen(&bytes.concat(), 64), expected);
    }
}
