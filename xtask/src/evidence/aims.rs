//! Searches with objectives of other kinds, on engines of the first population: means, the pace of a
//! stream, goodput, and users who think. Their truth is found by long holds as well, by none of the
//! code they judge.

use std::time::Duration;

use plimsoll_core::level::{LevelSettings, Load};
use plimsoll_core::runner::Runner;
use plimsoll_core::search::{Search, SearchConfig, Unheard, drive};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::verdict::{Verdict, VerdictKind};
use plimsoll_core::workload::ThinkTime;
use plimsoll_sim::fast::{FastRunner, HoldSums, LongHold, Measure, hold_sums};

use super::population::Subject;
use super::study::BUDGET;
use super::trial::covers;
use super::truth::ALLOWED;

/// Largest load considered, streams or users.
const MOST: u32 = 4_096;
/// Mean think time of a user, s.
const THINK_S: f64 = 10.0;
/// Batches and requests of each: of a coarse hold, of a fine one, and of a fresh one.
const COARSE: (usize, u64) = (4, 1_000);
const FINE: (usize, u64) = (12, 5_000);
const FRESH: (usize, u64) = (8, 4_000);
/// A load is on one side of the edge for sure from so many standard errors on.
const SURE: f64 = 4.0;
/// Loads around the edge, for the line through them: so far to either side, and so many.
const REACH: f64 = 0.06;
const AROUND: i32 = 3;
/// Starts of a long hold are spread over this.
const SPREAD_NS: u64 = 2_000_000_000;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    Means,
    Speed,
    Goodput,
    Users,
}

impl Aim {
    pub(super) const ALL: [Self; 4] = [Self::Means, Self::Speed, Self::Goodput, Self::Users];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Means => "means: TTFT and TPOT",
            Self::Speed => "speed p5 of a stream",
            Self::Goodput => "goodput ≥ 95 %",
            Self::Users => "users who think for 10 s, p95 of both",
        }
    }

    fn slo(self, subject: &Subject) -> Slo {
        let (ttft, tpot) = bounds(self, subject);
        let text = match self {
            Self::Means => format!("ttft mean <= {ttft}ms, tpot mean <= {tpot}ms"),
            Self::Speed => format!("speed p5 >= {}", 1e3 / tpot),
            Self::Goodput => {
                format!("goodput >= 95%, ttft p95 <= {ttft}ms, tpot p95 <= {tpot}ms")
            }
            Self::Users => format!("ttft p95 <= {ttft}ms, tpot p95 <= {tpot}ms"),
        };
        text.parse().unwrap_or(Slo(Vec::new()))
    }

    fn think(self, seed: u64) -> Option<ThinkTime> {
        (self == Self::Users).then_some(ThinkTime {
            mean: Duration::from_secs_f64(THINK_S),
            is_fixed: false,
            seed,
        })
    }
}

/// Bounds of TTFT and TPOT, ms. A mean TTFT is about half of its p95.
fn bounds(aim: Aim, subject: &Subject) -> (f64, f64) {
    match aim {
        Aim::Means => (subject.ttft_p95_ms / 2.0, subject.tpot_p95_ms),
        Aim::Speed | Aim::Goodput | Aim::Users => (subject.ttft_p95_ms, subject.tpot_p95_ms),
    }
}

/// How far a load is beyond the edge: positive where it breaks; with its standard error.
#[derive(Clone, Copy, Debug)]
struct Excess {
    value: f64,
    error: f64,
}

/// The worst objective at a load in the long run, with bounds scaled by `slack`.
fn excess(
    aim: Aim,
    subject: &Subject,
    streams: u32,
    seed: u64,
    batches: (usize, u64),
    slack: f64,
) -> Excess {
    let (ttft, tpot) = bounds(aim, subject);
    let (ttft, tpot) = (ttft * slack, tpot * slack);
    let is_over = |over: bool| f64::from(u8::from(over));
    let mean_ttft = move |_: bool, ms: f64, _: Option<f64>| Some(ms / ttft);
    let mean_tpot = move |_: bool, _: f64, ms: Option<f64>| Some(ms? / tpot);
    let bad_ttft = move |failed: bool, ms: f64, _: Option<f64>| Some(is_over(failed || ms > ttft));
    let bad_tpot = move |failed: bool, _: f64, ms: Option<f64>| {
        let over = if failed {
            Some(true)
        } else {
            ms.map(|ms| ms > tpot)
        };
        over.map(is_over)
    };
    let bad_either = move |failed: bool, ms: f64, pace: Option<f64>| {
        Some(is_over(
            failed || ms > ttft || pace.is_some_and(|ms| ms > tpot),
        ))
    };
    let measures: Vec<Measure<'_>> = match aim {
        Aim::Means => vec![&mean_ttft, &mean_tpot],
        Aim::Speed => vec![&bad_tpot],
        Aim::Goodput => vec![&bad_either],
        Aim::Users => vec![&bad_ttft, &bad_tpot],
    };
    let load = LongHold {
        streams,
        spread_ns: SPREAD_NS,
        think: aim.think(seed),
        batches,
    };
    let sums = hold_sums(
        subject.engine(seed),
        &subject.lengths,
        seed,
        load,
        &measures,
    );
    let all = sums.iter().map(|one| of_sums(aim, one));
    all.fold(
        Excess {
            value: f64::NEG_INFINITY,
            error: 1.0,
        },
        |worst, one| if one.value > worst.value { one } else { worst },
    )
}

/// ln(mean / bound), or the share as logit beyond that of the allowed one.
fn of_sums(aim: Aim, sums: &HoldSums) -> Excess {
    let asked: u32 = sums.asked.iter().sum();
    let mean = sums.sum.iter().sum::<f64>() / f64::from(asked.max(1));
    let count = sums.asked.len() as f64;
    let batches = sums.asked.iter().zip(&sums.sum);
    let spread: f64 = batches
        .map(|(asked, sum)| (sum / f64::from(*asked).max(1.0) - mean).powi(2))
        .sum();
    let error = (spread / (count * (count - 1.0)).max(1.0)).sqrt();
    if aim == Aim::Means {
        return Excess {
            value: mean.ln(),
            error: (error / mean).max(1e-4),
        };
    }
    let share = mean.clamp(1e-5, 1.0 - 1e-5);
    let logit = |share: f64| (share / (1.0 - share)).ln();
    let independent = (ALLOWED * (1.0 - ALLOWED) / f64::from(asked.max(1))).sqrt();
    Excess {
        value: logit(share) - logit(ALLOWED),
        error: (error.max(independent) / (share * (1.0 - share))).max(0.02),
    }
}

/// The largest load whose long hold keeps the objectives, and all below it: a bisection, and where
/// its neighbours are not told apart, a line through the loads around them. `None` where nothing
/// breaks: streams beyond a full batch only wait, which a pace does not mind.
fn truth(aim: Aim, subject: &Subject, seed: u64) -> Option<u32> {
    let at = |streams: u32, batches| {
        let seed = seed + 7_919 * u64::from(streams);
        excess(aim, subject, streams, seed, batches, 1.0)
    };
    let (mut low, mut high) = (0, 1);
    while high <= MOST && at(high, COARSE).value <= 0.0 {
        (low, high) = (high, high * 2);
    }
    if high > MOST {
        return None;
    }
    while high - low > 1 && f64::from(high) > f64::from(low) * 1.03 {
        let middle = low.midpoint(high);
        if at(middle, COARSE).value > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    if low == 0 {
        return Some(0);
    }
    // What a coarse hold took for the edge may be a little off.
    let middle = (f64::from(low) * f64::from(high)).sqrt();
    let mut loads: Vec<u32> = (-AROUND..=AROUND)
        .map(|i| middle * (1.0 + REACH * f64::from(i) / f64::from(AROUND)))
        .map(|load| (load.round() as u32).max(1))
        .chain([low, high])
        .collect();
    loads.sort_unstable();
    loads.dedup();
    let around: Vec<(u32, Excess)> = loads.into_iter().map(|n| (n, at(n, FINE))).collect();
    Some(crossing(&around))
}

/// Between the last load that surely holds and the first that surely breaks; where others lie
/// between them, on the line through those.
fn crossing(seen: &[(u32, Excess)]) -> u32 {
    let z = |one: &(u32, Excess)| one.1.value / one.1.error;
    let holds = seen.iter().take_while(|one| z(one) < -SURE).count();
    let breaks = seen.iter().position(|one| z(one) > SURE);
    let between = &seen[holds.saturating_sub(1)..breaks.map_or(seen.len(), |at| at + 1)];
    let (Some(first), Some(last)) = (between.first(), between.last()) else {
        return 0;
    };
    if last.0 - first.0 <= 1 {
        return first.0;
    }
    let weight = |one: &(u32, Excess)| one.1.error.powi(-2);
    let total: f64 = between.iter().map(weight).sum();
    let mean = |of: fn(&(u32, Excess)) -> f64| {
        between.iter().map(|one| of(one) * weight(one)).sum::<f64>() / total
    };
    let (x0, y0) = (mean(|one| f64::from(one.0).ln()), mean(|one| one.1.value));
    let dx = |one: &(u32, Excess)| f64::from(one.0).ln() - x0;
    let sxx: f64 = between
        .iter()
        .map(|one| weight(one) * dx(one).powi(2))
        .sum();
    let sxy: f64 = between
        .iter()
        .map(|one| weight(one) * dx(one) * (one.1.value - y0))
        .sum();
    let at = if sxy > 0.0 { x0 - y0 * sxx / sxy } else { x0 };
    at.exp()
        .clamp(f64::from(first.0), f64::from(last.0))
        .floor() as u32
}

/// How the search of one engine went.
#[derive(Clone, Copy, Debug)]
pub(super) enum AimFound {
    /// There is a capacity: how good its answer is.
    Edge(AimScore),
    /// Nothing breaks; whether the search says so.
    NoEdge { is_said: bool },
}

impl AimFound {
    /// The score of an engine that carries a load at all, and breaks.
    pub(super) fn score(&self) -> Option<&AimScore> {
        match self {
            Self::Edge(score) => Some(score).filter(|score| score.truth > 0),
            Self::NoEdge { .. } => None,
        }
    }
}

/// How good the answer of one search is.
#[derive(Clone, Copy, Debug)]
pub(super) struct AimScore {
    pub(super) truth: u32,
    pub(super) is_close: bool,
    pub(super) is_close_enough: bool,
    pub(super) interval: (u32, Option<u32>),
    /// Whether the lower end of the interval, what a gateway would be set to, holds on a fresh long
    /// hold; `None` where it is no load.
    pub(super) lower_holds: Option<bool>,
    pub(super) load_time_s: f64,
}

impl AimScore {
    pub(super) fn covers(&self) -> bool {
        covers(Some(self.interval), self.truth)
    }
}

/// Searches engine `number` of the set, and compares with its truth.
pub(super) fn score(aim: Aim, subject: &Subject, seeds: [u64; 3]) -> AimFound {
    let [of_truth, of_search, fresh] = seeds;
    let verdict = search(aim, subject, of_search);
    let Some(truth) = truth(aim, subject, of_truth) else {
        let is_said = matches!(
            verdict.kind,
            VerdictKind::FullBatch | VerdictKind::AboveLast
        );
        return AimFound::NoEdge { is_said };
    };
    let found = verdict.capacity;
    let in_streams = |load: Load| load.streams().unwrap_or(0);
    let streams = found.map_or(0, |found| in_streams(found.at));
    let interval = match (verdict.kind, found) {
        (VerdictKind::BelowFirst, None) => (0, Some(0)),
        (_, None) => (0, None),
        (_, Some(found)) => (in_streams(found.lower), found.upper.map(in_streams)),
    };
    let gap = f64::from(streams.abs_diff(truth));
    let is_close = gap <= 1.0 || gap <= 0.05 * f64::from(truth);
    let at = |streams, slack| excess(aim, subject, streams, fresh, FRESH, slack).value;
    let metric_is_near = || {
        if streams > truth {
            at(streams, 1.05) <= 0.0
        } else {
            streams > 0 && at(streams, 0.95) > 0.0
        }
    };
    AimFound::Edge(AimScore {
        truth,
        is_close,
        is_close_enough: is_close || metric_is_near(),
        interval,
        lower_holds: (interval.0 > 0).then(|| at(interval.0, 1.0) <= 0.0),
        load_time_s: verdict.load_time_s,
    })
}

fn search(aim: Aim, subject: &Subject, seed: u64) -> Verdict {
    let mut search = Search::new(SearchConfig {
        most_streams: MOST,
        budget: BUDGET,
        first_request_time: subject.request_time(),
        settings: LevelSettings {
            think: aim.think(seed),
            ..LevelSettings::default()
        },
        ..SearchConfig::new(aim.slo(subject))
    });
    let mut runner = FastRunner::new(subject.engine(seed), subject.lengths.clone(), seed);
    let Ok(()) = drive(&mut search, &mut runner, &mut Unheard);
    search.verdict(runner.now().since(Offset::ZERO))
}
