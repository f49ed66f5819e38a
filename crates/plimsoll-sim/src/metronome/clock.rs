//! The metronome's only source of time.
//!
//! It is the system's monotonic clock itself, not a span since some start: what the server writes
//! down can be held beside the stamps of a client on the same machine.

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds of the system's monotonic clock.
pub(super) fn now_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970 on the wall clock, which the kernel stamps with.
pub(super) fn wall_ns() -> u64 {
    read(ClockId::CLOCK_REALTIME)
}

fn read(clock: ClockId) -> u64 {
    // Both clocks are always there on Linux.
    clock_gettime(clock).map_or(0, |time| {
        time.tv_sec().cast_unsigned() * 1_000_000_000 + time.tv_nsec().cast_unsigned()
    })
}
