//! The numbers as `vllm bench serve` defines them (compat-vllm.md §4.1), also where better
//! definitions exist: what stands under vLLM's names means what it means there. The better ones
//! are in [`super::corrected`], under names of their own.
//!
//! One definition differs on purpose. A request is successful here if its answer came to its end
//! with output; vLLM also counts error events inside a stream, streams cut short and, without
//! noticing, answers without text as successes.

mod stats;
#[cfg(test)]
mod tests;

pub(crate) use stats::Summary;

use plimsoll_core::record::{RequestRecord, RequestTrace, StreamEvent};
use plimsoll_core::time::Offset;
use plimsoll_load::batch::{Batch, BatchRecord};

use super::metrics::{Goodput, Metric};

/// One request with vLLM's stamps, in seconds. A failed request has a latency and an answer length
/// of 0, and whatever else came until it failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    /// Whether it counts.
    pub(crate) success: bool,
    /// Whether it counts as failed; a request that an interrupt cut off does not.
    pub(crate) failed: bool,
    /// Prompt length: by the server, else as asked.
    pub(crate) input_tokens: u32,
    /// Answer length: by the server, else one token an event.
    pub(crate) output_tokens: u32,
    /// First event with choices − sent.
    pub(crate) ttft_s: f64,
    /// Gaps between events with choices.
    pub(crate) itls_s: Vec<f64>,
    /// Last event with choices − sent.
    pub(crate) latency_s: f64,
    /// When it was sent, on the run's clock.
    pub(crate) start_s: f64,
    /// Sent − due.
    pub(crate) queue_s: f64,
    /// Its output.
    pub(crate) text: String,
    /// What went wrong; empty for a success.
    pub(crate) error: String,
}

impl Request {
    fn new(one: &BatchRecord) -> Self {
        let record = &one.record;
        let sent = record.sent.unwrap_or_default();
        let at = |event: Option<&StreamEvent>| {
            event.map_or(0.0, |event| event.at.since(sent).as_secs_f64())
        };
        let success = record.outcome.is_completed();
        let output_tokens = record.output_tokens().map_or(0, |(tokens, _)| tokens);
        Self {
            success,
            failed: record.outcome.is_failure(),
            input_tokens: record.prompt_tokens.unwrap_or(record.asked_prompt_tokens),
            output_tokens: if success { output_tokens } else { 0 },
            ttft_s: at(record.events().first()),
            itls_s: record
                .events()
                .windows(2)
                .map(|pair| pair[1].at.since(pair[0].at).as_secs_f64())
                .collect(),
            latency_s: if success {
                at(record.events().last())
            } else {
                0.0
            },
            start_s: sent.as_secs_f64(),
            queue_s: record
                .sent
                .map_or(0.0, |sent| sent.since(record.due).as_secs_f64()),
            text: one.text.clone().unwrap_or_default(),
            error: if success {
                String::new()
            } else {
                error_text(record)
            },
        }
    }

    /// Time per output token after the first; `None` below two tokens.
    fn tpot_s(&self) -> Option<f64> {
        (self.output_tokens > 1)
            .then(|| (self.latency_s - self.ttft_s) / f64::from(self.output_tokens - 1))
    }

    fn is_good(&self, goodput: &Goodput) -> bool {
        let within = |seconds: f64, bound_ms: Option<f64>| {
            bound_ms.is_none_or(|bound| seconds <= bound / 1e3)
        };
        within(self.ttft_s, goodput.ttft_ms)
            && within(self.tpot_s().unwrap_or(0.0), goodput.tpot_ms)
            && within(self.latency_s, goodput.e2el_ms)
    }
}

/// The class of a failure and what the server or the transport said, on one line.
fn error_text(record: &RequestRecord) -> String {
    let detail = record.detail.as_deref().unwrap_or_default();
    let detail: Vec<&str> = detail.split_whitespace().collect();
    if detail.is_empty() {
        record.outcome.key()
    } else {
        format!("{}: {}", record.outcome.key(), detail.join(" "))
    }
}

/// The numbers of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Legacy {
    /// All requests, in the order of their indices.
    pub(crate) requests: Vec<Request>,
    /// Start to the end of the last request, seconds.
    pub(crate) duration_s: f64,
    /// Successful requests.
    pub(crate) completed: usize,
    /// Requests whose failure is the server's or the network's. What an interrupt cut off or never
    /// let start is neither.
    pub(crate) failed: usize,
    /// Prompt tokens of successful requests.
    pub(crate) input_tokens: u64,
    /// Output tokens of successful requests.
    pub(crate) output_tokens: u64,
    /// Good requests per second.
    pub(crate) goodput_per_s: Option<f64>,
    /// Most events within one second of a grid that starts with the first request.
    pub(crate) peak_tokens_per_s: f64,
    /// Most requests that touch one second of that grid.
    pub(crate) peak_requests: usize,
}

impl Legacy {
    /// Computes everything from the records.
    pub(crate) fn new(batch: &Batch, goodput: Option<&Goodput>) -> Self {
        let requests: Vec<Request> = batch.records.iter().map(Request::new).collect();
        let duration_s = batch.ended_at.since(batch.started_at).as_secs_f64();
        let successes = || requests.iter().filter(|request| request.success);
        let completed = successes().count();
        let failed = requests.iter().filter(|request| request.failed).count();
        let records: Vec<&RequestTrace> = batch
            .records
            .iter()
            .map(|one| &one.record)
            .filter(|record| record.outcome.is_completed())
            .collect();
        let (peak_tokens, peak_requests) = peaks(&records);
        let good = goodput.map(|bounds| successes().filter(|one| one.is_good(bounds)).count());
        Self {
            duration_s,
            completed,
            failed,
            input_tokens: successes().map(|one| u64::from(one.input_tokens)).sum(),
            output_tokens: successes().map(|one| u64::from(one.output_tokens)).sum(),
            goodput_per_s: good.map(|count| per_second(count as f64, duration_s)),
            peak_tokens_per_s: peak_tokens as f64,
            peak_requests,
            requests,
        }
    }

    /// Successful requests per second.
    pub(crate) fn requests_per_s(&self) -> f64 {
        per_second(self.completed as f64, self.duration_s)
    }

    /// Output tokens per second.
    pub(crate) fn output_tokens_per_s(&self) -> f64 {
        per_second(self.output_tokens as f64, self.duration_s)
    }

    /// Prompt and output tokens per second.
    pub(crate) fn tokens_per_s(&self) -> f64 {
        per_second(
            (self.input_tokens + self.output_tokens) as f64,
            self.duration_s,
        )
    }

    /// Mean, median, standard deviation and percentiles of a latency, over successful requests.
    pub(crate) fn summary(&self, metric: Metric, percentiles: &[f64]) -> Summary {
        let successes = self.requests.iter().filter(|request| request.success);
        let seconds: Vec<f64> = match metric {
            Metric::Ttft => successes.map(|one| one.ttft_s).collect(),
            Metric::Tpot => successes.filter_map(Request::tpot_s).collect(),
            Metric::Itl => successes
                .flat_map(|one| one.itls_s.iter().copied())
                .collect(),
            Metric::E2el => successes.map(|one| one.latency_s).collect(),
            Metric::ClientQueue => successes.map(|one| one.queue_s).collect(),
            Metric::E2elWithQueue => successes.map(|one| one.latency_s + one.queue_s).collect(),
        };
        Summary::new(
            seconds.into_iter().map(|value| value * 1e3).collect(),
            percentiles,
        )
    }
}

fn per_second(count: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { count / seconds } else { 0.0 }
}

/// Most events, and most requests, of any one-second bucket. Both ends of a request count, so a
/// bucket sees requests that were never in flight together: vLLM's definition.
fn peaks(records: &[&RequestTrace]) -> (usize, usize) {
    let Some(first) = records.iter().filter_map(|record| record.sent).min() else {
        return (0, 0);
    };
    let bucket = |at: Offset| usize::try_from(at.since(first).as_secs()).unwrap_or(usize::MAX);
    let last = records
        .iter()
        .filter_map(|record| {
            record
                .events()
                .last()
                .map(|event| event.at)
                .max(record.sent)
        })
        .max()
        .unwrap_or(first);
    let mut events = vec![0_usize; bucket(last) + 1];
    let mut requests = events.clone();
    for record in records {
        for event in record.events() {
            events[bucket(event.at)] += 1;
        }
        if let (Some(sent), Some(end)) = (record.sent, record.events().last()) {
            for count in &mut requests[bucket(sent)..=bucket(end.at)] {
                *count += 1;
            }
        }
    }
    let largest = |counts: Vec<usize>| counts.into_iter().max().unwrap_or(0);
    (largest(events), largest(requests))
}
