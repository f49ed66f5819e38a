//! The server's only sources of time and of waiting on a thread.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A long sleep looks so often whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

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

    /// Sleeps this thread until `at_ns`, or until it is stopped, and returns by how much it woke too
    /// late, in ns.
    #[expect(
        clippy::disallowed_methods,
        reason = "the step clock: a thread wakes 20× sharper than a 1 ms timer wheel"
    )]
    pub(super) fn sleep_until(self, at_ns: u64, is_stopped: impl Fn() -> bool) -> u64 {
        loop {
            let now = self.now_ns();
            if now >= at_ns || is_stopped() {
                return now.saturating_sub(at_ns);
            }
            std::thread::sleep(Duration::from_nanos(at_ns - now).min(LOOK));
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

/// A time since 1970 as RFC 3339 has it, in UTC. The date by its days since 1970 is Howard Hinnant's
/// `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms").
pub(crate) fn rfc3339(unix_s: u64) -> String {
    let (days, second) = (unix_s / 86_400 + 719_468, unix_s % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn times_are_dates_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_760_000_000), "2025-10-09T08:53:20Z");
    }
}
