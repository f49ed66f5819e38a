//! A worker's loop as it looks from outside its tasks: when it last looked for what has come, and
//! the nap before it looks again.
//!
//! A read keeps its true stamp however late it is, so reading in batches costs no accuracy and
//! saves a wake-up per event: before a worker whose sockets are busy asks the kernel what is there,
//! it sleeps a little; far less than the gap between two events of one answer, so that no read finds
//! two of them, and never past the next send.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plimsoll_core::time::Offset;
use tokio::runtime::{LocalOptions, LocalRuntime};

use crate::clock::Clock;

/// Longest nap.
const LONGEST: Duration = Duration::from_millis(1);
/// A nap is at most this share of the mean gap between events.
const SHARE_OF_GAP: u32 = 20;
/// A nap shorter than this saves nothing.
const SHORTEST: Duration = Duration::from_micros(50);
/// A wait for the kernel that took longer has slept: with something to tell it returns in a few µs.
const SLEPT_NS: u64 = 50_000;
/// A nap ends this long before the next send: the kernel wakes a sleeper some 50 µs late.
const BEFORE_SEND_NS: u64 = 200_000;

/// When a worker polled, and how long it may nap. Its one writer is the worker's own thread.
#[derive(Debug)]
pub(crate) struct PollClock {
    clock: Clock,
    latest_ns: AtomicU64,
    before_ns: AtomicU64,
    parked_ns: AtomicU64,
    nap_ns: AtomicU64,
    /// No nap goes past this.
    next_send_ns: AtomicU64,
}

impl PollClock {
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            latest_ns: AtomicU64::new(0),
            before_ns: AtomicU64::new(0),
            parked_ns: AtomicU64::new(0),
            nap_ns: AtomicU64::new(0),
            next_send_ns: AtomicU64::new(u64::MAX),
        })
    }

    /// A runtime that tells when it polls. It stays on the thread that makes it: its tasks need no
    /// lock on their way to the front.
    pub(crate) fn runtime(poll_clock: &Arc<Self>) -> std::io::Result<LocalRuntime> {
        let (parks, unparks) = (Arc::clone(poll_clock), Arc::clone(poll_clock));
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || parks.park())
            .on_thread_unpark(move || unparks.polled())
            .build_local(LocalOptions::default())
    }

    /// Sets the nap by the mean gap between events of one answer; `None` ends napping.
    pub(crate) fn set_gap(&self, gap: Option<Duration>) {
        let nap = gap.map_or(Duration::ZERO, |gap| (gap / SHARE_OF_GAP).min(LONGEST));
        let nap = if nap < SHORTEST { Duration::ZERO } else { nap };
        self.nap_ns.store(nap.as_nanos() as u64, Ordering::Relaxed);
    }

    /// How long the loop may sleep on purpose.
    pub(crate) fn nap_time(&self) -> Duration {
        Duration::from_nanos(self.nap_ns.load(Ordering::Relaxed))
    }

    /// Says when the next request is to be sent; `None` if none is planned.
    pub(crate) fn set_next_send(&self, at: Option<Offset>) {
        let at = at.map_or(u64::MAX, Offset::as_nanos);
        self.next_send_ns.store(at, Ordering::Relaxed);
    }

    /// A time at which everything that had come by then had been read: what is read now came later.
    pub(crate) fn all_read_before(&self) -> Offset {
        Offset::from_nanos(self.before_ns.load(Ordering::Relaxed))
    }

    /// When the loop last came back from the kernel.
    pub(crate) fn latest(&self) -> Offset {
        Offset::from_nanos(self.latest_ns.load(Ordering::Relaxed))
    }

    /// A time after which all has come that is read now. A wait that slept was ended by the first
    /// thing that came, and what is read together with that came later still: so it came at most as
    /// long before the loop was back as the thread then waited for a core (`queued`). Where that is
    /// not known, or where the wait may not have slept at all, it came after the poll before.
    pub(crate) fn came_after(&self, queued: Option<Duration>) -> Offset {
        let before = self.all_read_before();
        let (parked, woke) = (self.parked_ns.load(Ordering::Relaxed), self.latest());
        let awake = |queued: Duration| queued + Duration::from_nanos(SLEPT_NS);
        queued
            .filter(|queued| woke.since(Offset::from_nanos(parked)) > awake(*queued))
            .map_or(before, |queued| before.max(woke - queued))
    }

    fn park(&self) {
        self.nap();
        self.parked_ns
            .store(self.clock.now().as_nanos(), Ordering::Relaxed);
    }

    fn nap(&self) {
        let nap = self.nap_ns.load(Ordering::Relaxed);
        if nap == 0 {
            return;
        }
        let now = self.clock.now().as_nanos();
        let room = self
            .next_send_ns
            .load(Ordering::Relaxed)
            .saturating_sub(now)
            .saturating_sub(BEFORE_SEND_NS);
        let nap = Duration::from_nanos(nap.min(room));
        if nap >= SHORTEST {
            self.clock.sleep(nap);
        }
    }

    /// The loop is back from the kernel and begins to read. All that it had been told of the time
    /// before has been read, so what it finds now came after that.
    fn polled(&self) {
        let now = self.clock.now().as_nanos();
        let latest = self.latest_ns.load(Ordering::Relaxed);
        self.before_ns.store(latest, Ordering::Relaxed);
        self.latest_ns.store(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nap_is_a_small_share_of_the_gap() {
        let polls = PollClock::new(Clock::start());
        let table = [
            (None, 0),
            (Some(Duration::ZERO), 0),
            (Some(Duration::from_micros(900)), 0),
            (Some(Duration::from_millis(10)), 500),
            (Some(Duration::from_secs(1)), 1_000),
        ];
        for (gap, nap_us) in table {
            polls.set_gap(gap);
            assert_eq!(polls.nap_time(), Duration::from_micros(nap_us), "{gap:?}");
        }
    }

    #[test]
    fn what_is_read_came_after_the_poll_before_this_one() {
        let polls = PollClock::new(Clock::start());
        assert_eq!(polls.all_read_before(), Offset::ZERO);
        polls.polled();
        let first = polls.latest_ns.load(Ordering::Relaxed);
        polls.polled();
        assert_eq!(polls.all_read_before(), Offset::from_nanos(first));
    }

    #[test]
    fn what_ends_a_sleep_comes_when_it_ends() {
        let polls = PollClock::new(Clock::start());
        polls.park();
        polls.polled();
        let first = polls.latest_ns.load(Ordering::Relaxed);
        polls.park();
        let parked = polls.parked_ns.load(Ordering::Relaxed);
        polls.clock.sleep(Duration::from_nanos(2 * SLEPT_NS));
        polls.polled();
        let before = Offset::from_nanos(first);
        assert_eq!(polls.all_read_before(), before);
        let at_once = polls.came_after(Some(Duration::ZERO));
        assert!(at_once > Offset::from_nanos(parked + SLEPT_NS));
        assert_eq!(at_once, polls.latest());
        assert_eq!(polls.came_after(None), before, "nobody knows");
        let long = Some(Duration::from_secs(60));
        assert_eq!(polls.came_after(long), before, "it may not have slept");
    }
}
