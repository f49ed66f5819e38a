//! What is known of the output of an answer without the stamp of each of its events.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Offset;

/// The output events of one answer, of which there is at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Stamp of the first.
    pub first: Offset,
    /// Stamp of the last.
    pub last: Offset,
    /// How many there are.
    pub events: u32,
    /// The longest gap between two that follow each other; `None` of one alone.
    pub longest_gap: Option<Duration>,
}

impl Outputs {
    /// The outputs with one more, stamped `at`, of which `before` came before it.
    pub fn with(before: Option<Self>, at: Offset) -> Self {
        let Some(before) = before else {
            return Self {
                first: at,
                last: at,
                events: 1,
                longest_gap: None,
            };
        };
        Self {
            first: before.first,
            last: at,
            events: before.events.saturating_add(1),
            longest_gap: before.longest_gap.max(Some(at.since(before.last))),
        }
    }
}
