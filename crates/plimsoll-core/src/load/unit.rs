//! What the loads of a run count.

use super::Axis;

/// What the loads of a run count: the same number of streams means something else where each of
/// them waits before it asks again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadUnit {
    /// Concurrent streams: requests in flight.
    #[default]
    Streams,
    /// Streams that think: users, few of whom are in flight.
    Users,
    /// Arrivals per second.
    RatePerS,
}

impl LoadUnit {
    /// What loads along an axis count, by whether the streams think.
    pub fn of(axis: Axis, has_think_time: bool) -> Self {
        match (axis, has_think_time) {
            (Axis::Rate, _) => Self::RatePerS,
            (Axis::Streams, true) => Self::Users,
            (Axis::Streams, false) => Self::Streams,
        }
    }
}
