//! The kernel's event queue, and waiting on it until a point in time.

use super::clock::now_ns;
use super::slab::Key;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::os::fd::AsFd;

/// Most events taken at once; between two of their connections what is due goes out.
const EVENTS: usize = 256;

/// A wait that is shorter than this is spent looking: setting the timer, sleeping and waking takes
/// the CPU as long, and ends later.
const SLEEPLESS_NS: u64 = 5_000;

/// Waits for sockets and for the time. The timer is a file of its own: the wait's own time-out
/// counts milliseconds.
#[derive(Debug)]
pub(super) struct Poller {
    epoll: Epoll,
    timer: TimerFd,
    /// What the timer is set to, in ns; `None` if it has gone off or was never set.
    set_ns: Option<u64>,
    events: Vec<EpollEvent>,
}

/// One event: whose, and what of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) key: Key,
    flags: EpollFlags,
}

impl Ready {
    /// Whether there is something to read, be it the end.
    pub(super) fn readable(self) -> bool {
        self.flags.intersects(EpollFlags::EPOLLIN) || self.hung_up()
    }

    /// Whether the client has closed its side, so that reading must go on until the end is seen.
    pub(super) fn hung_up(self) -> bool {
        let ends = EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR;
        self.flags.intersects(ends)
    }
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(
            ClockId::CLOCK_MONOTONIC,
            TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK,
        )?;
        let poller = Self {
            epoll,
            timer,
            set_ns: None,
            events: vec![EpollEvent::empty(); EVENTS],
        };
        poller.add(
            poller.timer.as_fd(),
            Key::TIMER,
            EpollFlags::EPOLLIN | EpollFlags::EPOLLET,
        )?;
        Ok(poller)
    }

    /// Watches a connection for what changes: an event is told once, and a full socket tells when
    /// it has room again without being asked.
    pub(super) fn watch(&self, fd: impl AsFd, key: Key) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN
            | EpollFlags::EPOLLOUT
            | EpollFlags::EPOLLRDHUP
            | EpollFlags::EPOLLET;
        self.add(fd, key, flags)
    }

    /// Watches a mailbox: each ring is told once.
    pub(super) fn watch_bell(&self, fd: impl AsFd, key: Key) -> io::Result<()> {
        self.add(fd, key, EpollFlags::EPOLLIN | EpollFlags::EPOLLET)
    }

    /// Watches a listening socket: told as long as somebody waits.
    pub(super) fn watch_listener(&self, fd: impl AsFd, key: Key) -> io::Result<()> {
        self.add(fd, key, EpollFlags::EPOLLIN)
    }

    pub(super) fn forget(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(self.epoll.delete(fd)?)
    }

    fn add(&self, fd: impl AsFd, key: Key, flags: EpollFlags) -> io::Result<()> {
        Ok(self.epoll.add(fd, EpollEvent::new(flags, key.as_u64()))?)
    }

    /// Waits for events, but not beyond `until_ns`; returns how many there are. It may return a
    /// little earlier with none.
    pub(super) fn wait(&mut self, until_ns: Option<u64>) -> io::Result<usize> {
        let timeout = if until_ns.is_some_and(|until_ns| until_ns <= now_ns() + SLEEPLESS_NS) {
            EpollTimeout::ZERO
        } else {
            self.set(until_ns)?;
            EpollTimeout::NONE
        };
        match self.epoll.wait(&mut self.events, timeout) {
            Ok(count) => Ok(count),
            Err(Errno::EINTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// The event at `index` of the last wait.
    pub(super) fn ready(&self, index: usize) -> Ready {
        let event = self.events[index];
        Ready {
            key: Key::from_u64(event.data()),
            flags: event.events(),
        }
    }

    /// Sets the timer; one that goes off for something that is gone does no harm.
    fn set(&mut self, until_ns: Option<u64>) -> io::Result<()> {
        if let Some(at_ns) = until_ns.filter(|_| self.set_ns != until_ns) {
            let at = std::time::Duration::from_nanos(at_ns);
            self.timer.set(
                Expiration::OneShot(TimeSpec::from_duration(at)),
                TimerSetTimeFlags::TFD_TIMER_ABSTIME,
            )?;
            self.set_ns = until_ns;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Poller, SLEEPLESS_NS};
    use crate::metronome::clock::now_ns;
    use crate::metronome::slab::Key;

    #[test]
    fn a_wait_ends_at_its_time_and_hardly_before() {
        let mut poller = Poller::new().unwrap();
        for wait_ns in [300_000, 0, 2_000_000] {
            let until = now_ns() + wait_ns;
            let count = poller.wait(Some(until)).unwrap();
            assert!(now_ns() + SLEEPLESS_NS >= until);
            assert_eq!(count, usize::from(wait_ns > 0));
            if count > 0 {
                assert_eq!(poller.ready(0).key, Key::TIMER);
            }
        }
    }
}
