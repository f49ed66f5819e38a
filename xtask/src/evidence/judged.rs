//! False decisions of the judge where the share of bad requests is exactly the allowed one: there
//! every decision is false.
//!
//! | kind | series |
//! |---|---|
//! | chain | a two-state chain with a known autocorrelation time τ, 8 to 64 requests in a request time |
//! | engine | a level of a model engine, its TTFT bound put at the long run's own p95 |

use std::time::Duration;

use plimsoll_core::judge::{Confidence, Decision, LevelSample, Reading, judge};
use plimsoll_core::level::{Hold, LevelPlan, LevelSettings, Load, OpenLoop, Purpose};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{Outputs, RequestRecord};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::slo::{Objective, Slo, Stat};
use plimsoll_core::time::Offset;
use plimsoll_sim::fast::FastRunner;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::population::Subject;
use super::rates::quantile;
use super::truth::ALLOWED;

/// Autocorrelation times of the chains, in requests, and requests in a request time.
const TIMES: [f64; 4] = [1.0, 3.0, 10.0, 30.0];
const RATES: [u32; 4] = [8, 16, 32, 64];
/// The longest level, and the looks at it, in request times (statistics.md §2.3.5).
const REQUEST_TIMES: f64 = 120.0;
const FIRST_LOOK: f64 = 8.0;
const LOOK_GROWTH: f64 = 1.15;
const REQUEST_TIME: Duration = Duration::from_secs(1);
/// Before everything, so that a request can be sent before it is decided.
const START: Offset = Offset::from_nanos(1_000_000_000);
/// Loads of the engines' levels, as a share of the cap on sequences.
const LOADS: [f64; 4] = [0.3, 0.7, 1.0, 1.2];

/// A kind of level, and what the judge said of each.
pub(super) struct Judged {
    pub(super) kind: String,
    pub(super) decisions: Vec<Decision>,
}

/// Number of kinds.
pub(super) const KINDS: u64 = (TIMES.len() + 1) as u64;

/// What the judge says of `count` levels of kind `kind` (0 to [`KINDS`]).
pub(super) fn judged(kind: u64, count: u64, seed: u64) -> Judged {
    match TIMES.get(kind as usize) {
        Some(time) => Judged {
            kind: format!("chain, τ = {time}"),
            decisions: (0..count)
                .map(|number| {
                    let per_request_time = RATES[(number % RATES.len() as u64) as usize];
                    of_chain(*time, per_request_time, seed + number)
                })
                .collect(),
        },
        None => Judged {
            kind: "engines".to_owned(),
            decisions: (0..count).map(|number| of_engine(number, seed)).collect(),
        },
    }
}

fn of_chain(time: f64, per_request_time: u32, seed: u64) -> Decision {
    let records = chain(time, per_request_time, seed);
    let slo = slo(100.0);
    let mut length = FIRST_LOOK;
    while length <= REQUEST_TIMES {
        let n = (length * f64::from(per_request_time)) as usize;
        let decision = look(&slo, &records[..n.min(records.len())], length);
        if decision != Decision::Undecided {
            return decision;
        }
        length *= LOOK_GROWTH;
    }
    Decision::Undecided
}

fn look(slo: &Slo, ended: &[RequestRecord], length: f64) -> Decision {
    let results = judge(
        slo,
        &LevelSample {
            ended,
            in_flight: &[],
            from: START,
            to: START + REQUEST_TIME.mul_f64(length),
            request_time: REQUEST_TIME,
            draws: &[],
            confidence: Confidence::default(),
            reading: Reading::Stamped,
            unread: Duration::ZERO,
            hangs_after: None,
        },
    );
    results
        .first()
        .map_or(Decision::Undecided, |one| one.decision)
}

fn slo(bound_ms: f64) -> Slo {
    let mut objective = Objective::ttft_mean(bound_ms);
    objective.stat = Stat::Quantile(1.0 - ALLOWED);
    Slo(vec![objective])
}

/// Requests whose deciding events come evenly, over the bound or not by the chain.
fn chain(time: f64, per_request_time: u32, seed: u64) -> Vec<RequestRecord> {
    let stickiness = (time - 1.0) / (time + 1.0);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut over = rng.random_bool(ALLOWED);
    let count = (REQUEST_TIMES * f64::from(per_request_time)) as u32;
    (0..count)
        .map(|number| {
            if !rng.random_bool(stickiness) {
                over = rng.random_bool(ALLOWED);
            }
            let step = REQUEST_TIME / per_request_time;
            request(number, START + step * number + step / 2, over)
        })
        .collect()
}

/// A request with its first token 50 ms after it was sent, or 200 ms, that is decided at `at`.
fn request(number: u32, at: Offset, over: bool) -> RequestRecord {
    let (before_ms, after_ms) = if over { (100, 100) } else { (50, 0) };
    let sent = Offset::from_nanos(at.as_nanos() - before_ms * 1_000_000);
    let first = at + Duration::from_millis(after_ms);
    RequestRecord {
        id: u64::from(number),
        level: 0,
        stream: 0,
        due: sent,
        ready: sent,
        sent: Some(sent),
        outputs: Some(Outputs::with(None, first)),
        heard: Some(first),
        stamps: None,
        done: first,
        doubt: plimsoll_core::record::Doubt::default(),
        outcome: Outcome::Completed,
        asked_prompt_tokens: 1,
        asked_output_tokens: 1,
        prompt_tokens: None,
        usage_output_tokens: None,
        hidden_output_tokens: None,
        usage_disbelieved: false,
        detail: None,
    }
}

/// A level of an engine, held until it is decided, with its bound at the p95 of another long hold.
fn of_engine(number: u64, seed: u64) -> Decision {
    let subject = Subject::steady(seed, number);
    let load = LOADS[(number % LOADS.len() as u64) as usize];
    let streams = ((f64::from(subject.engine.max_num_seqs) * load) as u32).max(1);
    let times = subject.long_ttft_ms(streams, seed ^ 0x70_39_35);
    let slo = slo(quantile(times, 1.0 - ALLOWED));
    let request_time = subject.request_time() * 2;
    let plan = LevelPlan {
        index: 0,
        purpose: Purpose::Refine,
        load: Load::Streams(streams),
        open_loop: OpenLoop::default(),
        settings: LevelSettings::default(),
        hold: Hold::Decide,
        request_time,
        longest_hold: request_time.mul_f64(REQUEST_TIMES),
        longest: request_time.mul_f64(2.0 * REQUEST_TIMES),
    };
    let mut runner = FastRunner::new(
        subject.engine(seed + number),
        subject.lengths.clone(),
        seed + number,
    );
    let Ok(level) = runner.run_level(plan, &slo, &mut |_| Go::On);
    level
        .summary
        .objectives
        .first()
        .map_or(Decision::Undecided, |one| one.decision)
}
