//! What the load side tells of its requests while they run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Doubt, ON_SCHEDULE, RequestTrace};
use crate::time::Offset;

/// A request that is due and has not ended. In files its stamps are in whole nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Number of the request within the run.
    pub id: u64,
    /// Level in which it became due.
    pub level: u32,
    /// The stream that sends it, or [`ON_SCHEDULE`].
    pub stream: u32,
    /// When it was due.
    #[serde(rename = "due_ns")]
    pub due: Offset,
    /// From when on the client was free to send it.
    #[serde(rename = "ready_ns")]
    pub ready: Offset,
    /// When it was sent; `None` as long as it waits in the client.
    #[serde(rename = "sent_ns")]
    pub sent: Option<Offset>,
    /// First event with output, once it has come.
    #[serde(rename = "first_ns")]
    pub first: Option<Offset>,
    /// The latest output that is known of, once the first has come: it may be as old as
    /// [`TELLS_EVERY`]. `None` where nobody tells.
    #[serde(rename = "heard_ns", default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Offset>,
    /// How far the stamps so far can be off by the client's own doing.
    #[serde(default, skip_serializing_if = "Doubt::is_none")]
    pub doubt: Doubt,
}

impl InFlight {
    /// Whether it came on the schedule of an open loop.
    pub fn is_on_schedule(&self) -> bool {
        self.stream == ON_SCHEDULE
    }

    /// From where its latencies count, as of a record; `None` as long as a stream has not sent it.
    pub fn start(&self) -> Option<Offset> {
        if self.is_on_schedule() {
            Some(self.due)
        } else {
            self.sent
        }
    }
}

/// How often more output of a request is told of, at most.
pub const TELLS_EVERY: Duration = Duration::from_secs(1);

/// What the load side tells of its requests, in order of time for each request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadEvent {
    /// A request is due that is not sent yet. Who sends at once tells only that.
    Due(InFlight),
    /// A request was sent.
    Sent(InFlight),
    /// Its first output came.
    First {
        /// Number of the request within the run.
        id: u64,
        /// Receive stamp.
        at: Offset,
        /// How far the stamps so far can be off.
        doubt: Doubt,
    },
    /// Output came, the first or more of it; told once in [`TELLS_EVERY`] of each request.
    Heard {
        /// Number of the request within the run.
        id: u64,
        /// Receive stamp.
        at: Offset,
    },
    /// It ended. Also for requests that were due and never sent.
    Ended(Box<RequestTrace>),
}
