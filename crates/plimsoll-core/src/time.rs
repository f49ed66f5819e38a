//! Points in time, as offsets on one monotonic clock that starts with the run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: nanoseconds since the run's clock started.
///
/// Spans are [`Duration`]; only differences of two offsets of the same run mean anything.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Offset(u64);

impl Offset {
    /// The start of the run.
    pub const ZERO: Self = Self(0);

    /// Makes an offset from nanoseconds since the run's start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Makes an offset from a span since the run's start; saturates after 584 years.
    pub fn from_duration(since_start: Duration) -> Self {
        Self(u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Makes an offset from seconds since the run's start, to the nearest nanosecond: what
    /// [`Self::as_secs_f64`] gave, exactly, for as long as a run of months lasts.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self((seconds * 1e9).round() as u64)
    }

    /// Nanoseconds since the run's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the run's start.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The span from `earlier` to `self` in milliseconds; negative if `earlier` is later.
    pub fn ms_since(self, earlier: Self) -> f64 {
        (self.0 as f64 - earlier.0 as f64) / 1e6
    }
}

impl std::ops::Add<Duration> for Offset {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl std::ops::Sub<Duration> for Offset {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// Milliseconds of a span, as statistics and JSON want them.
pub fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_give_back_the_same_nanosecond() {
        let a_month = 31 * 86_400 * 1_000_000_000;
        for nanos in [
            0,
            1,
            999_999_999,
            1_234_567_890_123,
            a_month - 1,
            a_month + 1,
        ] {
            let at = Offset::from_nanos(nanos);
            assert_eq!(Offset::from_secs_f64(at.as_secs_f64()), at);
        }
    }

    #[test]
    fn differences_never_wrap() {
        let early = Offset::from_nanos(5);
        let late = Offset::from_nanos(2_000_005);
        assert_eq!(late.since(early), Duration::from_millis(2));
        assert_eq!(early.since(late), Duration::ZERO);
        assert!((early.ms_since(late) + 2.0).abs() < 1e-9);
        assert_eq!(Offset::ZERO - Duration::from_secs(1), Offset::ZERO);
        assert_eq!(
            Offset::from_nanos(u64::MAX) + Duration::from_secs(1),
            Offset::from_nanos(u64::MAX)
        );
    }
}
