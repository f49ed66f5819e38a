//! What ended since a moment, counted as it happens: a level asks at every tick.

use std::time::Duration;

use crate::record::RequestRecord;
use crate::time::Offset;

/// Requests that ended since a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    from: Offset,
    ended: usize,
    completed: usize,
    /// Sum of the request times of the completed ones, ms.
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
        if record.outcome.is_completed()
            && let Some(e2e_ms) = record.e2e_ms()
        {
            self.completed += 1;
            self.e2e_ms += e2e_ms;
        }
    }

    /// Whether enough completed to know their mean time.
    pub(super) fn is_telling(&self) -> bool {
        self.completed >= TELLING
    }

    pub(super) fn ended(&self) -> usize {
        self.ended
    }

    /// Mean time of the completed ones.
    pub(super) fn request_time(&self) -> Option<Duration> {
        let mean_ms = self.e2e_ms / self.completed as f64;
        (self.completed > 0).then(|| Duration::from_secs_f64(mean_ms.max(0.001) / 1e3))
    }
}
