//! From streams to users, requests a day, servers and cost, and back (method.md §8).
//!
//! | direction | starts from | says |
//! |---|---|---|
//! | [`Supply`] | the gateway cap of one server | what it carries at its planned mean |
//! | [`Demand`] | users, requests per second or requests per day | what it needs |
//!
//! Everything is Little's law: in flight = rate · request time, users = rate · (request time +
//! think time). It starts from the *planned mean*, not from the cap: at the rate that fills a cap on
//! the average, more than the cap is in flight half of the time (statistics.md §9.1).
//!
//! A run also shows where throughput stops growing. Requests queue there, and more than the cap
//! would be in flight more often than the planned mean allows; so the load is lower
//! ([`RequestTimes`](crate::verdict::RequestTimes)).
//!
//! An input that is not given is not guessed: the lines that need it are absent, and [`Missing`]
//! says what they need.

mod demand;
mod inputs;
mod measured;
mod missing;
mod supply;

pub use demand::Demand;
pub use inputs::{Inputs, OperatingPoint, RequestTime, Target, TimeSource, TokensPerRequest};
pub use measured::Measured;
pub use missing::{Input, Missing, PlanLine};
pub use supply::Supply;

use serde::Serialize;

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

/// Everything that follows from the inputs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapacityPlan {
    /// What it was computed from.
    pub inputs: Inputs,
    /// What one server carries; `None` without its cap.
    pub supply: Option<Supply>,
    /// What the target needs; `None` without a target.
    pub demand: Option<Demand>,
    /// The lines that could not be computed, with what they need.
    pub missing: Vec<Missing>,
}

/// Computes the plan.
pub fn capacity_plan(inputs: &Inputs) -> CapacityPlan {
    let supply = inputs.cap_streams.map(|cap| Supply::of(cap, inputs));
    let demand = inputs
        .target
        .map(|target| Demand::of(target, inputs, supply.as_ref()));
    CapacityPlan {
        inputs: inputs.clone(),
        supply,
        demand,
        missing: missing::missing(inputs),
    }
}

#[cfg(test)]
mod tests;
