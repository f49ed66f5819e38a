//! What a check would do, before anything is sent.

use serde::Serialize;

use super::CheckPlan;
use crate::dry_run::Leaves;
use crate::judge::{Confidence, least_requests_for_a_pass};
use crate::slo::Objective;

/// A plan, and what follows from it alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckDryRun {
    /// The plan.
    pub plan: CheckPlan,
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

impl CheckPlan {
    /// Where a cap and a rate are both set: what they leave for a request.
    pub fn leaves(&self) -> Option<Leaves> {
        Some(Leaves::of(
            self.most_in_flight?,
            self.load.rate_per_s()?,
            self.output_len.mean_tokens(),
        ))
    }

    /// Looks at it.
    pub fn dry_run(&self) -> CheckDryRun {
        let by_rate = self.load.rate_per_s();
        let due = by_rate.map(|rate| (rate * self.for_s).round() as u64);
        // Of how many are in flight only the gaps between tokens take notice, which have no such
        // number.
        let least = |objective: &Objective| LeastForCheck {
            objective: *objective,
            requests: least_requests_for_a_pass(objective, 1, Confidence::DEFAULT),
        };
        CheckDryRun {
            requests: self.until_requests.or(due),
            passes: self.slo.0.iter().map(least).collect(),
            leaves: self.leaves(),
            plan: self.clone(),
        }
    }
}

impl CheckDryRun {
    /// Whether its requests are known to be too few for a pass of some objective: then nothing but
    /// "not contradicted" can come of it.
    pub fn is_too_short(&self) -> bool {
        let most = self.passes.iter().filter_map(|one| one.requests).max();
        self.requests
            .zip(most)
            .is_some_and(|(requests, most)| requests < most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Load;
    use crate::workload::LengthLaw;

    fn plan(load: Load, slo: &str) -> CheckPlan {
        let fixed = |tokens| LengthLaw::Uniform {
            mean_tokens: tokens,
            spread_ratio: 0.0,
        };
        CheckPlan {
            target: "h:1".to_owned(),
            proxy: None,
            preset: None,
            slo: slo.parse().unwrap(),
            load,
            most_in_flight: None,
            burstiness: Some(1.0),
            for_s: 100.0,
            until_requests: None,
            think_time_s: None,
            think_time_is_fixed: false,
            workload: None,
            input_len: fixed(512),
            output_len: fixed(512),
            timeout_s: 120.0,
            seed: 0,
        }
    }

    /// Without clumps a p95 takes ln(0.025) / ln(0.95) = 72 requests at the very least.
    #[test]
    fn fifty_requests_cannot_pass_a_quantile() {
        let quick = CheckPlan {
            until_requests: Some(50),
            ..plan(Load::Streams(10), "ttft p95 <= 1s")
        };
        let dry = quick.dry_run();
        assert_eq!(dry.requests, Some(50));
        assert!(dry.passes[0].requests.unwrap() >= 72 && dry.is_too_short());
        let mean = CheckPlan {
            slo: "ttft mean <= 1s".parse().unwrap(),
            ..quick
        };
        assert!(!mean.dry_run().is_too_short());
    }

    #[test]
    fn a_rate_says_how_many_requests_come() {
        let rate = plan(Load::RatePerS(100.0), "ttft p95 <= 1s").dry_run();
        assert_eq!((rate.requests, rate.leaves), (Some(10_000), None));
        assert!(!rate.is_too_short());
        let streams = plan(Load::Streams(4), "ttft p95 <= 1s").dry_run();
        assert_eq!(streams.requests, None);
        assert!(!streams.is_too_short(), "who knows");
    }

    /// guide.zh.md: 200 streams at 100 requests a second leave 2 s for 512 tokens.
    #[test]
    fn a_cap_and_a_rate_may_contradict_each_other() {
        let content = CheckPlan {
            most_in_flight: Some(200),
            ..plan(Load::RatePerS(100.0), "ttft p95 <= 1s")
        };
        let leaves = content.leaves().unwrap();
        assert!((leaves.request_time_s - 2.0).abs() < 1e-12);
        assert!(leaves.is_contradiction());
    }
}
