//! What a server, and whatever is measured beside it, says of itself while a run lasts: samples on
//! the run's clock, and the figures of a window computed from them.
//!
//! Nothing here reads a socket or a clock. A sample says what was read; what was not is absent.

mod metrics_page;
mod signals;
mod thinned;
mod window;

use serde::{Deserialize, Serialize};

pub use metrics_page::read_metrics_page;
pub use signals::{Counter, Gauge, Signals};
pub use thinned::Thinned;
pub use window::ServerWindow;

use crate::time::Offset;

/// Where a sample comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The server's metrics page.
    Server,
}

/// What one source said at one moment: a line of `signals.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the whole of it was there, nanoseconds since the run's start.
    #[serde(rename = "at_ns")]
    pub at: Offset,
    /// Who said it.
    pub source: Source,
    /// What was said.
    #[serde(flatten)]
    pub signals: Signals,
}
