//! Waiting for a due time to the microsecond: a timerfd, since the runtime's own timer has ticks
//! of a millisecond.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use plimsoll_core::time::Offset;
use tokio::io::unix::AsyncFd;

use crate::clock::Clock;

struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits for points on the run's clock.
pub(crate) struct Pacer {
    timer: AsyncFd<Timer>,
    clock: Clock,
}

impl Pacer {
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        // The kernel's timer knows nothing of virtual time.
        #[cfg(test)]
        if clock.is_virtual() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe; the timer owns its descriptor and never lends it"
        )]
        let timer = AsyncFd::new(Timer(timer))?;
        Ok(Self { timer, clock })
    }

    /// Returns at `at`, or at once if that is past.
    pub(crate) async fn until(&self, at: Offset) -> io::Result<()> {
        loop {
            let left = at.since(self.clock.now());
            if left.is_zero() {
                return Ok(());
            }
            let expiration = Expiration::OneShot(TimeSpec::from_duration(left));
            self.timer
                .get_ref()
                .0
                .set(expiration, TimerSetTimeFlags::empty())?;
            let mut ready = self.timer.readable().await?;
            ready.clear_ready();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_never_returns_early() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let clock = Clock::start();
            let pacer = Pacer::new(clock).unwrap();
            for step in 1..5u64 {
                let at = Offset::from_duration(Duration::from_micros(step * 700));
                pacer.until(at).await.unwrap();
                assert!(clock.now() >= at);
            }
            pacer.until(Offset::ZERO).await.unwrap();
        });
    }
}
