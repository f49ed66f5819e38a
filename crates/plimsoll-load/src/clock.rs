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

    /// The instant that is `offset` after the start, for timers.
    pub fn instant(&self, offset: Offset) -> Instant {
        self.zero + Duration::from_nanos(offset.as_nanos())
    }
}

/// The wall clock, which the kernel stamps with: nanoseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the clock module")]
pub(crate) fn wall_nanos() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_1970.map_or(0, |span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
}
