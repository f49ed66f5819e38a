//! Connections by number. A number that is used again has another key, so that what was meant for
//! a connection that is gone finds nobody.

use super::conn::Conn;

/// Names a connection of a worker, now and never another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    /// The listening socket. No connection reaches these keys: their number would be 2^32 − 1.
    pub(super) const LISTENER: Self = Self(u64::MAX);
    /// The worker's mailbox.
    pub(super) const MAILBOX: Self = Self(u64::MAX - (1 << 32));
    /// The worker's timer.
    pub(super) const TIMER: Self = Self(u64::MAX - (2 << 32));

    pub(super) fn from_u64(value: u64) -> Self {
        Self(value)
    }

    pub(super) fn as_u64(self) -> u64 {
        self.0
    }

    fn new(index: u32, turn: u32) -> Self {
        Self(u64::from(turn) << 32 | u64::from(index))
    }

    fn index(self) -> usize {
        (self.0 & u64::from(u32::MAX)) as usize
    }

    fn turn(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[derive(Debug, Default)]
struct Entry {
    /// How often the place was used before.
    turn: u32,
    conn: Option<Box<Conn>>,
}

/// The connections of one worker.
#[derive(Debug, Default)]
pub(super) struct Slab {
    places: Vec<Entry>,
    free: Vec<u32>,
}

impl Slab {
    /// Reserves a place; the connection is then [`put`](Self::put) there.
    pub(super) fn reserve(&mut self) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Entry::default());
            (self.places.len() - 1) as u32
        });
        Key::new(index, self.places[index as usize].turn)
    }

    /// Takes the connection out to work on it; it is put back or its place freed.
    pub(super) fn take(&mut self, key: Key) -> Option<Box<Conn>> {
        let place = self.places.get_mut(key.index())?;
        if place.turn == key.turn() {
            place.conn.take()
        } else {
            None
        }
    }

    pub(super) fn put(&mut self, key: Key, conn: Box<Conn>) {
        self.places[key.index()].conn = Some(conn);
    }

    /// Gives the place of a connection that is gone to the next one.
    pub(super) fn free(&mut self, key: Key) {
        let place = &mut self.places[key.index()];
        place.turn = place.turn.wrapping_add(1);
        self.free.push(key.index() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn a_place_that_is_used_again_has_another_key() {
        let mut slab = Slab::default();
        let (first, second) = (slab.reserve(), slab.reserve());
        assert_ne!(first, second);
        slab.free(first);
        let third = slab.reserve();
        assert_ne!(third, first);
        assert_eq!(third.index(), first.index());
        assert!(slab.take(first).is_none());
    }
}
