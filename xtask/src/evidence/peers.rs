//! What others would have said of the same engines, by their published rules and defaults.
//!
//! | rule | how |
//! |---|---|
//! | the guide's script | 1 2 5 10 20 50 100 200 500 1000 streams, all at once, 10 requests a stream; half of the first with a mean TTFT above 1 s |
//! | the same, with the SLO | the last rung before a p95 breaks |
//! | `EvalScope` | doubles from 2, then bisects whole numbers; 2 requests a stream, mean of the p95s of 3 runs, 5 s between runs |
//! | `GuideLLM` | doubles from 4, then bisects to 10 %, at most 15 probes of 30 s; holds if 95 % of the requests meet all objectives |
//!
//! None is charged for the time in which its last requests drain.

use plimsoll_sim::fast::{Batch, batch};

use super::population::Subject;
use super::trial::Answer;
use super::truth::{ALLOWED, MOST_STREAMS};

/// The guide's rungs and its bound on the mean TTFT.
const RUNGS: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const GUIDE_TTFT_MS: f64 = 1_000.0;
/// `EvalScope`'s runs of a point, and its pause between them.
const RUNS: u64 = 3;
const PAUSE_S: f64 = 5.0;
/// `GuideLLM`'s probes.
const PROBES: usize = 15;
const PROBE_S: f64 = 30.0;
const PRECISION: f64 = 1.1;

/// One who answers.
pub(super) type Peer = (&'static str, fn(&Subject, u64) -> Answer);

/// All of them.
pub(super) const PEERS: [Peer; 4] = [
    ("the guide's script, as written", guide),
    ("the guide's script, stopped at the SLO", guide_with_slo),
    ("EvalScope's rule", evalscope),
    ("GuideLLM's rule", guidellm),
];

fn run(subject: &Subject, streams: u32, requests: u64, seed: u64) -> Batch {
    batch(
        subject.engine(seed),
        &subject.lengths,
        seed,
        streams,
        requests,
        f64::INFINITY,
    )
}

fn p95(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    plimsoll_core::stats::quantile(&values, 1.0 - ALLOWED).unwrap_or(f64::INFINITY)
}

/// Both p95s; a failure is over every bound.
fn both_p95(batch: &Batch) -> (f64, f64) {
    let ttft = batch
        .requests
        .iter()
        .map(|one| one.ttft_ms.unwrap_or(f64::INFINITY));
    let tpot = batch.requests.iter().filter_map(|one| match one.ttft_ms {
        None => Some(f64::INFINITY),
        Some(_) => one.tpot_ms,
    });
    (p95(ttft), p95(tpot))
}

fn ladder(subject: &Subject, seed: u64, breaks: impl Fn(&Batch) -> bool) -> (Option<usize>, f64) {
    let mut time_s = 0.0;
    for (i, streams) in RUNGS.into_iter().enumerate() {
        let batch = run(subject, streams, u64::from(streams) * 10, seed + i as u64);
        time_s += batch.load_time_s;
        if breaks(&batch) {
            return (Some(i), time_s);
        }
    }
    (None, time_s)
}

fn guide(subject: &Subject, seed: u64) -> Answer {
    let (broken, time_s) = ladder(subject, seed, |batch| {
        let all = batch.requests.len() as f64;
        let ttft: f64 = batch.requests.iter().filter_map(|one| one.ttft_ms).sum();
        let failed = batch
            .requests
            .iter()
            .filter(|one| one.ttft_ms.is_none())
            .count() as f64;
        ttft / (all - failed).max(1.0) > GUIDE_TTFT_MS || failed > all * ALLOWED
    });
    Answer::plain(
        broken.map_or(RUNGS[RUNGS.len() - 1], |i| RUNGS[i] / 2),
        time_s,
    )
}

fn guide_with_slo(subject: &Subject, seed: u64) -> Answer {
    let (broken, time_s) = ladder(subject, seed, |batch| {
        let (ttft, tpot) = both_p95(batch);
        ttft > subject.ttft_p95_ms || tpot > subject.tpot_p95_ms
    });
    let last = RUNGS.len() - 1;
    let held = broken.map_or(Some(last), |i| i.checked_sub(1));
    Answer::plain(held.map_or(0, |i| RUNGS[i]), time_s)
}

fn evalscope(subject: &Subject, seed: u64) -> Answer {
    let mut time_s = 0.0;
    let mut number = seed;
    let mut holds = |streams: u32| {
        let (mut ttft, mut tpot) = (0.0, 0.0);
        for _ in 0..RUNS {
            number += 1;
            let batch = run(subject, streams, u64::from(streams) * 2, number);
            time_s += batch.load_time_s + PAUSE_S;
            let both = both_p95(&batch);
            ttft += both.0 / RUNS as f64;
            tpot += both.1 / RUNS as f64;
        }
        ttft <= subject.ttft_p95_ms && tpot <= subject.tpot_p95_ms
    };
    let streams = double_then_bisect(2, |low, high| high - low <= 1, &mut holds);
    Answer::plain(streams, time_s)
}

fn guidellm(subject: &Subject, seed: u64) -> Answer {
    let mut probes = 0;
    let mut holds = |streams: u32| {
        probes += 1;
        if probes > PROBES {
            return false;
        }
        let seed = seed + probes as u64;
        let batch = batch(
            subject.engine(seed),
            &subject.lengths,
            seed,
            streams,
            u64::MAX,
            PROBE_S,
        );
        let good = |one: &&plimsoll_sim::fast::Timing| {
            one.ttft_ms.is_some_and(|ttft| ttft <= subject.ttft_p95_ms)
                && one.tpot_ms.is_none_or(|tpot| tpot <= subject.tpot_p95_ms)
        };
        let met = batch.requests.iter().filter(good).count() as f64;
        !batch.requests.is_empty() && met >= (1.0 - ALLOWED) * batch.requests.len() as f64
    };
    let is_close =
        |low: u32, high: u32| high - low <= 1 || f64::from(high) <= f64::from(low) * PRECISION;
    let streams = double_then_bisect(4, is_close, &mut holds);
    Answer::plain(streams, probes.min(PROBES) as f64 * PROBE_S)
}

/// Doubles from `start` until a load breaks, then bisects; the largest that held.
fn double_then_bisect(
    start: u32,
    is_close: impl Fn(u32, u32) -> bool,
    holds: &mut impl FnMut(u32) -> bool,
) -> u32 {
    let (mut low, mut high) = (0, start);
    while high <= MOST_STREAMS && holds(high) {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 && !(low > 0 && is_close(low, high)) {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
