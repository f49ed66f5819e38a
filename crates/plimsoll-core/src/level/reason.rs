//! Why a level says what it says, as data. The words are the report's.

use serde::{Deserialize, Serialize};

use crate::slo::Objective;

/// Why a level fails, is not decided, or says nothing of the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It breaks this objective.
    Objective {
        /// The first one that it breaks.
        objective: Objective,
    },
    /// More arrives than is carried: the number of requests in flight grows.
    Grows,
    /// No request ended within its window.
    NoRequestEnded,
    /// It ended before it could be screened.
    NotScreened,
    /// Too many of its requests have no value that an objective could judge.
    MetricAbsent {
        /// The first one of which that is so.
        objective: Objective,
        /// Requests without a value.
        absent: usize,
        /// Requests in all.
        of: usize,
    },
    /// Requests hang, so that it cannot pass.
    Unanswered {
        /// Requests that hang.
        requests: usize,
        /// Requests in all.
        of: usize,
        /// How long the first of them has waited, s.
        longest_s: f64,
    },
    /// Nothing has come of what was sent, for so long that it cannot end on it.
    Quiet {
        /// The last moment at which the server was heard, seconds since the run's start; where nothing
        /// came on the level, when that started.
        since_s: f64,
    },
    /// The client was late, and by that it is open what the level says of an objective.
    InDoubt {
        /// The first one of which that is so.
        objective: Objective,
        /// The statistic with every doubt in favour of the server; `None` where it has no value.
        best: Option<f64>,
        /// The same with every doubt against it.
        worst: Option<f64>,
    },
    /// The load was not delivered as asked.
    Undelivered {
        /// What it fell short by.
        shortfall: Shortfall,
    },
}

/// By what a load fell short of what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shortfall {
    /// The client sent later than the requests were due.
    SendLag {
        /// 99th percentile of sent − due, ms.
        p99_ms: f64,
        /// The most that is allowed, ms.
        bound_ms: f64,
    },
    /// The client's own loop woke late.
    LoopLag {
        /// By how much on the average, ms.
        mean_ms: f64,
        /// The most that is allowed, ms.
        bound_ms: f64,
    },
    /// First tokens came in one read with later ones, so their stamps may be too late. A level is
    /// judged with both ends of its stamps, and is not void by this.
    SharedStamps {
        /// Share of the first tokens that may be late by more than the bound, 0..1.
        late_ratio: f64,
        /// The error that is allowed, ms.
        bound_ms: f64,
    },
    /// The client stood still: it was stopped, or had no time for long.
    Paused {
        /// The longest time, s.
        longest_s: f64,
    },
    /// A worker had no time left to be on time.
    BusyWorker {
        /// CPU time of the busiest worker, as a share of the time, 0..1.
        cpu_ratio: f64,
    },
    /// Fewer streams than asked were in flight, and they did not wait for the server either.
    MissingStreams {
        /// Mean number in flight.
        in_flight: f64,
        /// Streams asked for.
        of: u32,
    },
    /// Fewer streams than asked were in flight, for the server was slow to accept connections.
    SlowToAccept {
        /// Mean number in flight.
        in_flight: f64,
        /// Streams asked for.
        of: u32,
        /// Mean number that waited for a connection.
        connecting: f64,
    },
    /// Fewer users than asked were in flight or thinking.
    MissingUsers {
        /// Users that were there, on the average.
        there: f64,
        /// Users asked for.
        of: u32,
    },
    /// Arrivals waited for nothing but the client.
    HeldArrivals {
        /// How long on the average, ms.
        mean_ms: f64,
        /// The most that is allowed, ms.
        bound_ms: f64,
    },
}

impl From<Objective> for Reason {
    fn from(objective: Objective) -> Self {
        Self::Objective { objective }
    }
}

impl Reason {
    /// Whether the load was only lower than asked: what broke then breaks under all of it.
    pub(super) fn is_too_few_streams(&self) -> bool {
        let is_missing =
            |shortfall: &Shortfall| matches!(shortfall, Shortfall::MissingStreams { .. });
        matches!(self, Self::Undelivered { shortfall } if is_missing(shortfall))
    }
}

impl From<Shortfall> for Reason {
    fn from(shortfall: Shortfall) -> Self {
        Self::Undelivered { shortfall }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_in_a_file_names_its_kind_and_has_its_numbers() {
        let lag = Shortfall::SendLag {
            p99_ms: 8.1,
            bound_ms: 5.0,
        };
        for (reason, json) in [
            (
                Objective::success(0.99).into(),
                r#"{"kind":"objective","objective":{"metric":"success","stat":"ratio","op":"at_least","bound":0.99}}"#,
            ),
            (Reason::NotScreened, r#"{"kind":"not_screened"}"#),
            (
                lag.into(),
                r#"{"kind":"undelivered","shortfall":{"kind":"send_lag","p99_ms":8.1,"bound_ms":5.0}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&reason).unwrap(), json);
            assert_eq!(serde_json::from_str::<Reason>(json).unwrap(), reason);
        }
    }
}
