//! What a perfect client would have reported, from the server's own stamps.
//!
//! A request is received when its body has been read; an event is sent when its bytes are handed
//! to the HTTP writer. Between that and the socket lie microseconds, so a client's figures should
//! exceed these by its network and by its own lateness, and by nothing else.

use super::runner::lock;
use super::script::Outcome;
use serde::Serialize;
use std::sync::{Arc, Mutex};

/// The server's account of what it has served since the start or the last reset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// Requests answered in full.
    pub n_completed: u64,
    /// Requests refused or spoilt by the server.
    pub n_failed: u64,
    /// Requests whose client hung up before the end.
    pub n_cancelled: u64,
    /// Requests received and not yet ended.
    pub in_flight: u64,
    /// Most of them at any moment.
    pub peak_in_flight: u64,
    /// First output event − receipt, in ms, of completed streams; `None` if there is none.
    pub ttft_ms: Option<Latency>,
    /// Gaps between successive output events, in ms, pooled over completed streams.
    pub itl_ms: Option<Latency>,
    /// Last output event (or the whole response, if not streamed) − receipt, in ms.
    pub e2e_ms: Option<Latency>,
    /// Output tokens of completed requests.
    pub output_tokens: u64,
    /// Prompt tokens of completed requests.
    pub prompt_tokens: u64,
}

/// Exact statistics of a set of latencies; quantiles interpolate linearly, as numpy does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Number of values; ≥ 1.
    pub n: usize,
    /// Mean, in ms.
    pub mean: f64,
    /// Median, in ms.
    pub p50: f64,
    /// 0.90 quantile, in ms.
    pub p90: f64,
    /// 0.95 quantile, in ms.
    pub p95: f64,
    /// 0.99 quantile, in ms.
    pub p99: f64,
    /// Largest value, in ms.
    pub max: f64,
}

impl Latency {
    fn of(mut values: Vec<f32>) -> Option<Self> {
        values.sort_unstable_by(f32::total_cmp);
        let max = f64::from(*values.last()?);
        let quantile = |q: f64| {
            let at = q * (values.len() - 1) as f64;
            let below = f64::from(values[at.floor() as usize]);
            let above = f64::from(values[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        Some(Self {
            n: values.len(),
            mean: values.iter().map(|&ms| f64::from(ms)).sum::<f64>() / values.len() as f64,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p95: quantile(0.95),
            p99: quantile(0.99),
            max,
        })
    }
}

/// Collects the endings of requests.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    state: Mutex<State>,
}

/// Latencies are kept as f32 ms: 2 ns of rounding at 20 ms, half the memory of an hour's soak.
#[derive(Debug, Default, Clone)]
struct State {
    epoch: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    in_flight: u64,
    peak: u64,
    ttft: Vec<f32>,
    itl: Vec<f32>,
    e2e: Vec<f32>,
    output_tokens: u64,
    prompt_tokens: u64,
}

impl Recorder {
    pub(super) fn truth(&self) -> Truth {
        // Copied, so that sorting millions of gaps does not hold up the streams.
        let state = lock(&self.state).clone();
        Truth {
            n_completed: state.completed,
            n_failed: state.failed,
            n_cancelled: state.cancelled,
            in_flight: state.in_flight,
            peak_in_flight: state.peak,
            ttft_ms: Latency::of(state.ttft),
            itl_ms: Latency::of(state.itl),
            e2e_ms: Latency::of(state.e2e),
            output_tokens: state.output_tokens,
            prompt_tokens: state.prompt_tokens,
        }
    }

    /// Forgets everything; requests in flight stay counted as such, but their endings will not be.
    pub(super) fn reset(&self) {
        let mut state = lock(&self.state);
        *state = State {
            epoch: state.epoch + 1,
            in_flight: state.in_flight,
            peak: state.in_flight,
            ..State::default()
        };
    }

    /// Opens the account of a request received at `received_ns`.
    pub(super) fn open(self: &Arc<Self>, received_ns: u64) -> Ticket {
        let mut state = lock(&self.state);
        state.in_flight += 1;
        state.peak = state.peak.max(state.in_flight);
        Ticket {
            recorder: Arc::clone(self),
            epoch: state.epoch,
            received_ns,
            first_ns: None,
            last_ns: received_ns,
            gaps: Vec::new(),
            outcome: None,
            prompt_tokens: 0,
            output_tokens: 0,
        }
    }

    fn close(&self, ticket: &mut Ticket) {
        let mut state = lock(&self.state);
        state.in_flight -= 1;
        if ticket.epoch != state.epoch {
            return;
        }
        match ticket.outcome {
            None => state.cancelled += 1,
            Some(Outcome::Failed) => state.failed += 1,
            Some(Outcome::Completed) => {
                let since = |at_ns: u64| ((at_ns - ticket.received_ns) as f64 / 1e6) as f32;
                state.completed += 1;
                state.ttft.extend(ticket.first_ns.map(since));
                state.itl.append(&mut ticket.gaps);
                state.e2e.push(since(ticket.last_ns));
                state.output_tokens += u64::from(ticket.output_tokens);
                state.prompt_tokens += u64::from(ticket.prompt_tokens);
            }
        }
    }
}

/// The account of one request; entered when dropped. Without an outcome, its client has hung up.
#[derive(Debug)]
pub(super) struct Ticket {
    recorder: Arc<Recorder>,
    epoch: u64,
    received_ns: u64,
    first_ns: Option<u64>,
    last_ns: u64,
    gaps: Vec<f32>,
    outcome: Option<Outcome>,
    prompt_tokens: u32,
    output_tokens: u32,
}

impl Ticket {
    pub(super) fn prompt(&mut self, tokens: u32) {
        self.prompt_tokens = tokens;
    }

    /// Enters an output event handed over at `now_ns`.
    pub(super) fn output(&mut self, now_ns: u64, tokens: u32) {
        if self
            .first_ns
            .replace(self.first_ns.unwrap_or(now_ns))
            .is_some()
        {
            self.gaps
                .push(((now_ns - self.last_ns) as f64 / 1e6) as f32);
        }
        self.last_ns = now_ns;
        self.output_tokens += tokens;
    }

    /// Enters a response handed over as a whole, which has no first token to speak of.
    pub(super) fn whole(&mut self, now_ns: u64, tokens: u32) {
        self.last_ns = now_ns;
        self.output_tokens = tokens;
    }

    /// Takes an outcome entered in advance back: from now on, only the client can end it early.
    pub(super) fn reopen(&mut self) {
        self.outcome = None;
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        Arc::clone(&self.recorder).close(self);
    }
}

#[cfg(test)]
mod tests {
    use super::{Latency, Recorder};
    use crate::server::script::Outcome;
    use std::sync::Arc;

    #[test]
    fn quantiles_are_numpys() {
        let latency = Latency::of(vec![4.0, 1.0, 3.0, 2.0]).expect("four values");
        assert!((latency.p50 - 2.5).abs() < 1e-9);
        assert!((latency.p90 - 3.7).abs() < 1e-9);
        assert!((latency.mean - 2.5).abs() < 1e-9);
        assert_eq!(Latency::of(Vec::new()), None);
    }

    #[test]
    fn only_completed_requests_enter_latencies_and_a_reset_forgets() {
        let recorder = Arc::new(Recorder::default());
        let mut good = recorder.open(0);
        let mut bad = recorder.open(0);
        for (at_ms, ticket) in [(10, &mut good), (30, &mut bad)] {
            ticket.output(at_ms * 1_000_000, 1);
            ticket.output(2 * at_ms * 1_000_000, 1);
        }
        good.end(Outcome::Completed);
        bad.end(Outcome::Failed);
        drop((good, bad, recorder.open(0)));
        let truth = recorder.truth();
        assert_eq!(
            (truth.n_completed, truth.n_failed, truth.n_cancelled),
            (1, 1, 1)
        );
        assert_eq!(
            (truth.in_flight, truth.peak_in_flight, truth.output_tokens),
            (0, 3, 2)
        );
        let itl = truth.itl_ms.expect("one gap");
        assert!((itl.max - 10.0).abs() < 1e-6);
        let late = recorder.open(0);
        recorder.reset();
        assert_eq!(recorder.truth().peak_in_flight, 1);
        drop(late);
        assert_eq!(recorder.truth().n_cancelled, 0, "it began before the reset");
    }
}
