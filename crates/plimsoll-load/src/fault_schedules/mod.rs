//! Thousands of requests against a server that does everything wrong, in virtual time and in memory.
//! A seed is a schedule of faults. The server knows what it wrote and when, so that every outcome
//! and every stamp is known.
//!
//! | file | what is there |
//! |---|---|
//! | `dice` | what a seed decides |
//! | `load` | what the client does: a batch, or two levels |
//! | `plan`, `fault` | what the server does with a request; what goes wrong with it |
//! | `script` | an answer as bytes, and what they mean |
//! | `requests` | what is sent, and how the server knows it again |
//! | `server`, `log` | the server, and what it has seen |
//! | `truth` | what must come of that |
//! | `judge` | whether it did |
//!
//! A schedule that fails is run alone by `PLIMSOLL_FAULT_SEED=7 cargo test -p plimsoll-load
//! fault_schedules`.

mod dice;
mod fault;
mod judge;
mod load;
mod log;
mod plan;
mod requests;
mod script;
mod server;
mod truth;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use plimsoll_core::protocol::Protocol;
use tokio::runtime::LocalOptions;

use crate::clock::Clock;
use dice::{Dice, Of};
use judge::judge;
use load::Carried;
use server::Server;

const SCHEDULES: u64 = 10_000;
/// No schedule may take longer, in its own time: eight requests one after another, each to its time
/// limit, take two thirds of it.
const LONGEST: Duration = Duration::from_secs(5);
/// Each way to end comes at least so often, or the schedules are not what they are meant to be.
const LEAST: u64 = 100;

/// How many requests ended in each way, and how many were sent again.
type Tally = BTreeMap<String, u64>;

/// Runs the schedule of a seed.
///
/// # Errors
/// What is wrong.
fn run(seed: u64) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut dice = Dice::of(seed, Of::Load);
        let protocol = dice.pick(&[Protocol::Completions, Protocol::Chat]);
        let server = Server::new(seed, protocol, Clock::start_virtual());
        let carried = tokio::time::timeout(LONGEST, load::carry(&mut dice, &server)).await;
        let log = server.log();
        let judged = match carried {
            Ok(Ok(carried)) => judge(&carried.terms, &log, &carried.told).map(|()| tally(&carried)),
            Ok(Err(lost)) => Err(lost),
            Err(_) => Err("it does not end".to_owned()),
        };
        judged.map_err(|what| format!("{what}\n{log}"))
    })
}

fn tally(carried: &Carried) -> Tally {
    let mut tally = Tally::from([("again".to_owned(), carried.terms.retries)]);
    for one in &carried.told {
        *tally.entry(one.record.outcome.key()).or_default() += 1;
    }
    tally
}

/// Runs the schedule of a seed; a panic is a fault too.
fn run_safely(seed: u64) -> Result<Tally, String> {
    let ran = catch_unwind(AssertUnwindSafe(|| run(seed)));
    ran.unwrap_or_else(|_| Err("it panics".to_owned()))
}

#[test]
fn fault_schedules() {
    let alone = std::env::var("PLIMSOLL_FAULT_SEED").ok();
    let alone = alone.map(|seed| seed.parse::<u64>().expect("a seed"));
    let mut tally = Tally::new();
    for seed in alone.map_or(0..SCHEDULES, |seed| seed..seed + 1) {
        match run_safely(seed) {
            Ok(more) => add(&mut tally, more),
            Err(fault) => panic!("PLIMSOLL_FAULT_SEED={seed}: {fault}"),
        }
    }
    let kinds = [
        "completed",
        "again",
        "connect",
        "reset",
        "timed_out",
        "malformed",
        "error_event",
        "ended_early",
        "empty",
        "http_429",
        "http_500",
        "cut_at_end",
        "never_sent",
    ];
    let rare = |kind: &&&str| tally.get(**kind).is_none_or(|count| *count < LEAST);
    let rare: Vec<&&str> = kinds.iter().filter(rare).collect();
    assert!(
        alone.is_some() || rare.is_empty(),
        "{rare:?} hardly come: {tally:?}"
    );
}

fn add(tally: &mut Tally, more: Tally) {
    for (kind, count) in more {
        *tally.entry(kind).or_default() += count;
    }
}
