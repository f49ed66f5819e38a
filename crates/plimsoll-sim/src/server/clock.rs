//! The server's only sources of time and of waiting on a thread.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the server was made, on the monotonic clock. Copies share the origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the clock module")]
    pub(super) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub(super) fn now_ns(self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Sleeps this thread until `at_ns` and returns by how much it woke too late, in ns.
    #[expect(
        clippy::disallowed_methods,
        reason = "the step clock: a thread wakes 20× sharper than a 1 ms timer wheel"
    )]
    pub(super) fn sleep_until(self, at_ns: u64) -> u64 {
        loop {
            let now = self.now_ns();
            if now >= at_ns {
                return now - at_ns;
            }
            std::thread::sleep(Duration::from_nanos(at_ns - now));
        }
    }
}

/// Returns seconds since 1970, for the `created` field; 0 on a machine set before that.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock module; nothing is measured by it"
)]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
