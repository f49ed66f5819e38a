//! Which request it is.

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{Doubt, RequestRecord, RequestTrace};
use plimsoll_core::time::Offset;

/// A request among those of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId {
    /// Its number within the run.
    pub(crate) id: u64,
    /// Its number within the source.
    pub(crate) index: u64,
    /// The level in which it becomes due.
    pub(crate) level: u32,
    /// Who sends it, or `ON_SCHEDULE`.
    pub(crate) stream: u32,
}

impl RequestId {
    /// What there is of a request that was due and given up before anything was sent.
    pub(crate) fn never_sent(self, due: Offset, done: Offset) -> RequestTrace {
        let record = RequestRecord {
            id: self.id,
            level: self.level,
            stream: self.stream,
            due,
            ready: due,
            sent: None,
            outputs: None,
            heard: None,
            stamps: None,
            done,
            doubt: Doubt::default(),
            outcome: Outcome::NeverSent,
            asked_prompt_tokens: 0,
            asked_output_tokens: 0,
            prompt_tokens: None,
            usage_output_tokens: None,
            hidden_output_tokens: None,
            usage_disbelieved: false,
            detail: None,
        };
        RequestTrace::new(record, Vec::new())
    }
}
