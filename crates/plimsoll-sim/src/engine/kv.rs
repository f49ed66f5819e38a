//! The paged KV cache: how many blocks are free, and which full prompt blocks can be found again.
//!
//! Blocks have no identity here. A *private* block belongs to one sequence and is only counted; a
//! *named* block carries the hash of its prompt beginning, is shared by reference count, and stays
//! findable after its last user has gone, until its place is needed.

use std::collections::{BTreeMap, HashMap};

/// A named block: who uses it, or since when nobody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Number of sequences that hold it; ≥ 1.
    Held(u32),
    /// Free to be evicted; the key into the order of idling.
    Idle(u64),
}

/// Counts of blocks and the index of named ones.
///
/// Invariant: `private` + `named.len()` ≤ `capacity`; `idle` lists exactly the `Named::Idle`.
#[derive(Debug)]
pub(super) struct KvPool {
    capacity: u32,
    private: u32,
    named: HashMap<u64, Named>,
    /// Least recently used first.
    idle: BTreeMap<u64, u64>,
    clock: u64,
}

impl KvPool {
    pub(super) fn new(capacity: u32) -> Self {
        Self {
            capacity,
            private: 0,
            named: HashMap::new(),
            idle: BTreeMap::new(),
            clock: 0,
        }
    }

    /// Returns the number of blocks that hold KV of a running sequence.
    pub(super) fn used(&self) -> u32 {
        self.private + (self.named.len() - self.idle.len()) as u32
    }

    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Takes `count` private blocks, evicting idle named ones as needed; all or none.
    pub(super) fn take(&mut self, count: u32) -> bool {
        if self.capacity - self.used() < count {
            return false;
        }
        self.private += count;
        while self.private + self.named.len() as u32 > self.capacity {
            let (_, hash) = self
                .idle
                .pop_first()
                .expect("used() counts every block not idle");
            self.named.remove(&hash);
        }
        true
    }

    /// Gives `count` private blocks back.
    pub(super) fn give_back(&mut self, count: u32) {
        self.private -= count;
    }

    /// Holds the longest known beginning of `hashes` and returns its length in blocks.
    pub(super) fn hold_prefix(&mut self, hashes: &[u64]) -> u32 {
        let known = hashes
            .iter()
            .take_while(|hash| self.named.contains_key(hash))
            .count();
        for &hash in &hashes[..known] {
            self.hold(hash);
        }
        known as u32
    }

    /// Turns one private block into the named block `hash`, held by the same sequence.
    ///
    /// If another sequence has filled the same block meanwhile, the private copy is freed and that
    /// one is shared.
    pub(super) fn name(&mut self, hash: u64) {
        self.private -= 1;
        self.hold(hash);
    }

    fn hold(&mut self, hash: u64) {
        match self.named.get_mut(&hash) {
            Some(Named::Held(users)) => *users += 1,
            Some(entry @ &mut Named::Idle(since)) => {
                *entry = Named::Held(1);
                self.idle.remove(&since);
            }
            None => {
                self.named.insert(hash, Named::Held(1));
            }
        }
    }

    /// Lets go of named blocks. The last block of a prompt idles first, so that it is evicted
    /// first: without its beginning a later block could never be found again.
    pub(super) fn release(&mut self, hashes: &[u64]) {
        for &hash in hashes.iter().rev() {
            match self.named.get_mut(&hash) {
                Some(Named::Held(users)) if *users > 1 => *users -= 1,
                Some(entry) => {
                    self.clock += 1;
                    *entry = Named::Idle(self.clock);
                    self.idle.insert(self.clock, hash);
                }
                None => debug_assert!(false, "a held block is never evicted"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KvPool;

    #[test]
    fn takes_all_or_none() {
        let mut pool = KvPool::new(3);
        assert!(pool.take(2));
        assert!(!pool.take(2));
        assert_eq!(pool.used(), 2);
        pool.give_back(2);
        assert_eq!(pool.used(), 0);
    }

    #[test]
    fn named_blocks_are_found_after_release_until_evicted_tail_first() {
        let mut pool = KvPool::new(3);
        assert!(pool.take(2));
        pool.name(10);
        pool.name(11);
        pool.release(&[10, 11]);
        assert_eq!(pool.used(), 0);
        assert!(pool.take(2), "one idle block gives way");
        assert_eq!(
            pool.hold_prefix(&[10, 11]),
            1,
            "the tail was evicted, the head was kept"
        );
        assert_eq!(pool.used(), 3);
        assert!(!pool.take(1));
    }

    #[test]
    fn a_block_filled_twice_is_kept_once() {
        let mut pool = KvPool::new(4);
        assert!(pool.take(2));
        pool.name(10);
        pool.name(10);
        assert_eq!(pool.used(), 1);
        pool.release(&[10]);
        assert_eq!(pool.used(), 1, "the other sequence still holds it");
        pool.release(&[10]);
        assert_eq!(pool.used(), 0);
    }
}
