//! What a target needs.

use serde::Serialize;

use super::supply::users;
use super::{DAY_S, Inputs, Supply, Target};
use crate::verdict::PlannedMean;

/// A target, and what it needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Demand {
    /// What is to be served.
    pub target: Target,
    /// Users active at the same time, at the peak.
    pub active_users: Option<f64>,
    /// Requests per second at the peak.
    pub request_per_s: Option<f64>,
    /// Mean number in flight at the peak: rate · request time.
    pub mean_streams: Option<f64>,
    /// Gateway cap of one pool whose planned mean that is; `None` where the servers have their own.
    pub cap_streams: Option<u32>,
    /// Requests per day.
    pub request_per_day: Option<f64>,
    /// Tokens per day, prompts and answers.
    pub tokens_per_day: Option<f64>,
    /// Servers, each with no more in flight than it is planned for.
    pub servers: Option<u64>,
    /// Servers of which one may fail.
    pub servers_with_spare: Option<u64>,
    /// Cost of these for an hour.
    pub cost_per_h: Option<f64>,
    /// Cost of a million tokens, prompts and answers, over a day of this demand.
    pub cost_per_million_tokens: Option<f64>,
}

impl Demand {
    pub(super) fn of(target: Target, inputs: &Inputs, supply: Option<&Supply>) -> Self {
        let request_per_s = request_per_s(target, inputs);
        let mean_streams = request_per_s
            .zip(inputs.request_time_s())
            .map(|(rate, time_s)| rate * time_s);
        let request_per_day = match target {
            Target::RequestPerDay(requests) => Some(requests),
            Target::Users(_) | Target::RequestPerS(_) => request_per_s
                .zip(inputs.peak_factor)
                .map(|(rate, peak)| rate * DAY_S / peak),
        };
        let tokens_per_day = request_per_day
            .zip(inputs.tokens_per_request)
            .map(|(requests, tokens)| requests * tokens.total);
        let servers = mean_streams.zip(supply).map(|(mean, supply)| {
            // The difference is the rounding of floats.
            ((mean / supply.mean_streams) - 1e-9).ceil().max(1.0) as u64
        });
        let servers_with_spare = servers.map(|servers| servers + 1);
        let cost_per_h = servers_with_spare
            .zip(inputs.server_price_per_h())
            .map(|(servers, price)| servers as f64 * price);
        Self {
            target,
            active_users: match target {
                Target::Users(users) => Some(active(users, inputs)),
                Target::RequestPerS(_) | Target::RequestPerDay(_) => {
                    request_per_s.and_then(|rate| users(rate, inputs))
                }
            },
            request_per_s,
            mean_streams,
            cap_streams: mean_streams.filter(|_| supply.is_none()).and_then(|mean| {
                PlannedMean::least_cap(mean, inputs.headroom_ratio, inputs.exceed_ratio)
            }),
            request_per_day,
            tokens_per_day,
            servers,
            servers_with_spare,
            cost_per_h,
            cost_per_million_tokens: cost_per_h
                .zip(tokens_per_day)
                .map(|(cost, tokens)| cost * 24.0 / (tokens / 1e6)),
        }
    }
}

/// Of so many users, those who are active at the peak: all, if no share is given.
fn active(users: f64, inputs: &Inputs) -> f64 {
    users * inputs.active_ratio.unwrap_or(1.0)
}

fn request_per_s(target: Target, inputs: &Inputs) -> Option<f64> {
    match target {
        Target::Users(users) => {
            let cycle_s = inputs.request_time_s()? + inputs.think_time_s?;
            Some(active(users, inputs) / cycle_s)
        }
        Target::RequestPerS(rate) => Some(rate),
        Target::RequestPerDay(requests) => Some(requests / DAY_S * inputs.peak_factor?),
    }
}
