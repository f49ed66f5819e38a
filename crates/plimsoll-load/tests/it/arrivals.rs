//! The number of workers changes nothing of what is sent, nor of when it is due.

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::runner::Go;
use plimsoll_core::schedule::{Arrivals, arrivals};
use plimsoll_load::batch::{BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_sim::Faults;

use super::{PATIENCE, server, source, target};

/// Number, due time in ns, and the lengths asked for, of each request.
type Arrival = (u64, u64, u32, u32);

fn carried(workers: u32) -> Vec<Arrival> {
    let server = server(Faults::default());
    let schedule = Arrivals {
        count: 50,
        rate_per_s: 500.0,
        burstiness: 1.0,
        seed: 5,
    };
    let plan = BatchPlan {
        dues: arrivals(&schedule).unwrap(),
        max_concurrency: None,
        timeout: PATIENCE,
        keep_text: false,
        first_index: 3,
        workers,
        keep_alive: true,
    };
    let source = source(Protocol::Completions);
    let on = &mut |_| Go::On;
    let batch = run_batch(&target(&server), &source, &plan, Clock::start(), on).unwrap();
    let arrival = |one: &plimsoll_load::batch::BatchRecord| {
        let record = &one.record;
        assert_eq!(record.outcome, Outcome::Completed, "{:?}", record.detail);
        let due = record.due.since(batch.started_at);
        let lengths = (record.asked_prompt_tokens, record.asked_output_tokens);
        (record.id, due.as_nanos() as u64, lengths.0, lengths.1)
    };
    batch.records.iter().map(arrival).collect()
}

#[test]
fn three_workers_send_what_one_sends() {
    let of_one = carried(1);
    assert_eq!(of_one.len(), 50);
    assert_eq!(carried(3), of_one);
}
