//! One request: its stamps, its outcome, and everything that derives from them.

mod doubt;
mod event;
mod line;
mod outputs;
mod trace;

use std::time::Duration;

pub use doubt::{Doubt, Ends, LEAST_DOUBT};
pub use event::{InFlight, LoadEvent, TELLS_EVERY};
pub use line::RequestLine;
pub use outputs::Outputs;
use serde::{Deserialize, Serialize};
pub use trace::RequestTrace;

use crate::outcome::Outcome;
use crate::time::{Offset, ms};

/// An event of an answer's stream, stamped when its bytes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEvent {
    /// Receive stamp of the bytes that carried the event.
    pub at: Offset,
    /// Whether it carried output text: role-only and empty deltas do not.
    pub output: bool,
}

/// Where the number of output tokens comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The server's own `usage`.
    Usage,
    /// No `usage`: output events were counted, one token each.
    Events,
}

/// The stream of a request that belongs to none: it came on the schedule of an open loop.
pub const ON_SCHEDULE: u32 = u32::MAX;

/// How long the parts of a connection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectTimes {
    /// TCP, with the addresses that failed before.
    pub tcp: Duration,
    /// The proxy's answer to CONNECT or SOCKS; `None` without a proxy, or where none is asked.
    pub proxy: Option<Duration>,
    /// The TLS handshake; `None` for a plain connection.
    pub tls: Option<Duration>,
}

/// The record of one request, of one size however long its answer was. All stamps are offsets on the
/// run's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Number of the request within the run; each worker numbers its own in steps of their count.
    pub id: u64,
    /// Index of the level in which the request became due.
    pub level: u32,
    /// The virtual client that sent it, or [`ON_SCHEDULE`].
    pub stream: u32,
    /// When the schedule wanted it sent.
    pub due: Offset,
    /// From when on the client was free to send it: `due`, or when the place under a cap or the
    /// connection that it had to wait for was there.
    pub ready: Offset,
    /// Just before its first byte was handed to the kernel; `None` if it never was.
    pub sent: Option<Offset>,
    /// Its output, if any came.
    pub outputs: Option<Outputs>,
    /// The latest event with a `choices` array, with or without output.
    pub heard: Option<Offset>,
    /// The stamp of each output, where an objective needs them; else they are let go.
    pub stamps: Option<Box<[Offset]>>,
    /// When the answer ended, in whichever way: the stamp of what ended it, where bytes did.
    pub done: Offset,
    /// How far the stamps can be off by the client's own doing.
    pub doubt: Doubt,
    /// The way it ended.
    pub outcome: Outcome,
    /// Prompt length asked for, in tokens.
    pub asked_prompt_tokens: u32,
    /// Answer length asked for, in tokens.
    pub asked_output_tokens: u32,
    /// Prompt length by the server's `usage`.
    pub prompt_tokens: Option<u32>,
    /// Answer length by the server's `usage`, as far as it was streamed.
    pub usage_output_tokens: Option<u32>,
    /// Tokens of reasoning by the server's `usage` that were not streamed; in no other count.
    pub hidden_output_tokens: Option<u32>,
    /// The server's `usage` states a count that cannot be, so that it is absent here.
    pub usage_disbelieved: bool,
    /// What the server or the transport said of a failure; at most 300 characters.
    pub detail: Option<String>,
}

impl RequestRecord {
    /// First event that carries output.
    pub fn first(&self) -> Option<Offset> {
        self.outputs.map(|outputs| outputs.first)
    }

    /// Last event that carries output.
    pub fn last(&self) -> Option<Offset> {
        self.outputs.map(|outputs| outputs.last)
    }

    /// The request as it was before it ended, as far as that is known.
    pub fn as_in_flight(&self) -> InFlight {
        InFlight {
            id: self.id,
            level: self.level,
            stream: self.stream,
            due: self.due,
            ready: self.ready,
            sent: self.sent,
            first: self.first(),
            heard: self.heard,
            doubt: self.doubt,
        }
    }

    /// Whether it came on the schedule of an open loop.
    pub fn is_on_schedule(&self) -> bool {
        self.stream == ON_SCHEDULE
    }

    /// From where its latencies count: a stream's from the send, an arrival's from its due time,
    /// whatever kept it in the client. `None` if a stream never sent it.
    pub fn start(&self) -> Option<Offset> {
        if self.is_on_schedule() {
            Some(self.due)
        } else {
            self.sent
        }
    }

    /// Sent − due, in ms.
    pub fn send_lag_ms(&self) -> Option<f64> {
        self.sent.map(|sent| sent.ms_since(self.due))
    }

    /// The tool's own lateness: sent − ready, in ms.
    pub fn lateness_ms(&self) -> Option<f64> {
        self.sent.map(|sent| sent.ms_since(self.ready))
    }

    /// Time to first token from its start, in ms.
    pub fn ttft_ms(&self) -> Option<f64> {
        Some(self.first()?.ms_since(self.start()?))
    }

    /// Time to first token from `due`, in ms: what a user of an open-loop service feels.
    pub fn ttft_from_due_ms(&self) -> Option<f64> {
        Some(self.first()?.ms_since(self.due))
    }

    /// Last output − start, in ms.
    pub fn e2e_ms(&self) -> Option<f64> {
        Some(self.last()?.ms_since(self.start()?))
    }

    /// Output tokens that were streamed and where the count comes from; `None` without output.
    pub fn output_tokens(&self) -> Option<(u32, TokenSource)> {
        match self.usage_output_tokens {
            Some(tokens) if tokens > 0 => Some((tokens, TokenSource::Usage)),
            _ => self
                .outputs
                .map(|outputs| (outputs.events, TokenSource::Events)),
        }
    }

    /// Whether an answer of several tokens came at one moment: it was not streamed, or something on
    /// its way gathered it.
    pub fn came_in_one_piece(&self) -> bool {
        self.output_tokens().is_some_and(|(tokens, _)| tokens > 1) && self.first() == self.last()
    }

    /// Time per output token after the first, in ms: (last − first) / (tokens − 1).
    /// Absent below 2 tokens, and where all output came in one read and so has no span.
    pub fn tpot_ms(&self) -> Option<f64> {
        let (tokens, _) = self.output_tokens()?;
        let (first, last) = (self.first()?, self.last()?);
        (tokens >= 2 && last > first).then(|| ms(last.since(first)) / f64::from(tokens - 1))
    }

    /// Tokens per second of this one stream: 1 / TPOT (单路速度).
    pub fn speed_tok_per_s(&self) -> Option<f64> {
        self.tpot_ms()
            .filter(|tpot| *tpot > 0.0)
            .map(|tpot| 1e3 / tpot)
    }

    /// Gaps between successive output events: the end of each gap, and its length in ms. `None` where
    /// output came and its stamps were let go.
    pub fn gaps(&self) -> Option<impl Iterator<Item = (Offset, f64)> + '_> {
        let stamps = match (&self.stamps, self.outputs) {
            (Some(stamps), _) => stamps.as_ref(),
            (None, None) => &[],
            (None, Some(_)) => return None,
        };
        let pairs = stamps.windows(2);
        Some(pairs.map(|pair| (pair[1], pair[1].ms_since(pair[0]))))
    }

    /// The largest gap between output events, in ms.
    pub fn stall_ms(&self) -> Option<f64> {
        self.outputs?.longest_gap.map(ms)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A completed request of stream 0: sent at `sent_ms`, output events at the given times.
    pub(crate) fn record(sent_ms: u64, outputs_ms: &[u64]) -> RequestRecord {
        trace(sent_ms, outputs_ms).to_record(true)
    }

    /// The same with its events.
    pub(crate) fn trace(sent_ms: u64, outputs_ms: &[u64]) -> RequestTrace {
        let usage = u32::try_from(outputs_ms.len()).ok();
        let events = outputs_ms.iter().map(|&t| output(t)).collect();
        RequestTrace::new(
            without_output(sent_ms, outputs_ms.last().copied(), usage),
            events,
        )
    }

    /// The end of a request that [`record`] made.
    pub(crate) fn end_of(mut record: RequestRecord) -> LoadEvent {
        let stamps = record.stamps.take().unwrap_or_default();
        let output = |&at| StreamEvent { at, output: true };
        let events = stamps.iter().map(output).collect();
        LoadEvent::Ended(Box::new(RequestTrace::new(record, events)))
    }

    /// An output event.
    pub(crate) fn output(at_ms: u64) -> StreamEvent {
        StreamEvent {
            at: Offset::from_nanos(at_ms * 1_000_000),
            output: true,
        }
    }

    /// A completed request of stream 0 of whose output nothing is said.
    fn without_output(sent_ms: u64, done_ms: Option<u64>, usage: Option<u32>) -> RequestRecord {
        let at = |time_ms: u64| Offset::from_nanos(time_ms * 1_000_000);
        RequestRecord {
            id: 0,
            level: 0,
            stream: 0,
            due: at(sent_ms),
            ready: at(sent_ms),
            sent: Some(at(sent_ms)),
            outputs: None,
            heard: None,
            stamps: None,
            done: at(done_ms.unwrap_or(sent_ms)),
            doubt: Doubt::default(),
            outcome: Outcome::Completed,
            asked_prompt_tokens: 8,
            asked_output_tokens: 4,
            prompt_tokens: Some(8),
            usage_output_tokens: usage,
            hidden_output_tokens: None,
            usage_disbelieved: false,
            detail: None,
        }
    }

    #[test]
    fn latencies_follow_the_formulas_of_the_method() {
        let mut one = record(100, &[150, 170, 200]);
        one.due = Offset::from_nanos(90_000_000);
        assert_eq!(one.send_lag_ms(), Some(10.0));
        assert_eq!(one.ttft_ms(), Some(50.0));
        assert_eq!(one.ttft_from_due_ms(), Some(60.0));
        assert_eq!(one.e2e_ms(), Some(100.0));
        assert_eq!(one.tpot_ms(), Some(25.0));
        assert_eq!(one.speed_tok_per_s(), Some(40.0));
        assert_eq!(one.stall_ms(), Some(30.0));
        assert_eq!(
            one.gaps().unwrap().map(|(_, gap)| gap).collect::<Vec<_>>(),
            vec![20.0, 30.0]
        );
    }

    #[test]
    fn a_role_only_event_is_not_the_first_token() {
        let role = StreamEvent {
            output: false,
            ..output(2)
        };
        let (sent, last) = (without_output(0, Some(300), Some(2)), output(200));
        let one = RequestTrace::new(sent, vec![role, last]);
        assert_eq!((one.ttft_ms(), one.heard), (Some(200.0), Some(last.at)));
    }

    #[test]
    fn gaps_are_unknown_once_the_stamps_are_let_go() {
        let all = trace(0, &[150, 170, 200]);
        let lean = all.to_record(false);
        assert!(lean.gaps().is_none());
        let full = all.to_record(true);
        assert_eq!(
            lean,
            RequestRecord {
                stamps: None,
                ..full.clone()
            }
        );
        assert_eq!(full.gaps().unwrap().count(), 2);
        let nothing = trace(0, &[]).to_record(false);
        assert_eq!(nothing.gaps().unwrap().count(), 0, "there are none");
    }

    #[test]
    fn what_is_missing_is_absent_and_never_zero() {
        let one_token = record(0, &[10]);
        assert_eq!(one_token.tpot_ms(), None);
        assert_eq!(one_token.speed_tok_per_s(), None);
        assert_eq!(one_token.stall_ms(), None);
        let nothing = record(0, &[]);
        assert_eq!(nothing.ttft_ms(), None);
        assert_eq!(nothing.e2e_ms(), None);
        assert_eq!(nothing.output_tokens(), None);
    }

    #[test]
    fn a_whole_answer_in_one_event_has_no_tpot() {
        let mut one = record(0, &[100]);
        one.usage_output_tokens = Some(16);
        assert_eq!(one.tpot_ms(), None);
    }

    #[test]
    fn usage_counts_tokens_and_events_do_where_it_is_missing() {
        let mut one = record(0, &[10, 20]);
        one.usage_output_tokens = Some(4);
        assert_eq!(one.output_tokens(), Some((4, TokenSource::Usage)));
        one.usage_output_tokens = None;
        assert_eq!(one.output_tokens(), Some((2, TokenSource::Events)));
    }
}
