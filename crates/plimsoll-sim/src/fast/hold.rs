//! A long hold at one load, counted without records: the truth of a model engine.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::schedule::scatter;
use plimsoll_core::workload::{Lengths, ThinkTime};

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

/// What a long hold saw of one measure: how many requests have it, and its sum over them, in batches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HoldSums {
    /// Requests that have it, by batch.
    pub asked: Vec<u32>,
    /// Their sum, by batch.
    pub sum: Vec<f64>,
}

/// A question put to each request that ended: (failed, TTFT ms, TPOT ms); `None` if it has no answer.
pub type Ask<'a> = &'a dyn Fn(bool, f64, Option<f64>) -> Option<bool>;

/// A number of each request that ended, by the same; `None` if it has none.
pub type Measure<'a> = &'a dyn Fn(bool, f64, Option<f64>) -> Option<f64>;

/// The load of a long hold, and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct LongHold {
    /// Concurrent streams.
    pub streams: u32,
    /// Their starts are spread over this, ns.
    pub spread_ns: u64,
    /// How they wait before their next request.
    pub think: Option<ThinkTime>,
    /// Batches, and requests of each.
    pub batches: (usize, u64),
}

struct Counter<'a> {
    measures: &'a [Measure<'a>],
    counts: Vec<HoldSums>,
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
        for (measure, hold) in self.measures.iter().zip(&mut self.counts) {
            if let Some(value) = measure(fate != Fate::Completed, ttft_ms, tpot_ms) {
                hold.asked[batch] += 1;
                hold.sum[batch] += value;
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
    batches: (usize, u64),
    questions: &[Ask<'_>],
) -> Vec<HoldCounts> {
    let as_number = |question: Ask<'_>, request: (bool, f64, Option<f64>)| {
        let (failed, ttft_ms, tpot_ms) = request;
        question(failed, ttft_ms, tpot_ms).map(|bad| f64::from(u8::from(bad)))
    };
    let measures: Vec<_> = questions
        .iter()
        .map(|question| move |failed, ttft, tpot| as_number(*question, (failed, ttft, tpot)))
        .collect();
    let measures: Vec<Measure<'_>> = measures.iter().map(|one| one as Measure<'_>).collect();
    let load = LongHold {
        streams,
        spread_ns,
        think: None,
        batches,
    };
    let sums = hold_sums(engine, lengths, seed, load, &measures);
    let counted = |one: HoldSums| HoldCounts {
        asked: one.asked,
        bad: one.sum.into_iter().map(|sum| sum as u32).collect(),
    };
    sums.into_iter().map(counted).collect()
}

/// The same of numbers, with streams that may think; one [`HoldSums`] a measure.
pub fn hold_sums(
    engine: FastEngine,
    lengths: &Arc<[Lengths]>,
    seed: u64,
    load: LongHold,
    measures: &[Measure<'_>],
) -> Vec<HoldSums> {
    let (batches, each) = load.batches;
    let mut loop_ = Streams::new(engine, Arc::clone(lengths), seed);
    loop_.think = load.think;
    let empty = HoldSums {
        asked: vec![0; batches],
        sum: vec![0.0; batches],
    };
    let mut counter = Counter {
        measures,
        counts: vec![empty; measures.len()],
        batch: None,
        ended: 0,
        request_time_ns: 0.0,
    };
    let spread = Duration::from_nanos(load.spread_ns);
    let offset_ns = |i: u32| scatter(i, spread).as_nanos() as u64;
    loop_.hand_over(load.streams, offset_ns, &mut counter);
    let warm = each.max(u64::from(load.streams) * 10);
    while counter.ended < warm + batches as u64 * each {
        loop_.advance(&mut counter);
        counter.batch = counter
            .ended
            .checked_sub(warm)
            .map(|counted| ((counted / each) as usize).min(batches - 1));
    }
    counter.counts
}
