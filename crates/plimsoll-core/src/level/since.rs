//! What ended since a moment, counted as it happens: a level asks at every tick.

use std::time::Duration;

use crate::record::RequestRecord;
use crate::time::Offset;

/// Requests that ended since a moment.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    from: Offset,
    ended: usize,
    completed: usize,
    failed: usize,
    /// Those of any outcome that have a time to first token, and the sum of those times, ms.
    answered: usize,
    ttft_ms: f64,
    /// The completed ones that have a request time, and the sum of those times, ms.
    timed: usize,
    e2e_ms: f64,
}

/// So many requests tell the request time better than an estimate from before the level: one slow
/// answer among them is one of them.
const TELLING: usize = 8;

impl Since {
    pub(super) fn new(from: Offset) -> Self {
        Self {
            from,
            ended: 0,
            completed: 0,
            failed: 0,
            answered: 0,
            ttft_ms: 0.0,
            timed: 0,
            e2e_ms: 0.0,
        }
    }

    /// Those among `records` that ended since `from`.
    pub(super) fn among(from: Offset, records: &[RequestRecord]) -> Self {
        let mut since = Self::new(from);
        for record in records {
            since.see(record);
        }
        since
    }

    pub(super) fn see(&mut self, record: &RequestRecord) {
        if record.done < self.from {
            return;
        }
        self.ended += 1;
        self.failed += usize::from(record.outcome.is_failure());
        if let Some(ttft_ms) = record.ttft_ms() {
            self.answered += 1;
            self.ttft_ms += ttft_ms;
        }
        if !record.outcome.is_completed() {
            return;
        }
        self.completed += 1;
        if let Some(e2e_ms) = record.e2e_ms() {
            self.timed += 1;
            self.e2e_ms += e2e_ms;
        }
    }

    /// Whether enough completed to know their mean time.
    pub(super) fn is_telling(&self) -> bool {
        self.timed >= TELLING
    }

    /// How many ended, in whichever way.
    pub fn ended(&self) -> usize {
        self.ended
    }

    /// How many of them completed.
    pub fn completed(&self) -> usize {
        self.completed
    }

    /// How many of them failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// Mean time to first token of those that got one, ms.
    pub fn ttft_mean_ms(&self) -> Option<f64> {
        (self.answered > 0).then(|| self.ttft_ms / self.answered as f64)
    }

    /// Mean time of the completed ones.
    pub(super) fn request_time(&self) -> Option<Duration> {
        let mean_ms = self.e2e_ms / self.timed as f64;
        (self.timed > 0).then(|| Duration::from_secs_f64(mean_ms.max(0.001) / 1e3))
    }
}
