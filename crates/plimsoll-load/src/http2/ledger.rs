//! When the bytes of each stream came. The library gives a stream's bytes out in order, but late
//! and without saying which read carried them; the ledger has written that down before.

use std::collections::{HashMap, VecDeque};

use plimsoll_core::time::Offset;
use tokio::sync::Notify;

use super::frames::{FrameScan, Seen};

/// Bytes of a stream that came with one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) bytes: usize,
    /// Receive stamp of the read.
    pub(crate) at: Offset,
    /// Bytes of other frames came after these in the same read. The stamp is that of the last, so
    /// these may have come earlier.
    pub(crate) followed: bool,
}

/// What the server has said of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Its settings have come: the connection is HTTP/2.
    pub(super) settings: bool,
    /// Streams that it takes at once; `None` if it sets no limit.
    pub(super) max_streams: Option<u32>,
    /// It takes no more; streams above this number it has not processed.
    pub(super) last_stream: Option<u32>,
    /// It speaks something else: HTTP/1 if true.
    pub(super) foreign: Option<bool>,
}

/// Stamps of the streams of one connection.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    scan: FrameScan,
    streams: HashMap<u32, VecDeque<Piece>>,
    told: Told,
    /// Told when the first words of the server are known, or nothing more comes.
    pub(super) greeted: std::rc::Rc<Notify>,
    /// Kept for its memory.
    read: Vec<(u32, usize)>,
}

impl Ledger {
    pub(super) fn told(&self) -> Told {
        self.told
    }

    /// Writes stamps down for a stream from now on.
    pub(super) fn follow(&mut self, stream: u32) {
        let _ = self.streams.insert(stream, VecDeque::new());
    }

    /// Forgets a stream.
    pub(super) fn forget(&mut self, stream: u32) {
        let _ = self.streams.remove(&stream);
    }

    /// Takes all bytes of one read, which came at `at`.
    pub(super) fn read(&mut self, bytes: &[u8], at: Offset) {
        let (scan, told, read) = (&mut self.scan, &mut self.told, &mut self.read);
        let greeted = &self.greeted;
        read.clear();
        scan.scan(bytes, &mut |seen| match seen {
            Seen::Data { stream, bytes } => read.push((stream, bytes)),
            Seen::Settings { max_streams } => {
                told.max_streams = max_streams.or(told.max_streams);
                if !std::mem::replace(&mut told.settings, true) {
                    greeted.notify_one();
                }
            }
            // A server that goes in peace names a number twice: first the largest, then its last.
            Seen::GoAway { last_stream } => told.last_stream = Some(last_stream),
            Seen::Foreign { http1 } => {
                told.foreign = Some(http1);
                greeted.notify_one();
            }
        });
        let last = self.read.len().saturating_sub(1);
        for (index, (stream, bytes)) in self.read.drain(..).enumerate() {
            if let Some(pieces) = self.streams.get_mut(&stream) {
                pieces.push_back(Piece {
                    bytes,
                    at,
                    followed: index < last,
                });
            }
        }
    }

    /// Bytes of a stream that are written down and not crossed out.
    #[cfg(test)]
    pub(super) fn waiting(&self, stream: u32) -> usize {
        let pieces = self.streams.get(&stream);
        pieces.map_or(0, |pieces| pieces.iter().map(|piece| piece.bytes).sum())
    }

    /// The stamp of the next bytes of a stream: of at most so many, which are then crossed out.
    pub(super) fn next(&mut self, stream: u32, at_most: usize) -> Option<Piece> {
        let pieces = self.streams.get_mut(&stream)?;
        let first = pieces.front_mut()?;
        let bytes = first.bytes.min(at_most);
        let piece = Piece { bytes, ..*first };
        first.bytes -= bytes;
        if first.bytes == 0 {
            let _ = pieces.pop_front();
        }
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Offset {
        Offset::from_nanos(ns)
    }

    fn data(stream: u8, bytes: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, bytes, 0, 0, 0, 0, 0, stream];
        frame.resize(9 + usize::from(bytes), b'x');
        frame
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.read(&[0, 0, 0, 4, 0, 0, 0, 0, 0], at(0));
        ledger.follow(1);
        ledger.follow(3);
        ledger
    }

    fn piece(bytes: usize, ns: u64, followed: bool) -> Piece {
        Piece {
            bytes,
            at: at(ns),
            followed,
        }
    }

    #[test]
    fn bytes_keep_the_stamp_of_their_read_however_late_they_are_taken() {
        let mut ledger = ledger();
        let frame = data(1, 10);
        ledger.read(&frame[..13], at(5));
        ledger.read(&[&frame[13..], &data(1, 2)].concat(), at(6));
        ledger.read(&data(1, 3), at(7));
        // The frame of ten bytes came in two reads; the second brought another one.
        assert_eq!(ledger.next(1, 10), Some(piece(4, 5, false)));
        assert_eq!(ledger.next(1, 6), Some(piece(6, 6, true)));
        assert_eq!(ledger.next(1, 2), Some(piece(2, 6, false)));
        assert_eq!(ledger.next(1, 1), Some(piece(1, 7, false)));
        assert_eq!(ledger.next(1, 9), Some(piece(2, 7, false)));
        assert_eq!(ledger.next(1, 9), None);
    }

    #[test]
    fn only_the_last_frame_of_a_read_has_its_own_stamp() {
        let mut ledger = ledger();
        let frames = [data(1, 2), data(5, 2), data(3, 2)].concat();
        ledger.read(&frames, at(5));
        assert_eq!(ledger.next(1, 9), Some(piece(2, 5, true)));
        assert_eq!(ledger.next(3, 9), Some(piece(2, 5, false)));
        assert_eq!(ledger.next(5, 9), None, "nobody follows it");
        ledger.forget(1);
        ledger.read(&data(1, 2), at(6));
        assert_eq!(ledger.next(1, 9), None);
    }

    #[test]
    fn what_the_server_says_of_the_connection_is_known() {
        let mut ledger = Ledger::default();
        assert!(!ledger.told().settings);
        ledger.read(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 10], at(0));
        ledger.read(&[0, 0, 0, 4, 0, 0, 0, 0, 0], at(1));
        let told = ledger.told();
        assert!(told.settings);
        assert_eq!(told.max_streams, Some(10), "what is not said again stays");
        ledger.read(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0], at(2));
        assert_eq!(ledger.told().last_stream, Some(7));
    }
}
