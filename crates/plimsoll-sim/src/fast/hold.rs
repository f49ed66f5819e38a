//! A long hold at one load, counted without records: the truth of a model engine.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::schedule::scatter;
use plimsoll_core::workload::Lengths;

use super::engine::FastEngine;
use super::streams::{Fate, Flight, Streams, Watch};

/// What a long hold saw of one question: how many requests, how many of them bad, in batches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HoldCounts {
    /// Requests asked about, by batch.
    pub asked: Vec<u32>,
    /// Bad ones, by batch.
    pub bad: Vec<u32>,
}

/// A question put to each request that ended: (failed, TTFT ms, TPOT ms); `None` if it has no answer.
pub type Ask<'a> = &'a dyn Fn(bool, f64, Option<f64>) -> Option<bool>;

struct Counter<'a> {
    questions: &'a [Ask<'a>],
    counts: Vec<HoldCounts>,
    batch: Option<usize>,
    ended: u64,
    request_time_ns: f64,
}

impl Watch for Counter<'_> {
    fn sent(&mut self, _: &Flight) {}

    fn first(&mut self, _: &Flight, _: u64) {}

    fn ended(&mut self, flight: &Flight, at_ns: u64, fate: Fate) {
        self.ended += 1;
        let took = (at_ns - flight.sent_ns) as f64;
        self.request_time_ns += (took - self.request_time_ns) / (self.ended as f64).min(500.0);
        let Some(batch) = self.batch else {
            return;
        };
        let first_ns = flight.first_ns.unwrap_or(at_ns);
        let ttft_ms = (first_ns - flight.sent_ns) as f64 / 1e6;
        let gaps = flight.lengths.output_tokens - 1;
        let tpot_ms = (gaps > 0).then(|| (at_ns - first_ns) as f64 / 1e6 / f64::from(gaps));
        for (question, hold) in self.questions.iter().zip(&mut self.counts) {
            if let Some(bad) = question(fate != Fate::Completed, ttft_ms, tpot_ms) {
                hold.asked[batch] += 1;
                hold.bad[batch] += u32::from(bad);
            }
        }
    }

    fn back_off_ns(&self) -> u64 {
        self.request_time_ns as u64
    }
}

/// Holds `streams` until `batches` batches of `each` requests have ended, after as many requests of
/// warm-up as one batch has; one [`HoldCounts`] a question. Starts spread over `spread_ns`.
pub fn hold(
    engine: FastEngine,
    lengths: &Arc<[Lengths]>,
    seed: u64,
    streams: u32,
    spread_ns: u64,
    (batches, each): (usize, u64),
    questions: &[Ask<'_>],
) -> Vec<HoldCounts> {
    let mut loop_ = Streams::new(engine, Arc::clone(lengths), seed);
    let empty = HoldCounts {
        asked: vec![0; batches],
        bad: vec![0; batches],
    };
    let mut counter = Counter {
        questions,
        counts: vec![empty; questions.len()],
        batch: None,
        ended: 0,
        request_time_ns: 0.0,
    };
    let offset_ns = |i: u32| scatter(i, Duration::from_nanos(spread_ns)).as_nanos() as u64;
    loop_.hand_over(streams, offset_ns, &mut counter);
    let warm = each.max(u64::from(streams) * 10);
    while counter.ended < warm + batches as u64 * each {
        loop_.advance(&mut counter);
        counter.batch = counter
            .ended
            .checked_sub(warm)
            .map(|counted| ((counted / each) as usize).min(batches - 1));
    }
    counter.counts
}
