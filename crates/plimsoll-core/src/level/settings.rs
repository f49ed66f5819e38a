//! How the levels of a run are carried and judged, whatever their load.

use serde::{Deserialize, Serialize};

use crate::judge::Confidence;
use crate::workload::ThinkTime;

/// What all levels of a run have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelSettings {
    /// Whether new streams start all at once, the guide's way, and not scattered.
    pub burst: bool,
    /// The seed of the pauses that redraw the phases of the streams, where all requests ask for the
    /// same lengths: such streams would keep the phases of their start (statistics.md §3.2).
    pub redraw_seed: Option<u64>,
    /// How long a stream waits before its next request; `None` if it sends at once. Streams that
    /// think are users, of whom only some are in flight.
    pub think: Option<ThinkTime>,
    /// Whether the stamps of all outputs are kept to the end of a level: some objective of the run
    /// judges the gaps between them. They take eight bytes each.
    pub keeps_stamps: bool,
    /// How sure a decision is.
    pub confidence: Confidence,
}
