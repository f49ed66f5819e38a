//! Nothing that was due gets lost: due = Σ outcomes, whatever the server does, and whenever it stops.

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_sim::Faults;
use proptest::prelude::*;

use super::{server, source, target};

/// Shares that add up to less than 1, so that some requests are answered well.
fn faults() -> impl Strategy<Value = Faults> {
    (prop::array::uniform8(0.0..0.12f64), 0..30u64).prop_map(|(shares, stall_ms)| {
        let [error, reject, cut, stall, never, event, early, empty] = shares;
        Faults {
            error_share: error,
            reject_share: reject,
            cut_share: cut,
            stall_share: stall,
            stall_ms,
            never_answer_share: never,
            error_event_share: event,
            early_end_share: early,
            empty_share: empty,
            ..Faults::default()
        }
    })
}

/// Batches of requests that are due within a quarter of a second.
fn plans() -> impl Strategy<Value = BatchPlan> {
    let dues = prop::collection::vec(0..250u64, 1..60);
    let cap = prop::option::of(1..8u32);
    (dues, cap, 1..=3u32, any::<bool>()).prop_map(|(mut dues, cap, workers, keep_alive)| {
        dues.sort_unstable();
        BatchPlan {
            dues: dues.into_iter().map(Duration::from_millis).collect(),
            max_concurrency: cap,
            timeout: Duration::from_millis(200),
            keep_text: false,
            first_index: 0,
            workers,
            keep_alive,
        }
    })
}

/// Runs a batch; stops it once `stop_after` of its requests have ended.
fn run(faults: Faults, plan: &BatchPlan, stop_after: usize) -> Batch {
    let server = server(faults);
    let mut go = |ended| {
        if ended >= stop_after {
            Go::Stop
        } else {
            Go::On
        }
    };
    let source = source(Protocol::Completions);
    run_batch(&target(&server), &source, plan, Clock::start(), &mut go).unwrap()
}

fn is_accounted_for(batch: &Batch, plan: &BatchPlan) -> Result<(), TestCaseError> {
    prop_assert_eq!(batch.records.len(), plan.dues.len());
    for (number, (one, due)) in batch.records.iter().zip(&plan.dues).enumerate() {
        let record = &one.record;
        prop_assert_eq!(record.id, number as u64);
        prop_assert_eq!(record.due, batch.started_at + *due);
        let was_sent = record.sent.is_some();
        prop_assert!(was_sent || record.outcome != Outcome::Completed);
        prop_assert!(!was_sent || record.outcome != Outcome::NeverSent);
        prop_assert!(record.sent.is_none_or(|sent| sent >= record.due));
        prop_assert!(batch.interrupted || is_of_the_server(record.outcome));
    }
    prop_assert!(batch.peak_in_flight <= plan.max_concurrency.unwrap_or(u32::MAX));
    Ok(())
}

/// Whether a request can end like this without being stopped.
fn is_of_the_server(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::CutAtEnd | Outcome::NeverSent)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_request_that_was_due_has_one_record(faults in faults(), plan in plans()) {
        let batch = run(faults, &plan, usize::MAX);
        prop_assert!(!batch.interrupted);
        is_accounted_for(&batch, &plan)?;
    }

    #[test]
    fn also_where_the_batch_is_stopped(
        faults in faults(),
        plan in plans(),
        stop in 0.0..1.0f64,
    ) {
        let after = (stop * plan.dues.len() as f64) as usize;
        // What is not due for a minute is there when the batch is stopped.
        let mut plan = plan;
        plan.dues.push(Duration::from_secs(60));
        let batch = run(faults, &plan, after);
        prop_assert!(batch.interrupted);
        is_accounted_for(&batch, &plan)?;
        let last = &batch.records[plan.dues.len() - 1].record;
        prop_assert_eq!(last.outcome, Outcome::NeverSent);
    }
}
