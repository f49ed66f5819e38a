//! The numbers that vLLM's definitions miss: latency from the due time, exact concurrency, the
//! tool's own lateness, what failures were, and whether prompts had the length asked for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use plimsoll_core::record::{RequestRecord, TokenSource};
use plimsoll_core::time::Offset;
use plimsoll_load::batch::Batch;

use super::legacy::Summary;

/// Corrected numbers of a run. What has no values is absent, never 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Corrected {
    /// First output − due, ms, of completed requests: what a user waits, with the wait for a slot.
    pub(crate) first_from_due_ms: Option<Summary>,
    /// First output − sent, ms, of completed requests: what the server took, where vLLM's own figure
    /// may be that of an event without output.
    pub(crate) first_from_sent_ms: Option<Summary>,
    /// Most requests in flight at any moment.
    pub(crate) peak_in_flight: u32,
    /// Tool's own lateness, P99, ms: sent − due, or − the moment a slot was free if that was later.
    pub(crate) send_lag_p99_ms: Option<f64>,
    /// How many requests ended in which way.
    pub(crate) outcomes: BTreeMap<String, usize>,
    /// Prompt tokens of the requests of which the server told its count; `None` if it told none.
    pub(crate) prompt_tokens: Option<PromptTokens>,
    /// Where output token counts come from: `usage`, `events` or `mixed`; `None` without output.
    pub(crate) token_source: Option<&'static str>,
}

/// Prompt tokens of the same requests, counted by each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PromptTokens {
    /// Asked for.
    pub(crate) asked: u64,
    /// By the server's `usage`.
    pub(crate) server: u64,
}

impl Corrected {
    /// Computes everything from the records.
    pub(crate) fn new(batch: &Batch, cap: Option<u32>, percentiles: &[f64]) -> Self {
        let records: Vec<&RequestRecord> = batch.records.iter().map(|one| &*one.record).collect();
        let completed = || {
            records
                .iter()
                .filter(|record| record.outcome.is_completed())
        };
        let summary_of = |value: fn(&RequestRecord) -> Option<f64>| {
            let values: Vec<f64> = completed().filter_map(|one| value(one)).collect();
            (!values.is_empty()).then(|| Summary::new(values, percentiles))
        };
        let mut outcomes = BTreeMap::new();
        for record in &records {
            *outcomes.entry(record.outcome.key()).or_insert(0) += 1;
        }
        let counted =
            completed().filter_map(|one| Some((one.asked_prompt_tokens, one.prompt_tokens?)));
        let prompt_tokens = counted
            .map(|(asked, server)| PromptTokens {
                asked: u64::from(asked),
                server: u64::from(server),
            })
            .reduce(|sum, one| PromptTokens {
                asked: sum.asked + one.asked,
                server: sum.server + one.server,
            });
        let lags = send_lags_ms(&records, cap);
        Self {
            first_from_due_ms: summary_of(RequestRecord::ttft_from_due_ms),
            first_from_sent_ms: summary_of(RequestRecord::ttft_ms),
            peak_in_flight: batch.peak_in_flight,
            send_lag_p99_ms: (!lags.is_empty())
                .then(|| Summary::new(lags, &[99.0]).percentiles[0].1),
            outcomes,
            prompt_tokens,
            token_source: token_source(completed().filter_map(|one| one.output_tokens())),
        }
    }
}

fn token_source(counts: impl Iterator<Item = (u32, TokenSource)>) -> Option<&'static str> {
    let mut seen = None;
    for (_, source) in counts {
        let name = match source {
            TokenSource::Usage => "usage",
            TokenSource::Events => "events",
        };
        match seen {
            None => seen = Some(name),
            Some(known) if known != name => return Some("mixed"),
            Some(_) => {}
        }
    }
    seen
}

/// How late each request left. Under a cap a request may leave when it is due and the number in
/// flight is below the cap; replaying the requests in the order sent tells when that was.
fn send_lags_ms(records: &[&RequestRecord], cap: Option<u32>) -> Vec<f64> {
    let mut sent: Vec<(Offset, &RequestRecord)> = records
        .iter()
        .filter_map(|record| Some((record.sent?, *record)))
        .collect();
    sent.sort_by_key(|(at, record)| (*at, record.id));
    let cap = cap.map_or(usize::MAX, |cap| cap as usize);
    let mut ends: BinaryHeap<Reverse<Offset>> = BinaryHeap::new();
    sent.into_iter()
        .map(|(at, record)| {
            let free = if ends.len() >= cap { ends.pop() } else { None };
            ends.push(Reverse(record.done));
            let could = free.map_or(record.due, |Reverse(free)| record.due.max(free));
            at.ms_since(could).max(0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::legacy_fixture::{batch, record};
    use super::*;
    use plimsoll_core::outcome::Outcome;

    #[test]
    fn the_wait_for_a_slot_is_the_users_and_not_the_tools() {
        // Cap 1, all due at 0: A sent at 1, done at 101; B sent at 103, so 2 ms after A's end.
        let a = record(0, 1, &[51, 101]);
        let b = record(0, 103, &[153, 203]);
        let corrected = Corrected::new(&batch(vec![a, b], 203), Some(1), &[50.0]);
        // First outputs at 51 and 153 from a due time of 0.
        assert!((corrected.first_from_due_ms.unwrap().mean - 102.0).abs() < 1e-9);
        // Both came 50 ms after they were sent.
        assert!((corrected.first_from_sent_ms.unwrap().mean - 50.0).abs() < 1e-9);
        // Lags 1 and 2 ms: P99 = 1.99.
        assert!((corrected.send_lag_p99_ms.unwrap() - 1.99).abs() < 1e-9);
    }

    #[test]
    fn without_a_cap_all_lateness_is_the_tools() {
        let records = vec![record(0, 1, &[51]), record(0, 103, &[153])];
        let corrected = Corrected::new(&batch(records, 153), None, &[]);
        assert!((corrected.send_lag_p99_ms.unwrap() - (1.0 + 0.99 * 102.0)).abs() < 1e-9);
    }

    #[test]
    fn failures_are_told_apart_and_prompts_compared() {
        let mut failed = record(0, 0, &[]);
        failed.outcome = Outcome::HttpStatus { status: 429 };
        let mut short = record(0, 0, &[10, 20]);
        short.asked_prompt_tokens = 100;
        short.prompt_tokens = Some(98);
        let mut uncounted = record(0, 0, &[10]);
        uncounted.prompt_tokens = None;
        uncounted.usage_output_tokens = None;
        let corrected = Corrected::new(&batch(vec![failed, short, uncounted], 20), None, &[]);
        assert_eq!(corrected.outcomes["http_429"], 1);
        assert_eq!(corrected.outcomes["completed"], 2);
        assert_eq!(
            corrected.prompt_tokens,
            Some(PromptTokens {
                asked: 100,
                server: 98
            })
        );
        assert_eq!(corrected.token_source, Some("mixed"));
    }
}
