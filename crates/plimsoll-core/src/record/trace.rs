//! A request with the stamp of each of its events: as the load side tells of it when it ends, and as
//! a file keeps it.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::{ConnectTimes, Outputs, RequestRecord, StreamEvent};
use crate::time::Offset;

/// A request that ended: its record, and what only files and token by token figures need. It is its
/// record to whoever reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestTrace {
    /// Its outputs are those of `events`.
    record: RequestRecord,
    events: Vec<StreamEvent>,
    /// What its connection took, if it was made for this request; in no latency.
    pub connected: Option<ConnectTimes>,
}

impl RequestTrace {
    /// A request whose record says nothing of its output yet, with its events in order of arrival.
    pub fn new(record: RequestRecord, events: Vec<StreamEvent>) -> Self {
        let mut outputs = None;
        for event in events.iter().filter(|event| event.output) {
            outputs = Some(Outputs::with(outputs, event.at));
        }
        Self {
            record: RequestRecord {
                outputs,
                heard: events.last().map(|event| event.at),
                ..record
            },
            events,
            connected: None,
        }
    }

    /// The same, over a connection that was made for it.
    pub fn over(self, connected: Option<ConnectTimes>) -> Self {
        Self { connected, ..self }
    }

    /// Events with a `choices` array, in order of arrival, with and without output.
    pub fn events(&self) -> &[StreamEvent] {
        &self.events
    }

    /// Output events, in order of arrival.
    pub fn output_stamps(&self) -> impl DoubleEndedIterator<Item = Offset> + '_ {
        let outputs = self.events.iter().filter(|event| event.output);
        outputs.map(|event| event.at)
    }

    /// Gaps between successive output events: the end of each gap, and its length in ms.
    pub fn gaps(&self) -> impl Iterator<Item = (Offset, f64)> + '_ {
        self.output_stamps()
            .zip(self.output_stamps().skip(1))
            .map(|(earlier, later)| (later, later.ms_since(earlier)))
    }

    /// Whether its stamps stand in the only order that they can have: sent, each output, its end. By
    /// `tolerance` one may lie before another.
    pub fn is_in_order(&self, tolerance: std::time::Duration) -> bool {
        let stamps = self.sent.into_iter().chain(self.output_stamps());
        let stamps = stamps.chain([self.done]);
        stamps.is_sorted_by(|one, next| *one <= *next + tolerance)
    }

    /// Its record alone, with the stamps of its output only where they are to be judged.
    pub fn to_record(&self, keeps_stamps: bool) -> RequestRecord {
        let stamps = keeps_stamps.then(|| self.output_stamps().collect());
        RequestRecord {
            stamps,
            ..self.record.clone()
        }
    }
}

impl Deref for RequestTrace {
    type Target = RequestRecord;

    fn deref(&self) -> &RequestRecord {
        &self.record
    }
}
