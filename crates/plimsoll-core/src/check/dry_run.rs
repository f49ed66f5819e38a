//! What a check would do, before anything is sent.

use serde::Serialize;

use crate::dry_run::Leaves;
use crate::judge::least_requests_for_a_pass;
use crate::run::{HoldPlan, RunPlan};
use crate::slo::Objective;

/// A plan, and what follows from it alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckDryRun {
    /// The plan.
    pub plan: RunPlan,
    /// What is held by it.
    #[serde(skip)]
    pub hold: HoldPlan,
    /// Requests that the window sees; `None` where the server decides how many streams send.
    pub requests: Option<u64>,
    /// What each objective needs for a pass.
    pub passes: Vec<LeastForCheck>,
    /// Where a cap and a rate are both set: what they leave for a request.
    pub leaves: Option<Leaves>,
}

/// How many requests a pass of an objective needs at least, with none over its bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeastForCheck {
    /// The objective.
    pub objective: Objective,
    /// Requests; `None` where it is no share of requests.
    pub requests: Option<u64>,
}

impl CheckDryRun {
    /// Looks at a plan that holds a load.
    pub fn of(plan: &RunPlan, hold: &HoldPlan) -> Self {
        let by_rate = hold.load.rate_per_s();
        let due = by_rate.map(|rate| (rate * hold.for_s).round() as u64);
        // Of how many are in flight only the gaps between tokens take notice, which have no such
        // number.
        let least = |objective: &Objective| LeastForCheck {
            objective: *objective,
            requests: least_requests_for_a_pass(objective, 1, plan.confidence),
        };
        Self {
            requests: hold.until_requests.or(due),
            passes: plan.slo.0.iter().map(least).collect(),
            leaves: leaves(plan, hold),
            plan: plan.clone(),
            hold: hold.clone(),
        }
    }

    /// Whether its requests are known to be too few for a pass of some objective: then nothing but
    /// "not contradicted" can come of it.
    pub fn is_too_short(&self) -> bool {
        let most = self.passes.iter().filter_map(|one| one.requests).max();
        self.requests
            .zip(most)
            .is_some_and(|(requests, most)| requests < most)
    }
}

/// Where a cap and a rate are both set: what they leave for a request.
pub fn leaves(plan: &RunPlan, hold: &HoldPlan) -> Option<Leaves> {
    Some(Leaves::of(
        hold.most_in_flight?,
        hold.load.rate_per_s()?,
        plan.output_len.mean_tokens(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Load;
    use crate::run::fixture;

    fn dry_run(hold: &HoldPlan, slo: &str) -> CheckDryRun {
        CheckDryRun::of(&fixture::hold_plan(hold, slo), hold)
    }

    /// Without clumps a p95 takes ln(0.025) / ln(0.95) = 72 requests at the very least.
    #[test]
    fn fifty_requests_cannot_pass_a_quantile() {
        let quick = HoldPlan {
            until_requests: Some(50),
            ..fixture::hold(Load::Streams(10))
        };
        let dry = dry_run(&quick, "ttft p95 <= 1s");
        assert_eq!(dry.requests, Some(50));
        assert!(dry.passes[0].requests.unwrap() >= 72 && dry.is_too_short());
        assert!(!dry_run(&quick, "ttft mean <= 1s").is_too_short());
    }

    #[test]
    fn a_rate_says_how_many_requests_come() {
        let rate = dry_run(&fixture::hold(Load::RatePerS(100.0)), "ttft p95 <= 1s");
        assert_eq!((rate.requests, rate.leaves), (Some(10_000), None));
        assert!(!rate.is_too_short());
        let streams = dry_run(&fixture::hold(Load::Streams(4)), "ttft p95 <= 1s");
        assert_eq!(streams.requests, None);
        assert!(!streams.is_too_short(), "who knows");
    }

    /// guide.zh.md: 200 streams at 100 requests a second leave 2 s for 512 tokens.
    #[test]
    fn a_cap_and_a_rate_may_contradict_each_other() {
        let content = HoldPlan {
            most_in_flight: Some(200),
            ..fixture::hold(Load::RatePerS(100.0))
        };
        let leaves = dry_run(&content, "ttft p95 <= 1s").leaves.unwrap();
        assert!((leaves.request_time_s - 2.0).abs() < 1e-12);
        assert!(leaves.is_contradiction());
    }
}
