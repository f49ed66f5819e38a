//! What workers count of themselves: where their stamps came from, how late they were, what they cost.
//! It is plain data: that of several workers, on whatever machines, adds up to that of one.

mod durations;
mod live;

use std::time::Duration;

use plimsoll_core::level::ClientHealth;
use plimsoll_core::record::ConnectTimes;
use plimsoll_core::time::Offset;
use serde::{Deserialize, Serialize};

use durations::{Durations, nanos};
pub(crate) use live::LiveStats;

/// Counts of a stretch of time, of one worker or of several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerStats {
    pub(crate) kernel_reads: u64,
    pub(crate) user_reads: u64,
    read_lag: Durations,
    loop_lag: Durations,
    connect: Durations,
    tls: Durations,
    /// The time that all streams together have waited for a connection.
    connecting: Duration,
    pub(crate) idle_retries: u64,
    /// Stamps of the kernel's that could not be.
    pub(crate) impossible_stamps: u64,
    pub(crate) outputs: Outputs,
    /// By how much first tokens that share their stamp can be too late, at most.
    shared_first_error: Durations,
    /// Of the worker whose clock is mapped worst.
    pub(crate) clock_error_ns: u64,
    /// Of the worker that had the least time left, 0..1.
    worker_cpu_ratio: Option<f64>,
    /// Of the machine whose host gave the most to others, 0..1.
    pub(crate) stolen_cpu_ratio: Option<f64>,
}

/// Output events, and those that came in one read with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outputs {
    pub(crate) all: u64,
    pub(crate) shared: u64,
    pub(crate) first: u64,
    pub(crate) shared_first: u64,
    /// Sum of the gaps between reads with output of one answer, and their number.
    pub(crate) gap_ns: u64,
    pub(crate) gaps: u64,
}

impl WorkerStats {
    /// Enters a read that the kernel stamped, read `lag` later.
    pub(crate) fn kernel_read(&mut self, lag: Duration) {
        self.kernel_reads += 1;
        self.read_lag.record(lag);
    }

    /// Enters how late the loop woke.
    pub(crate) fn woke(&mut self, late: Duration) {
        self.loop_lag.record(late);
    }

    /// Enters a new connection.
    pub(crate) fn connected(&mut self, times: ConnectTimes) {
        self.connect
            .record(times.tcp + times.proxy.unwrap_or_default());
        if let Some(tls) = times.tls {
            self.tls.record(tls);
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
            self.shared_first_error.record(at.since(polled));
        }
    }

    /// Adds what another worker has counted over the same time.
    pub fn merge(&mut self, other: &Self) {
        self.kernel_reads += other.kernel_reads;
        self.user_reads += other.user_reads;
        self.read_lag.merge(&other.read_lag);
        self.loop_lag.merge(&other.loop_lag);
        self.connect.merge(&other.connect);
        self.tls.merge(&other.tls);
        self.shared_first_error.merge(&other.shared_first_error);
        self.connecting += other.connecting;
        self.idle_retries += other.idle_retries;
        self.impossible_stamps += other.impossible_stamps;
        self.outputs.merge(other.outputs);
        self.clock_error_ns = self.clock_error_ns.max(other.clock_error_ns);
        self.worker_cpu_ratio = larger(self.worker_cpu_ratio, other.worker_cpu_ratio);
        self.stolen_cpu_ratio = larger(self.stolen_cpu_ratio, other.stolen_cpu_ratio);
    }

    /// The health of the client whose workers have counted this over `over`.
    pub fn health(&self, over: Duration) -> ClientHealth {
        let reads = self.kernel_reads + self.user_reads;
        let over_s = over.as_secs_f64();
        let outputs = self.outputs;
        ClientHealth {
            connecting_concurrency: (over_s > 0.0).then(|| self.connecting.as_secs_f64() / over_s),
            loop_lag_ms: self.loop_lag.summary_ms(),
            kernel_stamp_ratio: ratio(self.kernel_reads, reads),
            read_lag_ms: self.read_lag.summary_ms(),
            shared_first_ratio: ratio(outputs.shared_first, outputs.first),
            shared_first_error_ms: self.shared_first_error.summary_ms(),
            shared_event_ratio: ratio(outputs.shared, outputs.all),
            clock_error_us: (self.kernel_reads > 0).then(|| self.clock_error_ns as f64 / 1e3),
            worker_cpu_ratio: self.worker_cpu_ratio,
            stolen_cpu_ratio: self.stolen_cpu_ratio,
            connections_opened: self.connect.len(),
            connect_ms: self.connect.summary_ms(),
            tls_ms: self.tls.summary_ms(),
            idle_retries: self.idle_retries,
            impossible_stamps: self.impossible_stamps,
            ..ClientHealth::default()
        }
    }
}

impl Outputs {
    fn merge(&mut self, other: Self) {
        self.all += other.all;
        self.shared += other.shared;
        self.first += other.first;
        self.shared_first += other.shared_first;
        self.gap_ns += other.gap_ns;
        self.gaps += other.gaps;
    }
}

/// The counts of several workers over the same time, as one.
impl FromIterator<WorkerStats> for WorkerStats {
    fn from_iter<I: IntoIterator<Item = Self>>(all: I) -> Self {
        all.into_iter().fold(Self::default(), |mut sum, one| {
            sum.merge(&one);
            sum
        })
    }
}

fn ratio(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).reduce(f64::max)
}

#[cfg(test)]
mod tests;
