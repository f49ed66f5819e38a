//! The run's clock: the one place where this crate reads the time.

use std::time::{Duration, Instant};

use plimsoll_core::time::Offset;

/// A monotonic clock that starts with the run, or goes on where a run was left. Copies show the
/// same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// What it showed when it started.
    origin: Offset,
    /// It goes with the timers of the runtime, which a test has paused.
    #[cfg(test)]
    is_virtual: bool,
}

impl Clock {
    /// Starts the clock.
    pub fn start() -> Self {
        Self::start_at(Offset::ZERO)
    }

    /// Starts the clock at `origin`: a run that is resumed.
    #[expect(clippy::disallowed_methods, reason = "the clock module")]
    pub fn start_at(origin: Offset) -> Self {
        Self {
            started: Instant::now(),
            origin,
            #[cfg(test)]
            is_virtual: false,
        }
    }

    /// Starts a clock that shows the time of the runtime it is read in.
    #[cfg(test)]
    pub(crate) fn start_virtual() -> Self {
        Self {
            started: tokio::time::Instant::now().into_std(),
            origin: Offset::ZERO,
            is_virtual: true,
        }
    }

    /// Whether the system knows nothing of the time that it shows.
    #[cfg(test)]
    pub(crate) fn is_virtual(&self) -> bool {
        self.is_virtual
    }

    /// The time since the run's start.
    #[expect(clippy::disallowed_methods, reason = "the clock module")]
    pub fn now(&self) -> Offset {
        #[cfg(test)]
        if self.is_virtual {
            let now = tokio::time::Instant::now().into_std();
            return self.origin + now.duration_since(self.started);
        }
        self.origin + Instant::now().duration_since(self.started)
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

    /// The instant at which it shows `offset`, for timers; its start if that was before.
    pub fn instant(&self, offset: Offset) -> Instant {
        self.started + offset.since(self.origin)
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
