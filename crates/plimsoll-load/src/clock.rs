//! The run's clock: the one place where this crate reads the time.

use std::time::{Duration, Instant};

use plimsoll_core::time::Offset;

/// A monotonic clock that starts with the run. Copies show the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: Instant,
}

impl Clock {
    /// Starts the clock.
    #[expect(clippy::disallowed_methods, reason = "the clock module")]
    pub fn start() -> Self {
        Self {
            zero: Instant::now(),
        }
    }

    /// The time since the start.
    #[expect(clippy::disallowed_methods, reason = "the clock module")]
    pub fn now(&self) -> Offset {
        Offset::from_duration(Instant::now().duration_since(self.zero))
    }

    /// Puts this thread to sleep: only to read what comes meanwhile in one go.
    #[expect(
        clippy::disallowed_methods,
        clippy::unused_self,
        reason = "the clock module"
    )]
    pub(crate) fn sleep(&self, span: Duration) {
        std::thread::sleep(span);
    }

    /// The instant that is `offset` after the start, for timers.
    pub fn instant(&self, offset: Offset) -> Instant {
        self.zero + Duration::from_nanos(offset.as_nanos())
    }
}

/// CPU time that this thread has used; `None` where the system does not say.
pub(crate) fn thread_cpu() -> Option<Duration> {
    let spent = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    Some(Duration::from(spent))
}

/// The wall clock, which the kernel stamps with: nanoseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the clock module")]
pub(crate) fn wall_nanos() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_1970.map_or(0, |span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
}
