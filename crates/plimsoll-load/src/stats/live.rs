//! The counts of a worker as they grow: it writes them, the coordinator takes them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use plimsoll_core::time::Offset;

use super::WorkerStats;
use crate::clock::Clock;

/// What a worker counts. Only the taking, a few times a level, can make the other side wait, and no
/// longer than a swap of pointers.
#[derive(Debug, Default)]
pub(crate) struct LiveStats(Mutex<Live>);

#[derive(Debug, Default)]
struct Live {
    counted: WorkerStats,
    waiting: Waiting,
    /// When the worker looks at itself next, at the latest.
    next_beat: Option<Offset>,
    cpu: Duration,
    wall: Duration,
}

/// Streams that wait for a connection. Those that still wait count too: a server that never accepts
/// would otherwise look like a client that does not send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Waiting {
    streams: u32,
    since: Offset,
    /// The time that all of them together have waited.
    total: Duration,
}

impl Waiting {
    /// Counts the time until `now`, before anything changes.
    fn advance(&mut self, now: Offset) {
        self.total += now.since(self.since) * self.streams;
        self.since = now;
    }

    /// Takes what has been waited, and goes on with those that still wait.
    fn take(&mut self, now: Offset) -> Duration {
        self.advance(now);
        std::mem::take(&mut self.total)
    }
}

/// A stream waits for a connection as long as this lives.
pub(crate) struct Wait<'a> {
    stats: &'a LiveStats,
    clock: Clock,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.stats.change(|live| {
            live.waiting.advance(now);
            live.waiting.streams -= 1;
        });
    }
}

impl LiveStats {
    /// Changes what is counted.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut WorkerStats) -> T) -> T {
        self.change(|live| change(&mut live.counted))
    }

    /// Says when the worker will have looked at itself again.
    pub(crate) fn expect_beat(&self, at: Offset) {
        self.change(|live| live.next_beat = Some(at));
    }

    /// Enters the CPU time that the worker has used of a stretch of time.
    pub(crate) fn spent(&self, cpu: Duration, wall: Duration) {
        self.change(|live| {
            live.cpu += cpu;
            live.wall += wall;
        });
    }

    /// Begins a stream's wait for a connection.
    pub(crate) fn wait(&self, clock: Clock) -> Wait<'_> {
        let now = clock.now();
        self.change(|live| {
            live.waiting.advance(now);
            live.waiting.streams += 1;
        });
        Wait { stats: self, clock }
    }

    /// Takes what has been counted up to `now` and begins anew. A worker that should have woken by
    /// then is late, also where it is so late that it has not counted it yet.
    pub(crate) fn take(&self, now: Offset) -> WorkerStats {
        let fresh = WorkerStats::default();
        let (mut taken, next_beat) = self.change(|live| {
            let mut taken = std::mem::replace(&mut live.counted, fresh);
            taken.connecting = live.waiting.take(now);
            let (cpu, wall) = (
                std::mem::take(&mut live.cpu),
                std::mem::take(&mut live.wall),
            );
            taken.worker_cpu_ratio =
                (!wall.is_zero()).then(|| cpu.as_secs_f64() / wall.as_secs_f64());
            (taken, live.next_beat)
        });
        let late = next_beat.map_or(Duration::ZERO, |at| now.since(at));
        if !late.is_zero() {
            taken.woke(late);
        }
        taken
    }

    fn change<T>(&self, change: impl FnOnce(&mut Live) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Offset {
        Offset::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn who_still_waits_for_a_connection_counts() {
        let mut waiting = Waiting::default();
        waiting.advance(at(100));
        waiting.streams = 2;
        assert_eq!(waiting.take(at(150)), Duration::from_millis(100));
        waiting.advance(at(160));
        waiting.streams = 1;
        assert_eq!(waiting.take(at(200)), Duration::from_millis(2 * 10 + 40));
    }

    #[test]
    fn a_wait_ends_with_its_guard() {
        let (stats, clock) = (LiveStats::default(), Clock::start());
        let wait = stats.wait(clock);
        assert_eq!(stats.change(|live| live.waiting.streams), 1);
        drop(wait);
        assert_eq!(stats.change(|live| live.waiting.streams), 0);
    }

    #[test]
    fn a_worker_that_has_not_woken_is_late() {
        let stats = LiveStats::default();
        let lag_ms = |now_ms| {
            let health = stats.take(at(now_ms)).health(Duration::ZERO);
            health.loop_lag_ms.max
        };
        assert_eq!(lag_ms(50), None, "it has not begun");
        stats.expect_beat(at(60));
        assert_eq!(lag_ms(60), None, "it is not due");
        for now_ms in [100, 160] {
            let lag = lag_ms(now_ms).unwrap();
            let known = (now_ms - 60) as f64;
            assert!((lag - known).abs() < known / 100.0, "{lag}");
        }
    }

    #[test]
    fn the_share_of_its_core_is_of_the_time_since_the_last_taking() {
        let stats = LiveStats::default();
        let ratio = |stats: &LiveStats| stats.take(at(1)).worker_cpu_ratio;
        assert_eq!(ratio(&stats), None);
        stats.spent(Duration::from_millis(10), Duration::from_millis(40));
        stats.spent(Duration::from_millis(20), Duration::from_millis(20));
        assert_eq!(ratio(&stats), Some(0.5));
        assert_eq!(ratio(&stats), None);
    }
}
