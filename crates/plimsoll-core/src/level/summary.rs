//! What a level says, once it is over: the row of the table and the food of the search.

use serde::{Deserialize, Serialize};

use super::client::{self, ClientHealth};
use super::verdict::lacks_its_metric;
use super::{Alarm, Answers, Load, Purpose, Reason, RequestCounts, Shortfall, Silence};
use crate::judge::ObjectiveResult;
use crate::load::{Axis, LoadUnit};
use crate::schedule::Stretch;
use crate::stability::{Drift, Stability};
use crate::stats::Summary;
use crate::telemetry::ServerWindow;
use crate::time::Offset;

/// A shorter window, in mean request times, says nothing.
const LEAST_REQUEST_TIMES: f64 = 1.0;
/// What a level says of the SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LevelVerdict {
    /// Nothing contradicts it yet: not a pass.
    Screened,
    /// Every objective is met, decided at 95 %.
    Pass,
    /// An objective is broken.
    Fail,
    /// The data do not decide.
    Undecided,
    /// The load was not delivered as asked: the level says nothing of the server.
    Void,
}

/// The stretch of time that counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    /// Start, seconds since the run's start.
    pub from_s: f64,
    /// End, seconds since the run's start.
    pub to_s: f64,
    /// Length in mean request times; figures of a window below 5 are rough.
    pub request_times: f64,
}

impl Window {
    /// Its length, s.
    pub(crate) fn length_s(self) -> f64 {
        self.to_s - self.from_s
    }
}

/// What counts of one draw of the streams' phases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Draw {
    /// Start, seconds since the run's start.
    pub from_s: f64,
    /// End, seconds since the run's start.
    pub to_s: f64,
}

impl Draw {
    pub(super) fn of(stretch: Stretch) -> Self {
        Self {
            from_s: stretch.from.as_secs_f64(),
            to_s: stretch.to.as_secs_f64(),
        }
    }
}

/// One level, summarised. Rates and latencies are of the window alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LevelSummary {
    /// Index within the run.
    pub index: u32,
    /// Why it was run.
    pub purpose: Purpose,
    /// Place of the tier that it was held for, from 0; `None` where the run has one SLO. Tiers share
    /// their levels, and the run file has each as the first one judges it.
    pub tier: Option<u32>,
    /// What was put on the server.
    pub load: Load,
    /// What it says of the SLO.
    pub verdict: LevelVerdict,
    /// Why it fails, is not decided, or is void, where there is more to say than the verdict.
    pub reason: Option<Reason>,
    /// Start of the level, seconds since the run's start.
    pub started_s: f64,
    /// Length of the level with its handover, s.
    pub duration_s: f64,
    /// What counts; `None` if the level ended before it began.
    pub window: Option<Window>,
    /// Counts of the whole level.
    pub requests: RequestCounts,
    /// Completed / (completed + failed) within the window.
    pub success_ratio: Option<f64>,
    /// Completed requests per second.
    pub request_per_s: Option<f64>,
    /// Streamed output tokens of completed requests per second.
    pub output_tokens_per_s: Option<f64>,
    /// Prompt tokens by the server's `usage`, mean.
    pub prompt_tokens_mean: Option<f64>,
    /// Streamed output tokens of completed requests, mean.
    pub output_tokens_mean: Option<f64>,
    /// Coefficient of variation of the same: standard deviation over mean.
    pub output_tokens_cv_ratio: Option<f64>,
    /// What was asked of completed requests, and what is odd about their answers.
    #[serde(default)]
    pub answers: Answers,
    /// Time to first token.
    pub ttft_ms: Summary,
    /// Time per output token.
    pub tpot_ms: Summary,
    /// Gaps between output events, pooled.
    pub itl_ms: Summary,
    /// Whole requests.
    pub e2e_ms: Summary,
    /// Largest gap of each request.
    pub stall_ms: Summary,
    /// Tokens per second of one stream.
    pub speed_tok_per_s: Summary,
    /// Whether the number of requests grew; `None` for streams, whose number is fixed.
    pub stability: Option<Stability>,
    /// Each objective.
    pub objectives: Vec<ObjectiveResult>,
    /// Where the phases of the streams were redrawn: what counts of each draw.
    pub draws: Vec<Draw>,
    /// What the series of the window say against it, and requests that hang.
    pub alarms: Vec<Alarm>,
    /// Since when nothing was answered; `None` if the server was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// The client's own health.
    pub client: ClientHealth,
    /// The server's signals, where it has metrics.
    pub server: Option<ServerWindow>,
}

impl LevelSummary {
    /// What its figures are of: the window, or all of it where it ended before one began.
    pub fn span(&self) -> (Offset, Offset) {
        match self.window {
            Some(window) => (
                Offset::from_secs_f64(window.from_s),
                Offset::from_secs_f64(window.to_s),
            ),
            None => (Offset::from_secs_f64(self.started_s), self.ended_at()),
        }
    }

    /// When it ended.
    pub fn ended_at(&self) -> Offset {
        Offset::from_secs_f64(self.started_s + self.duration_s)
    }

    /// Whether its load counts what the run's loads count. Beside them a run has a baseline, whose
    /// stream does not think, and by rate streams that find out what the server is able to.
    pub fn counts(&self, unit: LoadUnit) -> bool {
        match unit {
            LoadUnit::Streams => self.load.axis() == Axis::Streams,
            LoadUnit::Users => {
                self.load.axis() == Axis::Streams && self.purpose != Purpose::Baseline
            }
            LoadUnit::RatePerS => self.load.axis() == Axis::Rate,
        }
    }

    /// Whether it says nothing of the server: void, ended before it could be screened or while the
    /// server was quiet, or without an observation of some objective. A level that is known to fail
    /// says enough.
    pub fn says_nothing(&self) -> bool {
        match self.verdict {
            LevelVerdict::Void => true,
            LevelVerdict::Fail => false,
            LevelVerdict::Undecided if matches!(self.reason, Some(Reason::Quiet { .. })) => true,
            // Ended before it could be screened.
            LevelVerdict::Undecided
                if matches!(
                    self.purpose,
                    Purpose::Baseline | Purpose::Ramp | Purpose::Bisect
                ) =>
            {
                true
            }
            _ => {
                self.window
                    .is_none_or(|window| window.request_times < LEAST_REQUEST_TIMES)
                    || self.objectives.iter().any(|result| result.n == 0)
            }
        }
    }

    /// Whether more arrived than was carried, so that the number of requests grew.
    pub fn is_unstable(&self) -> bool {
        self.stability
            .is_some_and(|stability| stability.drift == Drift::Unstable)
    }

    /// Whether no server was there any more at its end: since a moment nothing was answered, or
    /// nothing at all, and connections were refused.
    pub fn shows_no_server(&self) -> bool {
        if self.silence.is_some() {
            return true;
        }
        let count = |key: &str| self.requests.outcomes.get(key).copied().unwrap_or(0);
        self.requests.completed_in_window == 0 && count("connect") > count("completed")
    }

    /// Whether it is void because the load was not delivered as asked.
    pub fn is_clients_fault(&self) -> bool {
        self.verdict == LevelVerdict::Void
            && !self.objectives.iter().any(lacks_its_metric)
            && !self
                .load
                .streams()
                .is_some_and(|streams| client::is_slow_to_accept(streams, &self.client))
    }

    /// Whether it is void because the client was late, by the machine that it runs on: another try
    /// may find it on time.
    pub fn is_by_lateness(&self) -> bool {
        let by = match self.reason {
            Some(Reason::InDoubt { .. }) => true,
            Some(Reason::Undelivered { shortfall }) => matches!(
                shortfall,
                Shortfall::SendLag { .. }
                    | Shortfall::LoopLag { .. }
                    | Shortfall::SharedStamps { .. }
                    | Shortfall::Paused { .. }
                    | Shortfall::HeldArrivals { .. }
                    | Shortfall::MissingStreams { .. }
            ),
            _ => false,
        };
        self.verdict == LevelVerdict::Void && by && !self.client.is_at_its_limit()
    }

    /// The requests that hang at its end, as a reason.
    pub(crate) fn unanswered(&self) -> Option<Reason> {
        self.alarms.iter().find_map(|alarm| match *alarm {
            Alarm::Unanswered {
                requests,
                of,
                longest_s,
            } => Some(Reason::Unanswered {
                requests,
                of,
                longest_s,
            }),
            _ => None,
        })
    }

    /// Whether it is known, or looks, to break the SLO.
    pub fn is_broken(&self) -> bool {
        match self.verdict {
            LevelVerdict::Fail => true,
            LevelVerdict::Undecided => self
                .objectives
                .iter()
                .any(|one| one.looks_broken() == Some(true)),
            _ => false,
        }
    }
}
