//! When what is due.

use super::slab::Key;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Most tokens of one write where several are due at once: some 200 KB of events. A client that
/// does not read then costs no more memory than that.
const MOST_AT_ONCE: u32 = 1024;

/// The schedule of every answer, relative to the receipt of its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    ttft_ns: u64,
    itl_ns: u64,
}

impl Pace {
    pub(super) fn new(ttft: Duration, itl: Duration) -> Self {
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            ttft_ns: nanos(ttft),
            itl_ns: nanos(itl),
        }
    }

    pub(super) fn ttft_ns(self) -> u64 {
        self.ttft_ns
    }

    pub(super) fn itl_ns(self) -> u64 {
        self.itl_ns
    }

    /// When `token` (counted from 0) of a request received at `received_ns` is due.
    ///
    /// It hangs on the receipt only: a token that was late makes no later one late.
    pub(super) fn due_ns(self, received_ns: u64, token: u32) -> u64 {
        let after_first = self.itl_ns.saturating_mul(u64::from(token));
        received_ns
            .saturating_add(self.ttft_ns)
            .saturating_add(after_first)
    }

    /// How many of `left` tokens are due at the same time as the first of them.
    pub(super) fn together(self, left: u32) -> u32 {
        if self.itl_ns == 0 {
            left.min(MOST_AT_ONCE)
        } else {
            left.min(1)
        }
    }
}

/// Who is due, earliest first.
#[derive(Debug, Default)]
pub(super) struct DueQueue {
    heap: BinaryHeap<Reverse<(u64, Key)>>,
}

impl DueQueue {
    pub(super) fn push(&mut self, due_ns: u64, key: Key) {
        self.heap.push(Reverse((due_ns, key)));
    }

    /// When the next is due.
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((due_ns, _))| *due_ns)
    }

    /// Takes the earliest out if it is due at `now_ns`.
    pub(super) fn pop_due(&mut self, now_ns: u64) -> Option<Key> {
        if self.next_ns()? > now_ns {
            return None;
        }
        self.heap.pop().map(|Reverse((_, key))| key)
    }
}

#[cfg(test)]
mod tests {
    use super::{DueQueue, Pace};
    use crate::metronome::slab::Key;
    use std::time::Duration;

    #[test]
    fn tokens_are_due_by_the_receipt_alone() {
        let pace = Pace::new(Duration::from_nanos(100), Duration::from_nanos(7));
        let due: Vec<u64> = (0..3).map(|token| pace.due_ns(1000, token)).collect();
        assert_eq!(due, [1100, 1107, 1114]);
        assert_eq!((pace.together(5), pace.together(0)), (1, 0));
        let forever = Pace::new(Duration::MAX, Duration::MAX);
        assert_eq!(forever.due_ns(1, 2), u64::MAX, "no overflow");
    }

    #[test]
    fn without_a_gap_all_tokens_are_due_at_once_up_to_a_bound() {
        let pace = Pace::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(pace.together(64), 64);
        assert!(pace.together(u32::MAX) < 10_000);
    }

    #[test]
    fn the_earliest_comes_first_and_never_early() {
        let mut queue = DueQueue::default();
        for (due, key) in [(30, 3), (10, 1), (20, 2)] {
            queue.push(due, Key::from_u64(key));
        }
        assert_eq!(queue.next_ns(), Some(10));
        assert_eq!(queue.pop_due(9), None);
        let out: Vec<_> = std::iter::from_fn(|| queue.pop_due(20)).collect();
        assert_eq!(out, [1, 2].map(Key::from_u64));
        assert_eq!(queue.next_ns(), Some(30));
    }
}
