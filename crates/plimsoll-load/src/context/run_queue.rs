//! How long this thread has waited for a core, by the kernel's own count: a sleeper that something
//! woke is late by that, and by no more.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use plimsoll_core::time::Offset;

/// The kernel's count of one thread; it belongs to the thread that opened it.
#[derive(Debug)]
pub(crate) struct RunQueue {
    /// `None` on a system that does not count.
    counts: Option<File>,
    /// What it showed when it was last read.
    seen: Cell<Duration>,
    /// The poll before which it was last read, and what was waited until then since the time before.
    poll: Cell<Offset>,
    waited: Cell<Option<Duration>>,
}

impl RunQueue {
    /// Opens the count of the thread that calls it.
    pub(crate) fn open() -> Self {
        let this = Self {
            counts: File::open("/proc/thread-self/schedstat").ok(),
            seen: Cell::default(),
            poll: Cell::default(),
            waited: Cell::default(),
        };
        this.seen.set(this.read().unwrap_or_default());
        this
    }

    /// At most how long this thread waited for a core before the poll at `poll`, which is the latest:
    /// all that it waited since it was last asked of another poll. `None` where nobody knows.
    pub(crate) fn waited_before(&self, poll: Offset) -> Option<Duration> {
        if self.poll.replace(poll) != poll {
            let now = self.read();
            let before = self.seen.replace(now.unwrap_or_default());
            self.waited.set(now.map(|now| now.saturating_sub(before)));
        }
        self.waited.get()
    }

    fn read(&self) -> Option<Duration> {
        let mut text = [0; 64];
        let count = self.counts.as_ref()?.read_at(&mut text, 0).ok()?;
        parse(&text[..count])
    }
}

/// `proc_pid_schedstat(5)`: time on a core, time in a run queue, both in ns, and the time slices.
fn parse(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    let waited = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(waited))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_time_in_the_run_queue() {
        assert_eq!(
            parse(b"901 109428 7\n"),
            Some(Duration::from_nanos(109_428))
        );
        assert_eq!(parse(b"901\n"), None);
        assert_eq!(parse(b"901 x 7\n"), None);
    }

    #[test]
    fn two_reads_after_one_poll_hear_the_same() {
        let queue = RunQueue::open();
        let poll = |ns| queue.waited_before(Offset::from_nanos(ns));
        let first = poll(5);
        assert_eq!(first.is_some(), queue.counts.is_some());
        assert_eq!(poll(5), first);
    }
}
