//! What a plan is computed from. What is not known is `None`.

use serde::Serialize;

use crate::verdict::EXCEED;

/// What is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Target {
    /// Users; with an active share, only that share of them is active at the peak.
    Users(f64),
    /// Requests per second, at the peak.
    RequestPerS(f64),
    /// Requests per day.
    RequestPerDay(f64),
}

/// Where a request time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// The user said so.
    Given,
    /// A run: on the line between these tested loads, streams.
    Between(u32, u32),
}

/// Mean time of a request, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RequestTime {
    /// Seconds.
    pub s: f64,
    /// Where from.
    pub source: TimeSource,
}

/// The mean number in flight at which a server works, and its request time there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Mean number in flight, at most the planned mean.
    pub mean_streams: f64,
    /// Mean request time there.
    pub request_time: RequestTime,
    /// Whether it is less than the planned mean, since requests queue.
    pub queues: bool,
}

/// Tokens of one request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TokensPerRequest {
    /// Prompt and answer together.
    pub total: f64,
    /// Of these, the answer.
    pub output: Option<f64>,
}

/// What is known. All numbers are above 0, but for the think time, which may be 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inputs {
    /// Gateway cap of one server, streams.
    pub cap_streams: Option<u32>,
    /// The planned mean is at most this share of the cap, 0..1.
    pub headroom_ratio: f64,
    /// More than the cap may be in flight for this share of the time, 0..1.
    pub exceed_ratio: f64,
    /// Mean number in flight that a run allows whose requests queue, where it is below the planned
    /// mean.
    pub queueing_mean_streams: Option<f64>,
    /// Mean request time at the load a server works at.
    pub request_time: Option<RequestTime>,
    /// Mean time from an answer to the user's next request, s.
    pub think_time_s: Option<f64>,
    /// Share of all users that are active at the peak, 0..1.
    pub active_ratio: Option<f64>,
    /// Requests per second at the peak, as a multiple of the day's mean; at least 1.
    pub peak_factor: Option<f64>,
    /// Tokens of a request.
    pub tokens_per_request: Option<TokensPerRequest>,
    /// Price of a GPU for an hour, in any currency.
    pub gpu_price_per_h: Option<f64>,
    /// GPUs of one server.
    pub gpus_per_server: Option<u32>,
    /// What is to be served.
    pub target: Option<Target>,
}

impl Inputs {
    /// Nothing known but the headroom.
    pub fn unknown(headroom_ratio: f64) -> Self {
        Self {
            cap_streams: None,
            headroom_ratio,
            exceed_ratio: EXCEED,
            queueing_mean_streams: None,
            request_time: None,
            think_time_s: None,
            active_ratio: None,
            peak_factor: None,
            tokens_per_request: None,
            gpu_price_per_h: None,
            gpus_per_server: None,
            target: None,
        }
    }

    /// Price of one server for an hour.
    pub fn server_price_per_h(&self) -> Option<f64> {
        Some(self.gpu_price_per_h? * f64::from(self.gpus_per_server?))
    }

    pub(super) fn request_time_s(&self) -> Option<f64> {
        self.request_time.map(|time| time.s)
    }
}
