//! The one level of a check.

use std::time::Duration;

use crate::level::{Hold, LevelPlan, OpenLoop, Purpose};
use crate::run::{HoldPlan, RunPlan};

/// Until preflight has an estimate.
const UNKNOWN_REQUEST_TIME: Duration = Duration::from_secs(1);

/// The level that holds the load of a plan, with so many requests in flight at most.
pub fn level(
    plan: &RunPlan,
    hold: &HoldPlan,
    most_in_flight: Option<u32>,
    request_time: Option<Duration>,
) -> LevelPlan {
    let request_time = request_time.unwrap_or(UNKNOWN_REQUEST_TIME);
    let longest_hold = Duration::from_secs_f64(hold.for_s);
    LevelPlan {
        index: 0,
        purpose: Purpose::Confirm,
        load: hold.load,
        settings: plan.level_settings(),
        open_loop: OpenLoop {
            burstiness: hold.burstiness.unwrap_or(f64::INFINITY),
            most_in_flight,
            seed: plan.seed,
        },
        hold: match hold.until_requests {
            Some(requests) => Hold::Requests(requests),
            None if hold.fails_fast => Hold::Confirm,
            None => Hold::Whole,
        },
        request_time,
        longest_hold,
        // What comes before the window has bounds of its own.
        longest: longest_hold + Duration::from_secs_f64(plan.timeout_s) * 4 + request_time * 4,
    }
}
