//! The seam: each kind of source is a variant, and says what it is called, how often it is read and
//! how long that may take.

use std::time::Duration;

use plimsoll_core::telemetry::{Signals, Source};

use super::MetricsPage;

/// How often a metrics page is read, and how long its answer may take.
const PAGE_EVERY: Duration = Duration::from_millis(250);
const PAGE_PATIENCE: Duration = Duration::from_secs(5);

/// Something that signals are read from.
pub enum SignalSource {
    /// The server's metrics page.
    MetricsPage(MetricsPage),
}

impl SignalSource {
    /// Its name in the samples.
    pub(super) fn name(&self) -> Source {
        match self {
            Self::MetricsPage(_) => Source::Server,
        }
    }

    /// The pause between two readings.
    pub(super) fn every(&self) -> Duration {
        match self {
            Self::MetricsPage(_) => PAGE_EVERY,
        }
    }

    /// Reads it once, within its time limit; `None` if it does not answer, or says nothing known.
    pub(super) async fn read(&mut self) -> Option<Signals> {
        match self {
            Self::MetricsPage(page) => page.read(PAGE_PATIENCE).await,
        }
    }
}
