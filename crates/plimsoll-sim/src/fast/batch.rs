//! A fixed number of requests, or a fixed time, at one load with all streams started at once: how
//! other tools measure a point.

use std::sync::Arc;

use plimsoll_core::workload::Lengths;

use super::engine::FastEngine;
use super::streams::{Fate, Flight, Streams, Watch};

/// What a client would have measured of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Time to first token; `None` of a request that failed.
    pub ttft_ms: Option<f64>,
    /// Time per output token after the first; `None` below two tokens.
    pub tpot_ms: Option<f64>,
}

/// A point as other tools measure it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Requests that ended, in that order.
    pub requests: Vec<Timing>,
    /// From the start until the last stream had nothing more to send, s.
    pub load_time_s: f64,
}

struct Timer {
    batch: Batch,
    /// Requests with a number from here on do not count.
    most: u64,
    sent: u64,
}

impl Watch for Timer {
    fn sent(&mut self, flight: &Flight) {
        self.sent = self.sent.max(flight.request + 1);
    }

    fn first(&mut self, _: &Flight, _: u64) {}

    fn ended(&mut self, flight: &Flight, at_ns: u64, fate: Fate) {
        if flight.request >= self.most {
            return;
        }
        let ms = |ns: u64| ns as f64 / 1e6;
        let first = flight.first_ns.filter(|_| fate == Fate::Completed);
        let gaps = flight.lengths.output_tokens - 1;
        self.batch.requests.push(Timing {
            ttft_ms: first.map(|first| ms(first - flight.sent_ns)),
            tpot_ms: first
                .filter(|_| gaps > 0)
                .map(|first| ms(at_ns - first) / f64::from(gaps)),
        });
    }

    fn back_off_ns(&self) -> u64 {
        // None of them waits after a refusal.
        1_000_000
    }
}

/// Runs `streams` streams, all at once, until `requests` have been sent and have ended, or for
/// `longest_s`, s, after which nothing more counts.
pub fn batch(
    engine: FastEngine,
    lengths: &Arc<[Lengths]>,
    seed: u64,
    streams: u32,
    requests: u64,
    longest_s: f64,
) -> Batch {
    let mut running = Streams::new(engine, Arc::clone(lengths), seed);
    let mut timer = Timer {
        batch: Batch::default(),
        most: requests,
        sent: 0,
    };
    running.hand_over(streams, |_| 0, &mut timer);
    loop {
        let now_s = running.now_ns as f64 / 1e9;
        if timer.sent < requests {
            timer.batch.load_time_s = now_s;
        } else {
            running.count = 0;
        }
        let all_ended = timer.batch.requests.len() as u64 >= requests;
        if all_ended || now_s >= longest_s {
            return timer.batch;
        }
        running.advance(&mut timer);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Trouble;
    use super::*;
    use crate::engine::EngineParams;

    fn engine() -> FastEngine {
        let params = EngineParams {
            step_base_us: 10_000.0,
            prefill_us_per_token: 0.0,
            sequence_us: 0.0,
            kv_us_per_token: 0.0,
            max_num_seqs: 4,
            max_num_batched_tokens: 1_000,
            kv_blocks: 1_000,
            block_tokens: 16,
            queue_limit: None,
            jitter_cv: 0.0,
            prefix_cache: false,
            max_model_len: 8_192,
        };
        FastEngine::new(params, Trouble::default(), 1)
    }

    fn lengths() -> Arc<[Lengths]> {
        let one = Lengths {
            input_tokens: 10,
            output_tokens: 11,
        };
        vec![one; 8].into()
    }

    #[test]
    fn every_request_is_timed_once() {
        // Four at a time, 11 steps of 10 ms each; those beyond four wait for a whole request.
        let batch = batch(engine(), &lengths(), 1, 8, 16, f64::INFINITY);
        assert_eq!(batch.requests.len(), 16);
        assert!(batch.requests.iter().all(|one| one.tpot_ms == Some(10.0)));
        let waits = batch
            .requests
            .iter()
            .filter(|one| one.ttft_ms > Some(100.0))
            .count();
        assert_eq!(waits, 12, "all but the first four");
    }

    #[test]
    fn a_time_ends_it_too() {
        let batch = batch(engine(), &lengths(), 1, 4, u64::MAX, 1.0);
        // 1 s holds nine whole requests of 110 ms on each of four streams.
        assert_eq!(batch.requests.len(), 36);
    }
}
