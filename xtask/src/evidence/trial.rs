//! One search on one engine, and what came of it.

use std::time::Duration;

use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Next, Search, SearchConfig};
use plimsoll_core::verdict::{Verdict, VerdictKind};
use plimsoll_sim::fast::FastRunner;

use super::population::Subject;
use super::truth::{MOST_STREAMS, Truth, long_hold};

const ALLOWED: f64 = 0.05;

/// An answer, whoever gave it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) streams: u32,
    pub(super) lower: u32,
    pub(super) upper: Option<u32>,
    pub(super) cap: Option<u32>,
    pub(super) load_time_s: f64,
    pub(super) levels: usize,
    pub(super) said: String,
}

/// How good it is.
#[derive(Clone, Debug)]
pub(super) struct Score {
    pub(super) number: u64,
    pub(super) kind: &'static str,
    pub(super) truth: Truth,
    pub(super) answer: Answer,
    /// Within 5 % or one stream.
    pub(super) is_close: bool,
    /// … or the metric at the stated capacity is within 5 % of its bound.
    pub(super) is_close_enough: bool,
    pub(super) is_covered: bool,
    /// Whether the gateway cap meets the SLO on a fresh long hold.
    pub(super) cap_holds: Option<bool>,
}

pub(super) fn search(subject: &Subject, seed: u64, budget: Duration) -> (Answer, Verdict) {
    let slo = subject.slo();
    let mut search = Search::new(SearchConfig {
        most_streams: MOST_STREAMS,
        budget,
        first_request_time: subject.request_time(),
        ..SearchConfig::new(slo.clone())
    });
    let mut runner = FastRunner::new(subject.engine(seed), subject.lengths.clone(), seed);
    let trace = std::env::var_os("TRACE").is_some();
    let verdict = loop {
        let now = Duration::from_nanos(runner.now().as_nanos());
        match search.next(now) {
            Next::Done(verdict) => break *verdict,
            Next::Run(plan) => {
                let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
                if trace {
                    let s = &level.summary;
                    let counts: Vec<String> = s
                        .objectives
                        .iter()
                        .map(|o| {
                            format!(
                                "{}/{} tau {:.1} {:?}",
                                o.over.unwrap_or(0),
                                o.n,
                                o.autocorrelation,
                                o.decision
                            )
                        })
                        .collect();
                    println!(
                        "  {:6.1} +{:5.1}s N {:4} {:?} {:?} R {:.2}s win {:.1}R {}",
                        s.started_s,
                        s.duration_s,
                        s.load.amount(),
                        s.purpose,
                        s.verdict,
                        s.e2e_ms.mean.unwrap_or(0.0) / 1e3,
                        s.window.map_or(0.0, |w| w.request_times),
                        counts.join(" | ")
                    );
                }
                search.take(level.summary);
            }
        }
    };
    let capacity = verdict.capacity;
    let answer = Answer {
        streams: capacity.map_or(0, |found| found.streams),
        lower: capacity.map_or(0, |found| found.lower),
        upper: match (verdict.kind, capacity) {
            (VerdictKind::BelowFirst, None) => Some(0),
            (_, found) => found.and_then(|found| found.upper),
        },
        cap: verdict.gateway_cap.map(|cap| cap.streams),
        load_time_s: verdict.load_time_s,
        levels: search.levels().len(),
        said: format!("{:?} {:?}", verdict.kind, verdict.broken_by),
    };
    (answer, verdict)
}

pub(super) fn score(subject: &Subject, truth: &Truth, answer: Answer, seed: u64) -> Score {
    let gap = f64::from(answer.streams.abs_diff(truth.streams));
    let is_close = gap <= 1.0 || gap <= 0.05 * f64::from(truth.streams);
    let hold = |streams: u32, slack: f64| long_hold(subject, streams, seed, (8, 4_000), slack);
    let is_close_enough = is_close
        || (answer.streams > truth.streams
            && hold(answer.streams, 1.05)
                .shares
                .iter()
                .all(|one| one.0 <= ALLOWED))
        || (answer.streams < truth.streams
            && answer.streams > 0
            && hold(answer.streams, 0.95)
                .shares
                .iter()
                .any(|one| one.0 >= ALLOWED));
    let is_covered =
        answer.lower <= truth.streams && answer.upper.is_none_or(|upper| upper >= truth.streams);
    let cap_holds = answer
        .cap
        .map(|cap| hold(cap, 1.0).shares.iter().all(|one| one.0 <= ALLOWED));
    Score {
        number: subject.number,
        kind: subject.kind,
        truth: truth.clone(),
        answer,
        is_close,
        is_close_enough,
        is_covered,
        cap_holds,
    }
}
