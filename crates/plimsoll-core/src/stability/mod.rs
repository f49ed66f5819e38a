//! Whether a rate of arrivals is carried: does the number in flight stay, or does it grow?
//!
//! The recipe is statistics.md §8. `path` follows the numbers over time, `drift` compares the end of
//! a window with its beginning and bounds the growth that it may have missed.

mod drift;
mod path;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use drift::{Drift, Trend};
pub use path::Spread;

use crate::record::{InFlight, RequestRecord};
use crate::time::Offset;
use path::Path;

/// A window in which arrivals came.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// Requests that ended.
    pub ended: &'a [RequestRecord],
    /// Requests that have not.
    pub in_flight: &'a [InFlight],
    /// Start of the window.
    pub from: Offset,
    /// End of the window.
    pub to: Offset,
    /// Mean request time when the window began, before the requests wait for each other more and
    /// more.
    pub request_time: Duration,
    /// Index of dispersion of the arrivals: 1 for Poisson, 0 for constant gaps.
    pub dispersion: f64,
}

/// What a window says of the number of requests over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stability {
    /// Whether the number of requests grew.
    pub drift: Drift,
    /// The comparison behind it: of requests that were due and had not ended.
    pub trend: Trend,
    /// Requests that became due within the window.
    pub arrivals: u64,
    /// Requests that ended within the window, whenever they became due.
    pub ended: u64,
    /// Requests in flight, over time.
    pub in_flight: Spread,
    /// Requests that waited in the client, over time.
    pub waiting: Spread,
}

/// Judges a window; `None` of one without length.
pub fn assess(arrived: &Arrived<'_>) -> Option<Stability> {
    let (from, to) = (arrived.from, arrived.to);
    let of = |from_stamp: Stamp, to_stamp: Stamp| {
        let ended = arrived.ended.iter().map(Life::of_record);
        let lives = ended.chain(arrived.in_flight.iter().map(Life::of_request));
        Path::of(
            lives.filter_map(|life| Some((from_stamp(&life)?, to_stamp(&life)))),
            from,
            to,
        )
    };
    let asked = of(|life| Some(life.due), |life| life.done);
    let in_flight = of(|life| life.sent, |life| life.done);
    let waiting = of(|life| Some(life.due), |life| life.sent.or(life.done));
    let within = |at: Offset| at >= from && at < to;
    let dues = arrived.ended.iter().map(|one| one.due);
    let dues = dues.chain(arrived.in_flight.iter().map(|one| one.due));
    let arrivals = dues.filter(|due| within(*due)).count() as u64;
    let ended = arrived.ended.iter().filter(|one| within(one.done)).count() as u64;
    let trend = Trend::of(&asked?, arrivals, arrived.dispersion);
    let request_times = to.since(from).as_secs_f64() / arrived.request_time.as_secs_f64();
    Some(Stability {
        drift: trend.drift(request_times, arrivals, arrived.dispersion),
        trend,
        arrivals,
        ended,
        in_flight: in_flight?.spread(),
        waiting: waiting?.spread(),
    })
}

type Stamp = fn(&Life) -> Option<Offset>;

/// The stamps of a request, whether it has ended or not.
struct Life {
    due: Offset,
    sent: Option<Offset>,
    done: Option<Offset>,
}

impl Life {
    fn of_record(record: &RequestRecord) -> Self {
        Self {
            due: record.due,
            sent: record.sent,
            done: Some(record.done),
        }
    }

    fn of_request(request: &InFlight) -> Self {
        Self {
            due: request.due,
            sent: request.sent,
            done: None,
        }
    }
}

#[cfg(test)]
mod tests;
