//! The ledger of a level: who is in flight, who ended and how. Nothing that was due gets lost:
//! carried in + due = ended + carried out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::quote::quoted;
use crate::record::{InFlight, LoadEvent, RequestRecord, RequestTrace};
use crate::time::Offset;

/// Counts of a level, exact: `carried_in + due = Σ outcomes + carried_out`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RequestCounts {
    /// In flight, or waiting in the client, when the level began.
    pub carried_in: u64,
    /// Became due during the level.
    pub due: u64,
    /// Ended during the level, by outcome: `completed`, `http_429`, `timed_out` …
    pub outcomes: BTreeMap<String, u64>,
    /// What the server or the transport said of the first failure of each kind, by the same keys:
    /// on one line and bounded in length, see [`quoted`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub said: BTreeMap<String, String>,
    /// In flight, or waiting in the client, when the level ended; they go on in the next one.
    pub carried_out: u64,
    /// Completed within the window: what rates and latencies are of.
    pub completed_in_window: u64,
    /// Failed within the window.
    pub failed_in_window: u64,
}

/// The requests of one level.
#[derive(Debug, Default)]
pub struct RequestLedger {
    in_flight: BTreeMap<u64, InFlight>,
    /// Due, and not sent yet.
    waiting: BTreeMap<u64, InFlight>,
    ended: Vec<RequestRecord>,
    /// Whether the stamps of their outputs are kept.
    keeps_stamps: bool,
    /// Of those that ended, failures, and what was said of the first of each kind.
    failed: u64,
    said: BTreeMap<String, String>,
    carried_in: u64,
    due: u64,
    /// Time integrals of the numbers in flight and waiting, in request-nanoseconds, and their last
    /// change.
    area: u128,
    waiting_area: u128,
    changed_at: Offset,
}

impl RequestLedger {
    /// Opens the ledger at `now` with the requests that the last level left in flight.
    pub fn open(now: Offset, carried: Vec<InFlight>) -> Self {
        let carried_in = carried.len() as u64;
        let by_id = carried.into_iter().map(|one| (one.id, one));
        let (in_flight, waiting) = by_id.partition(|(_, one)| one.sent.is_some());
        Self {
            carried_in,
            in_flight,
            waiting,
            changed_at: now,
            ..Self::default()
        }
    }

    /// The same, which keeps the stamps of all outputs, if they are to be judged.
    pub fn with_stamps(self, keeps_stamps: bool) -> Self {
        Self {
            keeps_stamps,
            ..self
        }
    }

    /// Enters an event.
    pub fn enter(&mut self, event: &LoadEvent) {
        match *event {
            LoadEvent::Due(request) => {
                self.advance(request.due);
                self.due += 1;
                let _ = self.waiting.insert(request.id, request);
            }
            LoadEvent::Sent(request) => {
                let sent = request.sent.unwrap_or(request.due);
                self.advance(sent);
                // What is told late counts from when it was.
                self.area += self.told_late(sent);
                if self.waiting.remove(&request.id).is_none() {
                    self.due += 1;
                }
                let _ = self.in_flight.insert(request.id, request);
            }
            LoadEvent::First { id, at, doubt } => {
                if let Some(request) = self.in_flight.get_mut(&id) {
                    request.first = Some(at);
                    request.doubt = doubt;
                }
            }
            LoadEvent::Heard { id, at } => {
                if let Some(request) = self.in_flight.get_mut(&id) {
                    request.heard = Some(at);
                }
            }
            LoadEvent::Ended(ref request) => self.end(request),
        }
    }

    fn end(&mut self, request: &RequestTrace) {
        self.advance(request.done);
        let in_flight = self.in_flight.remove(&request.id);
        if in_flight.is_some() {
            self.area = self.area.saturating_sub(self.told_late(request.done));
        }
        if in_flight.or(self.waiting.remove(&request.id)).is_none() {
            self.due += 1;
        }
        let mut record = request.to_record(self.keeps_stamps);
        let detail = record.detail.take();
        if record.outcome.is_failure() {
            self.failed += 1;
            if let Some(detail) = detail {
                let said = self.said.entry(record.outcome.key());
                let _ = said.or_insert_with(|| quoted(&detail));
            }
        }
        self.ended.push(record);
    }

    /// Number in flight.
    pub fn in_flight_count(&self) -> usize {
        self.in_flight.len()
    }

    /// Requests that are due and have not ended: those in flight, then those that wait.
    pub fn in_flight(&self) -> Vec<InFlight> {
        let waiting = self.waiting.values();
        self.in_flight.values().chain(waiting).copied().collect()
    }

    /// Whether a stream of a closed loop has a request in flight.
    pub fn has_streams(&self) -> bool {
        self.in_flight.values().any(|one| !one.is_on_schedule())
    }

    /// Requests that ended on this level, in the order they were entered.
    pub fn ended(&self) -> &[RequestRecord] {
        &self.ended
    }

    /// How many of them failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Time integral of the number in flight up to `now`, in stream-seconds.
    pub fn stream_seconds(&mut self, now: Offset) -> f64 {
        self.advance(now);
        self.area as f64 / 1e9
    }

    /// Time integral of the number that waits in the client up to `now`, in request-seconds.
    pub fn waiting_seconds(&mut self, now: Offset) -> f64 {
        self.advance(now);
        self.waiting_area as f64 / 1e9
    }

    /// The counts at the end of a level, with the window's bounds.
    pub fn counts(&self, from: Offset, to: Offset) -> RequestCounts {
        let mut counts = RequestCounts {
            carried_in: self.carried_in,
            due: self.due,
            carried_out: (self.in_flight.len() + self.waiting.len()) as u64,
            said: self.said.clone(),
            ..RequestCounts::default()
        };
        for record in &self.ended {
            *counts.outcomes.entry(record.outcome.key()).or_default() += 1;
            if record.done >= from && record.done <= to {
                counts.completed_in_window += u64::from(record.outcome == Outcome::Completed);
                counts.failed_in_window += u64::from(record.outcome.is_failure());
            }
        }
        counts
    }

    /// Closes the ledger: the records, and who is still in flight.
    pub fn close(self) -> (Vec<RequestRecord>, Vec<InFlight>) {
        let in_flight = self.in_flight();
        (self.ended, in_flight)
    }

    /// How long ago, in ns, something was that is told only now: a client that is late to read
    /// learns of an end after the server has had less to do for a while.
    fn told_late(&self, at: Offset) -> u128 {
        self.changed_at.since(at).as_nanos()
    }

    /// Events of several workers come nearly, not exactly, in order: time never runs back.
    fn advance(&mut self, now: Offset) {
        let span = now.since(self.changed_at).as_nanos();
        self.area += span * self.in_flight.len() as u128;
        self.waiting_area += span * self.waiting.len() as u128;
        self.changed_at = self.changed_at.max(now);
    }
}

impl RequestCounts {
    /// Requests that ended, in whichever way. Of a damaged file the counts may be any.
    pub fn ended(&self) -> u64 {
        self.outcomes.values().copied().fold(0, u64::saturating_add)
    }

    /// The invariant of the ledger.
    pub fn balance(&self) -> bool {
        let ended: u128 = self.outcomes.values().copied().map(u128::from).sum();
        let came = u128::from(self.carried_in) + u128::from(self.due);
        came == ended + u128::from(self.carried_out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Doubt;
    use crate::record::tests::{end_of, record};

    fn sent(id: u64, at_ms: u64) -> LoadEvent {
        let at = Offset::from_nanos(at_ms * 1_000_000);
        LoadEvent::Sent(InFlight {
            sent: Some(at),
            ..due(id, at_ms)
        })
    }

    fn due(id: u64, at_ms: u64) -> InFlight {
        let at = Offset::from_nanos(at_ms * 1_000_000);
        InFlight {
            id,
            level: 0,
            stream: 0,
            due: at,
            ready: at,
            sent: None,
            first: None,
            heard: None,
            doubt: Doubt::default(),
        }
    }

    fn ended(id: u64, at_ms: u64, outcome: Outcome) -> LoadEvent {
        failed(id, at_ms, outcome, None)
    }

    fn failed(id: u64, at_ms: u64, outcome: Outcome, said: Option<&str>) -> LoadEvent {
        end_of(RequestRecord {
            id,
            outcome,
            detail: said.map(str::to_owned),
            ..record(at_ms, &[])
        })
    }

    #[test]
    fn the_integral_of_in_flight_is_exact() {
        let mut ledger = RequestLedger::open(Offset::ZERO, Vec::new());
        ledger.enter(&sent(1, 1_000));
        ledger.enter(&sent(2, 2_000));
        ledger.enter(&ended(1, 4_000, Outcome::Completed));
        let total = ledger.stream_seconds(Offset::from_nanos(5_000_000_000));
        assert!((total - (1.0 + 4.0 + 1.0)).abs() < 1e-9, "{total}");
    }

    /// The kernel stamps an end that the client reads late: the server had one less since then.
    #[test]
    fn an_end_that_is_read_late_counts_from_its_stamp() {
        let mut ledger = RequestLedger::open(Offset::ZERO, Vec::new());
        ledger.enter(&sent(1, 0));
        ledger.enter(&sent(2, 1_500));
        ledger.enter(&ended(1, 1_000, Outcome::Completed));
        let total = ledger.stream_seconds(Offset::from_nanos(2_000_000_000));
        assert!((total - (1.0 + 0.5)).abs() < 1e-9, "{total}");
    }

    #[test]
    fn a_request_that_waits_is_due_and_not_in_flight() {
        let at_s = |s: u64| Offset::from_nanos(s * 1_000_000_000);
        let mut ledger = RequestLedger::open(Offset::ZERO, vec![due(1, 0)]);
        ledger.enter(&LoadEvent::Due(due(2, 1_000)));
        assert_eq!((ledger.in_flight_count(), ledger.in_flight().len()), (0, 2));
        ledger.enter(&sent(1, 2_000));
        ledger.enter(&ended(1, 4_000, Outcome::Completed));
        assert!((ledger.stream_seconds(at_s(5)) - 2.0).abs() < 1e-9);
        assert!((ledger.waiting_seconds(at_s(5)) - (1.0 + 2.0 + 3.0)).abs() < 1e-9);
        let counts = ledger.counts(Offset::ZERO, at_s(5));
        assert_eq!(
            (counts.carried_in, counts.due, counts.carried_out),
            (1, 1, 1)
        );
        assert!(counts.balance());
    }

    #[test]
    fn the_first_words_of_each_failure_are_kept() {
        let busy = Outcome::HttpStatus { status: 503 };
        let mut ledger = RequestLedger::open(Offset::ZERO, Vec::new());
        ledger.enter(&failed(1, 10, busy, Some("busy\nnow")));
        ledger.enter(&failed(2, 10, busy, Some("still busy")));
        ledger.enter(&failed(3, 10, Outcome::CutAtEnd, Some("cut")));
        let counts = ledger.counts(Offset::ZERO, Offset::from_nanos(u64::MAX));
        assert_eq!(counts.outcomes["http_503"], 2);
        assert_eq!(
            counts.said,
            [("http_503".to_owned(), "busy now".to_owned())].into()
        );
    }

    #[test]
    fn a_request_never_sent_is_due_all_the_same() {
        let mut ledger = RequestLedger::open(Offset::ZERO, Vec::new());
        ledger.enter(&ended(1, 10, Outcome::NeverSent));
        let counts = ledger.counts(Offset::ZERO, Offset::from_nanos(u64::MAX));
        assert_eq!((counts.due, counts.outcomes["never_sent"]), (1, 1));
        assert!(counts.balance());
    }

    proptest! {
        #[test]
        fn nothing_that_was_due_gets_lost(
            carried in 0u64..5,
            ops in prop::collection::vec((0u64..40, 0u8..4), 0..200),
        ) {
            let carried: Vec<InFlight> = (0..carried)
                .map(|id| InFlight { sent: (id % 2 == 0).then_some(Offset::ZERO), ..due(id, 0) })
                .collect();
            let mut live: Vec<u64> = carried.iter().map(|one| one.id).collect();
            let mut ledger = RequestLedger::open(Offset::ZERO, carried);
            let mut next = 100;
            for (pick, op) in ops {
                if op < 2 || live.is_empty() {
                    ledger.enter(&if op == 0 { sent(next, next) } else { LoadEvent::Due(due(next, next)) });
                    live.push(next);
                    next += 1;
                } else {
                    let id = live.swap_remove(pick as usize % live.len());
                    let outcome = [Outcome::Completed, Outcome::TimedOut][usize::from(op) % 2];
                    ledger.enter(&ended(id, next, outcome));
                }
            }
            let counts = ledger.counts(Offset::ZERO, Offset::ZERO);
            prop_assert!(counts.balance());
            prop_assert_eq!(counts.carried_out, live.len() as u64);
        }
    }
}
