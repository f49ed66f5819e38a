//! What the server has measured of itself: one account per worker, merged when it is asked for.
//!
//! A token is sent when the write that carries it begins; under TLS, before it is encrypted. So
//! where the server is late, its truth says so.

use super::answer::Answer;
use super::histogram::Histogram;
use super::schedule::Pace;
use crate::server::Truth;
use crate::server::runner::lock;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most requests, of all workers together, of which each is kept: 200 MB. The statistics go on.
const KEPT_REQUESTS: usize = 2_000_000;

/// One completed request; times in ns of the system's monotonic clock.
#[derive(Debug, Clone, Serialize)]
struct TruthLine {
    id: Option<Box<str>>,
    received_ns: u64,
    first_ns: Option<u64>,
    last_ns: u64,
    done_ns: u64,
    events: u32,
}

#[derive(Debug)]
struct Account {
    completed: u64,
    failed: u64,
    cancelled: u64,
    output_tokens: u64,
    prompt_tokens: u64,
    ttft: Histogram,
    itl: Histogram,
    e2e: Histogram,
    lines: Vec<TruthLine>,
}

impl Account {
    fn new(pace: Pace) -> Self {
        Self {
            completed: 0,
            failed: 0,
            cancelled: 0,
            output_tokens: 0,
            prompt_tokens: 0,
            ttft: Histogram::around(pace.ttft_ns()),
            itl: Histogram::around(pace.itl_ns()),
            // Answers differ in length: there is no one span to expect.
            e2e: Histogram::around(0),
            lines: Vec::new(),
        }
    }

    fn complete(&mut self, mut answer: Answer, done_ns: u64, kept: usize) {
        self.completed += 1;
        self.output_tokens += u64::from(answer.ask.tokens);
        self.prompt_tokens += u64::from(answer.ask.prompt_tokens);
        let since = |at_ns: u64| at_ns.saturating_sub(answer.received_ns);
        if let Some(first_ns) = answer.first_ns {
            self.ttft.record(since(first_ns), 1);
        }
        self.e2e.record(since(answer.last_ns), 1);
        self.itl.record(0, u64::from(answer.zero_gaps));
        for gap_ns in answer.gaps_ns() {
            self.itl.record(gap_ns, 1);
        }
        if self.lines.len() < kept {
            self.lines.push(TruthLine {
                id: answer.id.take(),
                received_ns: answer.received_ns,
                first_ns: answer.first_ns,
                last_ns: answer.last_ns,
                done_ns,
                events: if answer.ask.stream { answer.sent } else { 1 },
            });
        }
    }

    fn merge(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.output_tokens += other.output_tokens;
        self.prompt_tokens += other.prompt_tokens;
        self.ttft.merge(&other.ttft);
        self.itl.merge(&other.itl);
        self.e2e.merge(&other.e2e);
    }
}

/// The accounts of all workers.
#[derive(Debug)]
pub(super) struct Recorder {
    pace: Pace,
    /// A worker locks its own, once per ended request; only a reader competes for it.
    accounts: Vec<Mutex<Account>>,
    /// Most lines of one account.
    kept: usize,
    epoch: AtomicU64,
    in_flight: AtomicU64,
    peak: AtomicU64,
}

impl Recorder {
    pub(super) fn new(workers: usize, pace: Pace) -> Self {
        let account = |_| Mutex::new(Account::new(pace));
        Self {
            pace,
            accounts: (0..workers).map(account).collect(),
            kept: KEPT_REQUESTS / workers,
            epoch: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            peak: AtomicU64::new(0),
        }
    }

    /// Counts an answer in.
    pub(super) fn begin(&self, answer: &mut Answer) {
        answer.epoch = self.epoch.load(Ordering::Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = self.peak.fetch_max(in_flight, Ordering::Relaxed);
    }

    /// Enters an answer whose last byte was handed to the kernel at `done_ns`.
    pub(super) fn complete(&self, worker: usize, answer: Answer, done_ns: u64) {
        self.leave(worker, answer.epoch, |account| {
            account.complete(answer, done_ns, self.kept);
        });
    }

    /// Enters an answer whose client has hung up.
    pub(super) fn cancel(&self, worker: usize, answer: &Answer) {
        self.leave(worker, answer.epoch, |account| account.cancelled += 1);
    }

    /// Enters a request that was refused.
    pub(super) fn refuse(&self, worker: usize) {
        lock(&self.accounts[worker]).failed += 1;
    }

    fn leave(&self, worker: usize, epoch: u64, enter: impl FnOnce(&mut Account)) {
        let _ = self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let mut account = lock(&self.accounts[worker]);
        // Read under the lock, which a reset takes after it has counted up.
        if self.epoch.load(Ordering::Relaxed) == epoch {
            enter(&mut account);
        }
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn truth(&self) -> Truth {
        let mut sum = Account::new(self.pace);
        for account in &self.accounts {
            sum.merge(&lock(account));
        }
        Truth {
            n_completed: sum.completed,
            n_failed: sum.failed,
            n_cancelled: sum.cancelled,
            in_flight: self.in_flight(),
            peak_in_flight: self.peak.load(Ordering::Relaxed),
            ttft_ms: sum.ttft.latency(),
            itl_ms: sum.itl.latency(),
            e2e_ms: sum.e2e.latency(),
            output_tokens: sum.output_tokens,
            prompt_tokens: sum.prompt_tokens,
        }
    }

    /// One JSON line per completed request that is kept.
    pub(super) fn request_lines(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for account in &self.accounts {
            for line in &lock(account).lines {
                serde_json::to_writer(&mut out, line).expect("memory takes everything");
                out.push(b'\n');
            }
        }
        out
    }

    /// Forgets everything; requests in flight stay counted as such, but their endings will not be.
    pub(super) fn reset(&self) {
        let _ = self.epoch.fetch_add(1, Ordering::Relaxed);
        for account in &self.accounts {
            *lock(account) = Account::new(self.pace);
        }
        self.peak.store(self.in_flight(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Recorder;
    use crate::metronome::answer::Answer;
    use crate::metronome::ask::Ask;
    use crate::metronome::schedule::Pace;
    use plimsoll_core::protocol::Protocol;
    use std::time::Duration;

    fn pace() -> Pace {
        Pace::new(Duration::from_millis(1), Duration::from_millis(3))
    }

    fn answer(recorder: &Recorder) -> Answer {
        let ask = Ask {
            protocol: Protocol::Completions,
            tokens: 2,
            stream: true,
            include_usage: false,
            prompt_tokens: 3,
        };
        let mut answer = Answer::new(ask, Some("r".into()), 1_000_000, pace());
        recorder.begin(&mut answer);
        answer
    }

    #[test]
    fn the_workers_accounts_are_one_truth() {
        let recorder = Recorder::new(2, pace());
        for worker in 0..2 {
            let mut answer = answer(&recorder);
            answer.record(3_000_000, 1);
            answer.record(7_000_000, 1);
            recorder.complete(worker, answer, 7_100_000);
        }
        recorder.cancel(0, &answer(&recorder));
        recorder.refuse(1);
        let truth = recorder.truth();
        assert_eq!(
            (truth.n_completed, truth.n_cancelled, truth.n_failed),
            (2, 1, 1)
        );
        assert_eq!((truth.in_flight, truth.peak_in_flight), (0, 1));
        assert_eq!((truth.output_tokens, truth.prompt_tokens), (4, 6));
        for (latency, ms) in [
            (truth.ttft_ms, 2.0),
            (truth.itl_ms, 4.0),
            (truth.e2e_ms, 6.0),
        ] {
            let latency = latency.unwrap();
            assert_eq!(latency.n, 2);
            assert!((latency.p50 - ms).abs() < 1e-4 && (latency.mean - ms).abs() < 1e-6);
        }
        let lines = String::from_utf8(recorder.request_lines()).unwrap();
        assert_eq!(lines.lines().count(), 2);
        let line = r#"{"id":"r","received_ns":1000000,"first_ns":3000000,"last_ns":7000000,"#;
        assert!(lines.starts_with(line), "{lines}");
    }

    #[test]
    fn a_reset_forgets_and_what_began_before_it_does_not_count() {
        let recorder = Recorder::new(1, pace());
        let early = answer(&recorder);
        recorder.refuse(0);
        recorder.reset();
        let truth = recorder.truth();
        assert_eq!(
            (truth.n_failed, truth.in_flight, truth.peak_in_flight),
            (0, 1, 1)
        );
        recorder.cancel(0, &early);
        let truth = recorder.truth();
        assert_eq!((truth.n_cancelled, truth.in_flight), (0, 0));
    }
}
