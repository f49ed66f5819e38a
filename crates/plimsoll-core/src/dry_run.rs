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
    /// How often it would be searched, one after another, where that is more than once.
    pub repeats: Option<u32>,
    /// Where a run of the past would go on.
    pub goes_on: Option<GoesOn>,
}

/// Where a run of the past would go on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GoesOn {
    /// Levels that it has.
    pub levels: u32,
    /// Time that it has had, s.
    pub elapsed_s: f64,
    /// The next load; `None` where nothing is left to do.
    pub next: Option<Load>,
}

/// A request time to show with which rates a ramp begins, s: that of the first request is not known
/// before it was sent.
pub const SHOWN_REQUEST_TIME_S: f64 = 1.0;

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
        repeats: None,
        goes_on: None,
        loads: loads(search),
        plan: plan.clone(),
        search: search.clone(),
    }
}

/// The rates of a whole ramp, where one stream alone takes [`SHOWN_REQUEST_TIME_S`] for a request.
pub fn shown_rates(most_per_s: f64) -> Vec<f64> {
    let most = Axis::Rate.at_most(most_per_s);
    let first = Axis::Rate.at_least(0.5 / SHOWN_REQUEST_TIME_S);
    let next = |rung: &u32| Some(Axis::Rate.at_least(Axis::Rate.amount(*rung) * 2.0));
    let below = std::iter::successors(Some(first), next).take_while(|rung| *rung < most);
    let rungs = below.chain([most]);
    rungs.map(|rung| Axis::Rate.amount(rung)).collect()
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

    #[test]
    fn rates_double_from_half_of_what_a_stream_alone_brings() {
        let rates = shown_rates(10.0);
        // Rungs of rates are about a per cent apart.
        let is_about = |rate: f64, of: f64| (rate / of - 1.0).abs() < 0.02;
        assert!(is_about(rates[0], 0.5), "{rates:?}");
        let (last, doubled) = rates.split_last().unwrap();
        assert!(
            doubled
                .windows(2)
                .all(|pair| is_about(pair[1], 2.0 * pair[0]))
        );
        assert!(
            is_about(*last, 10.0) && *last <= 10.0 && rates.len() == 6,
            "{rates:?}"
        );
        assert_eq!(shown_rates(0.1).len(), 1);
    }

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
