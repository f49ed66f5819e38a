//! What one server carries.

use serde::Serialize;

use super::{DAY_S, Inputs};
use crate::verdict::PlannedMean;

/// One server, loaded as it is planned to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Supply {
    /// Its gateway cap, streams.
    pub cap_streams: u32,
    /// The mean number in flight to plan for.
    pub planned_mean: PlannedMean,
    /// The mean number in flight that it works at: the planned mean, or less by its throughput.
    pub mean_streams: f64,
    /// Requests per second at the peak: in flight / request time.
    pub request_per_s: Option<f64>,
    /// Users active at the same time: rate · (request time + think time).
    pub active_users: Option<f64>,
    /// Users, of whom the active share is active at the peak.
    pub users: Option<f64>,
    /// Requests of a day whose peak is that rate.
    pub request_per_day: Option<f64>,
    /// Tokens of that day, prompts and answers.
    pub tokens_per_day: Option<f64>,
    /// Cost of a million tokens, prompts and answers, if it serves that rate all day.
    pub cost_per_million_tokens: Option<f64>,
    /// Cost of a million tokens if only those of the answers are counted.
    pub cost_per_million_output_tokens: Option<f64>,
}

impl Supply {
    pub(super) fn of(cap_streams: u32, inputs: &Inputs) -> Self {
        let planned_mean =
            PlannedMean::within(cap_streams, inputs.headroom_ratio, inputs.exceed_ratio);
        let mean_streams = inputs
            .queueing_mean_streams
            .map_or(planned_mean.streams, |mean| mean.min(planned_mean.streams));
        let request_per_s = inputs.request_time_s().map(|time_s| mean_streams / time_s);
        let active_users = request_per_s.and_then(|rate| users(rate, inputs));
        let request_per_day = request_per_s
            .zip(inputs.peak_factor)
            .map(|(rate, peak)| rate * DAY_S / peak);
        let tokens = inputs.tokens_per_request;
        let cost = |tokens_per_request: Option<f64>| {
            let million_per_h = request_per_s? * 3_600.0 * tokens_per_request? / 1e6;
            Some(inputs.server_price_per_h()? / million_per_h)
        };
        Self {
            cap_streams,
            planned_mean,
            mean_streams,
            request_per_s,
            active_users,
            users: active_users
                .zip(inputs.active_ratio)
                .map(|(active, ratio)| active / ratio),
            request_per_day,
            tokens_per_day: request_per_day
                .zip(tokens)
                .map(|(requests, tokens)| requests * tokens.total),
            cost_per_million_tokens: cost(tokens.map(|tokens| tokens.total)),
            cost_per_million_output_tokens: cost(tokens.and_then(|tokens| tokens.output)),
        }
    }
}

/// Users who, in a cycle of request and thought, send `request_per_s`.
pub(super) fn users(request_per_s: f64, inputs: &Inputs) -> Option<f64> {
    Some(request_per_s * (inputs.request_time_s()? + inputs.think_time_s?))
}
