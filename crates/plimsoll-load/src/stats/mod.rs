//! What a worker counts of itself: where its stamps came from, how late it was, what it cost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use plimsoll_core::level::ClientHealth;
use plimsoll_core::record::ConnectTimes;
use plimsoll_core::stats::Summary;
use plimsoll_core::time::Offset;

use crate::clock::Clock;

/// Significant digits of the histograms: the client's own lateness to one part in a hundred.
const DIGITS: u8 = 2;

/// Counts since they were last taken. Durations are in ns.
#[derive(Debug)]
pub(crate) struct WorkerStats {
    pub(crate) kernel_reads: u64,
    pub(crate) user_reads: u64,
    pub(crate) read_lag: Histogram<u64>,
    pub(crate) loop_lag: Histogram<u64>,
    pub(crate) connect: Histogram<u64>,
    pub(crate) tls: Histogram<u64>,
    pub(crate) waiting: Waiting,
    pub(crate) idle_retries: u64,
    pub(crate) outputs: Outputs,
    /// By how much first tokens that share their stamp can be too late, at most.
    pub(crate) shared_first_error: Histogram<u64>,
    pub(crate) clock_error_ns: u64,
    /// When the worker looks at itself next, at the latest.
    pub(crate) next_beat: Option<Offset>,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// Output events, and those that came in one read with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outputs {
    pub(crate) all: u64,
    pub(crate) shared: u64,
    pub(crate) first: u64,
    pub(crate) shared_first: u64,
    /// Sum of the gaps between reads with output of one answer, and their number.
    pub(crate) gap_ns: u64,
    pub(crate) gaps: u64,
}

/// Streams that wait for a connection. Those that still wait count too: a server that never accepts
/// would otherwise look like a client that does not send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
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
    fn take(&mut self, now: Offset) -> Self {
        self.advance(now);
        let fresh = Self {
            total: Duration::ZERO,
            ..*self
        };
        std::mem::replace(self, fresh)
    }
}

/// A stream waits for a connection as long as this lives.
pub(crate) struct Wait<'a> {
    stats: &'a SharedStats,
    clock: Clock,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.stats.update(|stats| {
            stats.waiting.advance(now);
            stats.waiting.streams -= 1;
        });
    }
}

/// What a worker writes and the coordinator takes. Only the taking, a few times a level,
/// can make the other side wait, and no longer than a swap of pointers.
#[derive(Debug, Default)]
pub(crate) struct SharedStats(Mutex<WorkerStats>);

impl Default for WorkerStats {
    fn default() -> Self {
        Self {
            kernel_reads: 0,
            user_reads: 0,
            read_lag: histogram(),
            loop_lag: histogram(),
            connect: histogram(),
            tls: histogram(),
            waiting: Waiting::default(),
            idle_retries: 0,
            outputs: Outputs::default(),
            shared_first_error: histogram(),
            clock_error_ns: 0,
            next_beat: None,
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
        }
    }
}

fn histogram() -> Histogram<u64> {
    // Up to an hour; beyond it values saturate. These bounds cannot be refused.
    #[expect(clippy::expect_used, reason = "constant arguments, tested below")]
    Histogram::new_with_max(3_600_000_000_000, DIGITS).expect("valid bounds")
}

impl SharedStats {
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut WorkerStats) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a stream's wait for a connection.
    pub(crate) fn wait(&self, clock: Clock) -> Wait<'_> {
        let now = clock.now();
        self.update(|stats| {
            stats.waiting.advance(now);
            stats.waiting.streams += 1;
        });
        Wait { stats: self, clock }
    }

    /// Takes what has been counted up to `now` and begins anew. A worker that should have woken by
    /// then is late, also where it is so late that it has not counted it yet.
    pub(crate) fn take(&self, now: Offset) -> WorkerStats {
        let fresh = WorkerStats::default();
        let mut taken = self.update(|stats| {
            let next_beat = stats.next_beat;
            let waiting = stats.waiting.take(now);
            let mut taken = std::mem::replace(stats, WorkerStats { next_beat, ..fresh });
            stats.waiting = std::mem::replace(&mut taken.waiting, waiting);
            taken
        });
        let late = taken.next_beat.map_or(Duration::ZERO, |at| now.since(at));
        if !late.is_zero() {
            taken.woke(late);
        }
        taken
    }
}

impl WorkerStats {
    /// Enters a read that the kernel stamped, read `lag` later.
    pub(crate) fn kernel_read(&mut self, lag: Duration) {
        self.kernel_reads += 1;
        self.read_lag.saturating_record(nanos(lag));
    }

    /// Enters how late the loop woke.
    pub(crate) fn woke(&mut self, late: Duration) {
        self.loop_lag.saturating_record(nanos(late));
    }

    /// Enters a new connection.
    pub(crate) fn connected(&mut self, times: ConnectTimes) {
        let open = times.tcp + times.proxy.unwrap_or_default();
        self.connect.saturating_record(nanos(open));
        if let Some(tls) = times.tls {
            self.tls.saturating_record(nanos(tls));
        }
    }

    /// Enters `outputs` output events of one answer that came with one read at `at`, which brought
    /// more than that if it is `shared`; `before` is the answer's output event before them, and
    /// `polled` a time before which nothing of the read can have been there.
    pub(crate) fn output_read(
        &mut self,
        outputs: u64,
        shared: bool,
        before: Option<Offset>,
        at: Offset,
        polled: Offset,
    ) {
        let is_shared = shared || outputs > 1;
        let counts = &mut self.outputs;
        counts.all += outputs;
        counts.shared += if is_shared { outputs } else { 0 };
        if let Some(before) = before {
            counts.gap_ns += nanos(at.since(before));
            counts.gaps += 1;
            return;
        }
        counts.first += 1;
        if is_shared {
            counts.shared_first += 1;
            let error = nanos(at.since(polled));
            self.shared_first_error.saturating_record(error);
        }
    }

    fn add(&mut self, other: &Self) {
        self.kernel_reads += other.kernel_reads;
        self.user_reads += other.user_reads;
        for (mine, theirs) in [
            (&mut self.read_lag, &other.read_lag),
            (&mut self.loop_lag, &other.loop_lag),
            (&mut self.connect, &other.connect),
            (&mut self.tls, &other.tls),
            (&mut self.shared_first_error, &other.shared_first_error),
        ] {
            let added = mine.add(theirs);
            debug_assert!(added.is_ok(), "both sides have the same bounds");
        }
        self.waiting.total += other.waiting.total;
        self.idle_retries += other.idle_retries;
        self.outputs.add(other.outputs);
        self.clock_error_ns = self.clock_error_ns.max(other.clock_error_ns);
    }
}

impl Outputs {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.shared += other.shared;
        self.first += other.first;
        self.shared_first += other.shared_first;
        self.gap_ns += other.gap_ns;
        self.gaps += other.gaps;
    }
}

/// The health of a client from the stats of its workers over `over`.
pub(crate) fn health(stats: &[WorkerStats], over: Duration) -> ClientHealth {
    let mut sum = WorkerStats::default();
    for stats in stats {
        sum.add(stats);
    }
    let reads = sum.kernel_reads + sum.user_reads;
    let over_s = over.as_secs_f64();
    let busiest = stats
        .iter()
        .filter(|stats| !stats.wall.is_zero())
        .map(|stats| stats.cpu.as_secs_f64() / stats.wall.as_secs_f64())
        .reduce(f64::max);
    let outputs = sum.outputs;
    ClientHealth {
        connecting_concurrency: (over_s > 0.0).then(|| sum.waiting.total.as_secs_f64() / over_s),
        loop_lag_ms: summary_ms(&sum.loop_lag),
        kernel_stamp_ratio: ratio(sum.kernel_reads, reads),
        read_lag_ms: summary_ms(&sum.read_lag),
        shared_first_ratio: ratio(outputs.shared_first, outputs.first),
        shared_first_error_ms: summary_ms(&sum.shared_first_error),
        shared_event_ratio: ratio(outputs.shared, outputs.all),
        clock_error_us: (sum.kernel_reads > 0).then(|| sum.clock_error_ns as f64 / 1e3),
        worker_cpu_ratio: busiest,
        connections_opened: sum.connect.len(),
        connect_ms: summary_ms(&sum.connect),
        tls_ms: summary_ms(&sum.tls),
        idle_retries: sum.idle_retries,
        ..ClientHealth::default()
    }
}

fn ratio(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// A histogram of nanoseconds as a summary in ms.
fn summary_ms(histogram: &Histogram<u64>) -> Summary {
    if histogram.is_empty() {
        return Summary::default();
    }
    let at = |q| Some(histogram.value_at_quantile(q) as f64 / 1e6);
    Summary {
        n: histogram.len() as usize,
        mean: Some(histogram.mean() / 1e6),
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max: Some(histogram.max() as f64 / 1e6),
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Offset {
        Offset::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn shared_stamps_are_counted_with_the_most_they_can_be_late() {
        let mut stats = WorkerStats::default();
        stats.output_read(1, false, None, at(100), at(99));
        stats.output_read(2, false, Some(at(100)), at(120), at(119));
        stats.output_read(3, false, None, at(200), at(170));
        stats.output_read(1, true, None, at(300), at(299));
        let counts = stats.outputs;
        assert_eq!((counts.all, counts.shared), (7, 6));
        assert_eq!((counts.first, counts.shared_first), (3, 2));
        assert_eq!((counts.gaps, counts.gap_ns), (1, 20_000_000));
        let error_ms = summary_ms(&stats.shared_first_error).max.unwrap();
        assert!((error_ms - 30.0).abs() < 0.3, "{error_ms}");
    }

    #[test]
    fn who_still_waits_for_a_connection_counts() {
        let mut waiting = Waiting::default();
        waiting.advance(at(100));
        waiting.streams = 2;
        let first = waiting.take(at(150));
        assert_eq!(first.total, Duration::from_millis(100));
        waiting.advance(at(160));
        waiting.streams = 1;
        let second = waiting.take(at(200));
        assert_eq!(second.total, Duration::from_millis(2 * 10 + 40));
    }

    #[test]
    fn a_wait_ends_with_its_guard() {
        let (shared, clock) = (SharedStats::default(), Clock::start());
        let wait = shared.wait(clock);
        assert_eq!(shared.update(|stats| stats.waiting.streams), 1);
        drop(wait);
        assert_eq!(shared.update(|stats| stats.waiting.streams), 0);
    }

    #[test]
    fn a_worker_that_has_not_woken_is_late() {
        let shared = SharedStats::default();
        let lag_ms = |now_ms| {
            let health = health(&[shared.take(at(now_ms))], Duration::ZERO);
            health.loop_lag_ms.max
        };
        assert_eq!(lag_ms(50), None, "it has not begun");
        shared.update(|stats| stats.next_beat = Some(at(60)));
        assert_eq!(lag_ms(60), None, "it is not due");
        for now_ms in [100, 160] {
            let lag = lag_ms(now_ms).unwrap();
            let known = (now_ms - 60) as f64;
            assert!((lag - known).abs() < known / 100.0, "{lag}");
        }
    }

    #[test]
    fn a_worker_without_reads_says_nothing_of_them() {
        let health = health(&[WorkerStats::default()], Duration::ZERO);
        assert_eq!(health, ClientHealth::default());
    }

    #[test]
    fn workers_add_up_and_the_busiest_counts() {
        let stats = |lag_ms, cpu_ms| {
            let mut stats = WorkerStats::default();
            stats.kernel_read(Duration::from_millis(lag_ms));
            stats.woke(Duration::from_millis(lag_ms));
            stats.connected(ConnectTimes {
                tcp: Duration::from_millis(500),
                ..ConnectTimes::default()
            });
            stats.waiting.total = Duration::from_millis(500);
            stats.cpu = Duration::from_millis(cpu_ms);
            stats.wall = Duration::from_secs(1);
            stats
        };
        let health = health(&[stats(1, 200), stats(3, 600)], Duration::from_secs(2));
        assert_eq!(health.kernel_stamp_ratio, Some(1.0));
        assert_eq!(health.worker_cpu_ratio, Some(0.6));
        assert_eq!(health.connecting_concurrency, Some(0.5));
        assert_eq!(health.connections_opened, 2);
        let mean = health.read_lag_ms.mean.unwrap();
        assert!((mean - 2.0).abs() < 0.02, "{mean}");
        assert_eq!(health.tls_ms, Summary::default());
    }
}
