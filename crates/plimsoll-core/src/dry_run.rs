//! What a search would do, before anything is sent.

use serde::Serialize;

use crate::judge::least_requests_for_a_pass;
use crate::load::{Axis, Load};
use crate::run::{RunPlan, SearchPlan};
use crate::slo::Objective;
use crate::workload::NamedWorkload;

/// Fewer milliseconds for each output token are more than 100 tokens a second on each stream: rare
/// on the servers of today.
const FEW_MS_PER_TOKEN: f64 = 10.0;

/// A plan, and what follows from it alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DryRun {
    /// The plan.
    pub plan: RunPlan,
    /// The search in it.
    #[serde(skip)]
    pub search: SearchPlan,
    /// The ramp's loads as far as they are known, ascending. By rate they follow from the request
    /// time of the first one, a stream alone.
    pub loads: Vec<Load>,
    /// What each objective needs for a pass.
    pub passes: Vec<LeastForPass>,
    /// Where a cap and a rate are both set: what they leave for a request.
    pub leaves: Option<Leaves>,
}

/// How many requests a pass of an objective needs at least, with none over its bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeastForPass {
    /// The objective.
    pub objective: Objective,
    /// Requests; `None` where the objective is no share of requests.
    pub requests: Option<u64>,
}

/// What a cap on the streams and a request rate leave for each request, by Little's law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Leaves {
    /// The cap, streams.
    pub cap_streams: u32,
    /// The rate.
    pub request_per_s: f64,
    /// Mean length of an answer.
    pub output_tokens: u32,
    /// Longest mean request time at which both hold, s.
    pub request_time_s: f64,
    /// The same for each token of the answer, ms.
    pub ms_per_token: f64,
}

impl Leaves {
    /// What they leave. All numbers are above 0.
    pub fn of(cap_streams: u32, request_per_s: f64, output_tokens: u32) -> Self {
        let request_time_s = f64::from(cap_streams) / request_per_s;
        Self {
            cap_streams,
            request_per_s,
            output_tokens,
            request_time_s,
            ms_per_token: request_time_s * 1e3 / f64::from(output_tokens),
        }
    }

    /// Whether hardly any server is that fast: then the cap binds, and the rate is never reached.
    pub fn is_contradiction(&self) -> bool {
        self.ms_per_token < FEW_MS_PER_TOKEN
    }
}

/// Looks at a plan that searches.
pub fn dry_run(plan: &RunPlan, search: &SearchPlan) -> DryRun {
    // Of how many are in flight only the gaps between tokens take notice, which have no such number.
    let passes = plan.slo.0.iter().map(|objective| LeastForPass {
        objective: *objective,
        requests: least_requests_for_a_pass(objective, 1, plan.confidence),
    });
    // By rate no cap is set beside it.
    let by_streams = plan
        .workload
        .as_deref()
        .filter(|_| search.axis == Axis::Streams);
    let named = by_streams.and_then(NamedWorkload::find);
    let guide = named.and_then(|named| named.guide);
    DryRun {
        passes: passes.collect(),
        leaves: guide.map(|guide| {
            let output = plan.output_len.mean_tokens();
            Leaves::of(search.max_concurrency, guide.request_per_s, output)
        }),
        loads: loads(search),
        plan: plan.clone(),
        search: search.clone(),
    }
}

fn loads(search: &SearchPlan) -> Vec<Load> {
    let rungs = match search.axis {
        Axis::Streams => search.ladder.rungs(search.start, search.max_concurrency),
        Axis::Rate => vec![1],
    };
    rungs.into_iter().map(Load::Streams).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// guide.zh.md: 200 streams at 100 requests a second, 512 tokens each.
    #[test]
    fn the_guides_content_platform_contradicts_itself() {
        let content = Leaves::of(200, 100.0, 512);
        assert!((content.request_time_s - 2.0).abs() < 1e-12);
        assert!((content.ms_per_token - 3.906).abs() < 1e-3);
        assert!(content.is_contradiction());
        // 50 streams at 20 a second leave 2.5 s for 128 tokens: 19.5 ms each.
        assert!(!Leaves::of(50, 20.0, 128).is_contradiction());
        // 20 streams at 10 a second leave 2 s for 256 tokens: 7.8 ms each.
        assert!(Leaves::of(20, 10.0, 256).is_contradiction());
    }
}
