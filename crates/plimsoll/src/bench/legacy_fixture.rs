//! Records made by hand for the tests of the metrics.

use std::ops::{Deref, DerefMut};

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{RequestRecord, RequestTrace, StreamEvent};
use plimsoll_core::time::Offset;
use plimsoll_load::batch::{Batch, BatchRecord};

fn at(ms: u64) -> Offset {
    Offset::from_nanos(ms * 1_000_000)
}

/// A request that a test changes before it is put into a batch.
pub(super) struct Made {
    record: RequestRecord,
    pub(super) events: Vec<StreamEvent>,
}

impl Deref for Made {
    type Target = RequestRecord;

    fn deref(&self) -> &RequestRecord {
        &self.record
    }
}

impl DerefMut for Made {
    fn deref_mut(&mut self) -> &mut RequestRecord {
        &mut self.record
    }
}

/// A completed request with output events at the given times, in ms.
pub(super) fn record(due_ms: u64, sent_ms: u64, events_ms: &[u64]) -> Made {
    let output = |&ms| StreamEvent {
        at: at(ms),
        output: true,
    };
    let record = RequestRecord {
        id: 0,
        level: 0,
        stream: 0,
        due: at(due_ms),
        ready: at(due_ms),
        sent: Some(at(sent_ms)),
        outputs: None,
        heard: None,
        stamps: None,
        done: at(events_ms.last().copied().unwrap_or(sent_ms)),
        doubt: plimsoll_core::record::Doubt::default(),
        outcome: Outcome::Completed,
        asked_prompt_tokens: 8,
        asked_output_tokens: 4,
        prompt_tokens: Some(8),
        usage_output_tokens: u32::try_from(events_ms.len()).ok(),
        hidden_output_tokens: None,
        usage_disbelieved: false,
        detail: None,
    };
    Made {
        record,
        events: events_ms.iter().map(output).collect(),
    }
}

/// A batch that starts at 0.
pub(super) fn batch(records: Vec<Made>, ended_ms: u64) -> Batch {
    Batch {
        records: records
            .into_iter()
            .zip(0..)
            .map(|(Made { record, events }, id)| BatchRecord {
                record: RequestTrace::new(RequestRecord { id, ..record }, events),
                text: Some("text".to_owned()),
            })
            .collect(),
        started_at: Offset::ZERO,
        ended_at: at(ended_ms),
        peak_in_flight: 2,
        interrupted: false,
        client: plimsoll_core::level::ClientHealth::default(),
    }
}
