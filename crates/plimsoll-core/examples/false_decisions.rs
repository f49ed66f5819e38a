//! How often the judge errs: two-state chains of requests in time order, looked at as a level is.
//! `false_decisions [RUNS] [ALLOWED]` prints a row for each autocorrelation time (in requests) and
//! number of requests in a request time: false decisions with the share at the bound, passes at half
//! of it, fails at twice it, and the requests that half of the levels needed for those.

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::Duration;

use plimsoll_core::judge::{Confidence, Decision, LevelSample, judge};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{RequestRecord, StreamEvent};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const REQUEST_TIME: Duration = Duration::from_secs(1);
const REQUEST_TIMES: u32 = 120;
const FIRST_LOOK: f64 = 8.0;
const LOOK_GROWTH: f64 = 1.15;

struct Kind {
    autocorrelation: f64,
    per_request_time: u32,
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse::<f64>().ok());
    let runs = arguments.next().unwrap_or(200.0) as u64;
    let allowed = arguments.next().unwrap_or(0.05);
    println!("   τ  N/R | at the bound: pass  fail | half: pass  n | twice: fail  n");
    for autocorrelation in [1.0, 3.0, 10.0, 30.0] {
        for per_request_time in [8, 16, 32, 64] {
            row(
                &Kind {
                    autocorrelation,
                    per_request_time,
                },
                allowed,
                runs,
            );
        }
    }
}

fn row(kind: &Kind, allowed: f64, runs: u64) {
    let outcomes = |ratio: f64, first_seed: u64| -> Vec<(Decision, usize)> {
        (0..runs)
            .map(|run| first_decision(kind, allowed, allowed * ratio, first_seed + run))
            .collect()
    };
    let percent = |outcomes: &[(Decision, usize)], wanted: Decision| {
        let count = outcomes
            .iter()
            .filter(|(decision, _)| *decision == wanted)
            .count();
        100.0 * count as f64 / runs as f64
    };
    let median = |outcomes: &[(Decision, usize)], wanted: Decision| {
        let mut needed: Vec<usize> = outcomes
            .iter()
            .map(|(decision, n)| if *decision == wanted { *n } else { usize::MAX })
            .collect();
        needed.sort_unstable();
        match needed.get(needed.len() / 2) {
            Some(&n) if n < usize::MAX => n.to_string(),
            _ => "-".to_owned(),
        }
    };
    let (same, half, twice) = (
        outcomes(1.0, 0),
        outcomes(0.5, 1_000_000),
        outcomes(2.0, 2_000_000),
    );
    println!(
        "{:4}  {:3} | {:18.1}  {:4.1} | {:10.1}  {:>4} | {:11.1}  {:>4}",
        kind.autocorrelation,
        kind.per_request_time,
        percent(&same, Decision::Pass),
        percent(&same, Decision::Fail),
        percent(&half, Decision::Pass),
        median(&half, Decision::Pass),
        percent(&twice, Decision::Fail),
        median(&twice, Decision::Fail),
    );
}

/// What the first look says that decides, and how many requests it had.
fn first_decision(kind: &Kind, allowed: f64, share: f64, seed: u64) -> (Decision, usize) {
    let slo: Slo = Slo(vec![plimsoll_core::slo::Objective {
        metric: plimsoll_core::slo::Metric::Ttft,
        stat: plimsoll_core::slo::Stat::Quantile(1.0 - allowed),
        op: plimsoll_core::slo::Op::AtMost,
        bound: 100.0,
    }]);
    let records = series(kind, share, seed);
    let mut length = FIRST_LOOK;
    while length <= f64::from(REQUEST_TIMES) {
        let n = (length * f64::from(kind.per_request_time)) as usize;
        let results = judge(
            &slo,
            &LevelSample {
                ended: &records[..n],
                in_flight: &[],
                from: START,
                to: START + REQUEST_TIME.mul_f64(length),
                request_time: REQUEST_TIME,
                draws: &[],
                confidence: Confidence::default(),
            },
        );
        if results[0].decision != Decision::Undecided {
            return (results[0].decision, n);
        }
        length *= LOOK_GROWTH;
    }
    (Decision::Undecided, records.len())
}

const START: Offset = Offset::from_nanos(1_000_000_000);

/// Requests whose deciding events come evenly, over the bound or not by a two-state chain.
fn series(kind: &Kind, share: f64, seed: u64) -> Vec<RequestRecord> {
    let stickiness = (kind.autocorrelation - 1.0) / (kind.autocorrelation + 1.0);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut over = rng.random_bool(share);
    (0..REQUEST_TIMES * kind.per_request_time)
        .map(|number| {
            if !rng.random_bool(stickiness) {
                over = rng.random_bool(share);
            }
            let step = REQUEST_TIME / kind.per_request_time;
            request(number, START + step * number + step / 2, over)
        })
        .collect()
}

/// A request with its first token 50 ms after it was sent, or 200 ms, that is decided at `at`.
fn request(number: u32, at: Offset, over: bool) -> RequestRecord {
    let (before, after) = if over { (100, 100) } else { (50, 0) };
    let sent = Offset::from_nanos(at.as_nanos() - before * 1_000_000);
    let first = at + Duration::from_millis(after);
    RequestRecord {
        id: u64::from(number),
        level: 0,
        stream: 0,
        due: sent,
        ready: sent,
        sent: Some(sent),
        connected: None,
        events: vec![StreamEvent {
            at: first,
            output: true,
        }],
        done: first,
        outcome: Outcome::Completed,
        asked_prompt_tokens: 1,
        asked_output_tokens: 1,
        prompt_tokens: None,
        usage_output_tokens: None,
        detail: None,
    }
}
