//! One search on one engine, and what came of it.

use std::time::Duration;

use plimsoll_core::level::{LevelSummary, Load};
use plimsoll_core::runner::Runner;
use plimsoll_core::search::{Search, SearchConfig, Unheard, drive};
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Verdict, VerdictKind};
use plimsoll_sim::fast::FastRunner;

use super::isotonic;
use super::population::Subject;
use super::truth::{ALLOWED, MOST_STREAMS, Truth, long_hold};

/// Requests of a fresh long hold: batches, and requests of each.
const FRESH: (usize, u64) = (8, 4_000);
/// A metric this near its bound is right enough.
const NEAR: f64 = 0.05;

/// Ends of an interval, streams; no upper end where nothing broke.
pub(super) type Ends = (u32, Option<u32>);

/// An answer, whoever gave it; streams.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) streams: u32,
    /// The 95 % interval, of those who give one.
    pub(super) interval: Option<Ends>,
    /// The gateway cap.
    pub(super) cap: Option<u32>,
    pub(super) load_time_s: f64,
}

impl Answer {
    /// Of those who give a number and no more.
    pub(super) fn plain(streams: u32, load_time_s: f64) -> Self {
        Self {
            streams,
            load_time_s,
            ..Self::default()
        }
    }
}

/// A search with all it saw.
pub(super) struct Trial {
    pub(super) answer: Answer,
    /// The isotonic interval of the same levels.
    pub(super) isotonic: Option<Ends>,
}

/// How good an answer is.
#[derive(Clone, Debug)]
pub(super) struct Score {
    pub(super) kind: &'static str,
    pub(super) truth: Truth,
    pub(super) answer: Answer,
    /// Within 5 % or one stream.
    pub(super) is_close: bool,
    /// … or the metric at the stated capacity is within 5 % of its bound.
    pub(super) is_close_enough: bool,
    /// Whether the gateway cap meets the SLO on a fresh long hold; `None` without a cap.
    pub(super) cap_holds: Option<bool>,
}

/// Runs a search as `find` would; with `common` lengths every level asks the same ones.
pub(super) fn search(subject: &Subject, seed: u64, budget: Duration, common: bool) -> Trial {
    let slo = subject.slo();
    let mut search = Search::new(SearchConfig {
        most_streams: MOST_STREAMS,
        budget,
        first_request_time: subject.request_time(),
        ..SearchConfig::new(slo.clone())
    });
    let mut runner = FastRunner::new(subject.engine(seed), subject.lengths.clone(), seed);
    if common {
        runner.ask_the_same_at_each_level();
    }
    let Ok(()) = drive(&mut search, &mut runner, &mut Unheard);
    let verdict = search.verdict(runner.now().since(Offset::ZERO));
    Trial {
        answer: answer(&verdict),
        isotonic: isotonic_of(search.levels()),
    }
}

fn answer(verdict: &Verdict) -> Answer {
    let in_streams = |load: Load| load.streams().unwrap_or(0);
    let found = verdict.capacity;
    let interval = match (verdict.kind, found) {
        (VerdictKind::BelowFirst, None) => Some((0, Some(0))),
        (_, None) => Some((0, None)),
        (_, Some(found)) => Some((in_streams(found.lower), found.upper.map(in_streams))),
    };
    Answer {
        streams: found.map_or(0, |found| in_streams(found.at)),
        interval,
        cap: verdict.recommended.and_then(|advice| advice.cap.streams()),
        load_time_s: verdict.load_time_s,
    }
}

fn isotonic_of(levels: &[LevelSummary]) -> Option<Ends> {
    isotonic::interval(levels)
}

/// Whether an interval holds the truth.
pub(super) fn covers(interval: Option<Ends>, truth: u32) -> bool {
    interval
        .is_some_and(|(lower, upper)| lower <= truth && upper.is_none_or(|upper| upper >= truth))
}

pub(super) fn score(subject: &Subject, truth: &Truth, answer: Answer, seed: u64) -> Score {
    let gap = f64::from(answer.streams.abs_diff(truth.streams));
    let is_close = gap <= 1.0 || gap <= 0.05 * f64::from(truth.streams);
    let cap_holds = answer.cap.map(|cap| holds(subject, cap, seed));
    Score {
        kind: subject.kind,
        is_close,
        is_close_enough: is_close || metric_is_near(subject, truth, answer.streams, seed),
        cap_holds,
        truth: truth.clone(),
        answer,
    }
}

/// Whether both objectives are met in the long run.
fn holds(subject: &Subject, streams: u32, seed: u64) -> bool {
    let point = long_hold(subject, streams, seed, FRESH, 1.0);
    point.shares.iter().all(|(share, _)| *share <= ALLOWED)
}

/// Whether the p95 that breaks first lies within 5 % of its bound at a load: above the truth it is
/// below 1.05 of it, below the truth above 0.95.
fn metric_is_near(subject: &Subject, truth: &Truth, streams: u32, seed: u64) -> bool {
    let over = |slack: f64| {
        let point = long_hold(subject, streams, seed, FRESH, slack);
        point.shares.iter().any(|(share, _)| *share > ALLOWED)
    };
    if streams > truth.streams {
        !over(1.0 + NEAR)
    } else {
        streams > 0 && over(1.0 - NEAR)
    }
}
