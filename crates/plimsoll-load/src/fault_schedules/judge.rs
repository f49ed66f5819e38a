//! Holds what the client recorded against what the server knows.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{RequestTrace, StreamEvent};
use plimsoll_core::time::Offset;

use super::log::{Attempt, Dialed, How, Log};
use super::truth::{Truth, is_sent_again};

/// A request as the client tells of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) record: RequestTrace,
    /// Its text, where that was kept.
    pub(super) text: Option<String>,
}

/// What the client was asked for.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Longest time of a request.
    pub(super) timeout: Duration,
    /// When requests may have been cut.
    pub(super) cuts: Vec<Offset>,
    /// A request may wait for a place without being told that it was free to go only then.
    pub(super) is_capped: bool,
    /// How often the client says that it sent a request again.
    pub(super) retries: u64,
}

/// The runtime's timer rounds up to this.
const TICK: Duration = Duration::from_millis(1);

/// A judge of one schedule.
pub(super) struct Judge<'a> {
    terms: &'a Terms,
    attempts: BTreeMap<u64, Vec<&'a Attempt>>,
    /// Attempts to connect that led to no request.
    dials: Vec<Dialed>,
    /// The server left out so many ends that the client may have stopped waiting for them.
    lacks_tails: bool,
    retries: u64,
    /// Requests that were cut at the moment at which they were to be sent again.
    ties: u64,
}

type Verdict = Result<(), String>;

fn must(is_so: bool, what: impl FnOnce() -> String) -> Verdict {
    if is_so { Ok(()) } else { Err(what()) }
}

/// Judges all records of a schedule.
///
/// # Errors
/// What is wrong, of the first that is.
pub(super) fn judge(terms: &Terms, log: &Log, told: &[Told]) -> Verdict {
    must(log.wrongs.is_empty(), || log.wrongs.join("; "))?;
    let mut judge = Judge::new(terms, log);
    for one in told {
        let verdict = judge.one(one);
        verdict.map_err(|what| format!("request {}: {what}\n{:#?}", one.record.id, one.record))?;
    }
    let unknown = judge.attempts.keys().next();
    must(unknown.is_none(), || {
        format!("{unknown:?} came and was not recorded")
    })?;
    let retries = judge.retries..=judge.retries + judge.ties;
    must(retries.contains(&terms.retries), || {
        format!(
            "sent again {retries:?} times, and counted {}",
            terms.retries
        )
    })
}

impl<'a> Judge<'a> {
    fn new(terms: &'a Terms, log: &'a Log) -> Self {
        let mut attempts: BTreeMap<u64, Vec<&Attempt>> = BTreeMap::new();
        for one in &log.attempts {
            attempts.entry(one.request).or_default().push(one);
        }
        let lacking = log.attempts.iter().filter(|one| Truth::of(one).lacks_tail);
        Self {
            terms,
            attempts,
            dials: log.dials.clone(),
            lacks_tails: lacking.count() > 2,
            retries: 0,
            ties: 0,
        }
    }

    fn one(&mut self, told: &Told) -> Verdict {
        let record = &told.record;
        must(record.is_in_order(Duration::ZERO), || {
            "stamps out of order".to_owned()
        })?;
        let attempts = self.attempts.remove(&record.id).unwrap_or_default();
        let Some((first, others)) = attempts.split_first() else {
            must(record.sent.is_none(), || {
                "sent, and it never came".to_owned()
            })?;
            return self.without_connection(record, None);
        };
        must(record.sent == Some(first.arrived), || {
            format!("it came at {:?}", first.arrived)
        })?;
        let is_late = first.arrived.since(record.ready) >= TICK && !self.terms.is_capped;
        must(!is_late, || "sent late by the client".to_owned())?;
        let was_connected = first.dialed_at.is_some() || !others.is_empty();
        must(record.connected.is_some() || !was_connected, || {
            "no time to connect".to_owned()
        })?;
        let start = first.dialed_at.unwrap_or(first.arrived);
        let limit = start + self.terms.timeout;
        match (is_sent_again(first, limit), others) {
            (None, []) => self.attempt(told, first, limit),
            (None, _) => Err("sent again without need".to_owned()),
            (Some(_), [second]) => {
                self.retries += 1;
                must(second.dialed_at.is_some(), || {
                    "sent again on an old connection".to_owned()
                })?;
                self.attempt(told, second, limit)
            }
            (Some(at), []) if self.cut(record) == Some(at) => {
                self.ties += 1;
                Ok(())
            }
            (Some(_), []) => {
                self.retries += 1;
                self.without_connection(record, Some(limit))
            }
            (Some(_), _) => Err("sent more than twice".to_owned()),
        }
    }

    /// A request that came by its latest attempt.
    fn attempt(&self, told: &Told, attempt: &Attempt, limit: Offset) -> Verdict {
        let record = &told.record;
        let mut truth = Truth::of(attempt);
        if self.lacks_tails {
            truth.forgive_tail();
        }
        // Once all is said, the time limit does not make it a failure.
        let said_all = truth.said_all.filter(|said| said.seen <= limit);
        let end = truth
            .end
            .as_ref()
            .filter(|end| end.seen <= limit || said_all.is_some());
        let wrong = |what: &str| {
            format!(
                "{what}; {:?}, {:?}, {truth:#?}",
                attempt.plan.fault, attempt.plan.then
            )
        };
        if let Some(cut) = self.cut(record) {
            let seen = said_all.map(|said| said.seen).or(end.map(|end| end.seen));
            must(seen.is_none_or(|seen| seen >= cut), || {
                wrong("cut, and it had ended")
            })?;
        } else if let Some(end) = end {
            must(end.outcomes.contains(&record.outcome), || {
                wrong("another outcome")
            })?;
            let beyond = said_all.map(|said| said.at).filter(|_| end.seen > limit);
            let is_done = end.done.contains(&record.done) || beyond == Some(record.done);
            must(is_done, || wrong("another end"))?;
        } else {
            must(record.outcome == Outcome::TimedOut, || {
                wrong("not timed out")
            })?;
            must(record.done == limit, || wrong("timed out at another time"))?;
        }
        let known = self.known_at(record, &truth, limit);
        let events = truth.events.iter().filter(|(_, seen)| *seen <= known);
        let events: Vec<StreamEvent> = events.map(|(event, _)| *event).collect();
        must(record.events() == events, || wrong("other events"))?;
        let is_text = record.outcome != Outcome::Completed
            || told
                .text
                .as_ref()
                .is_none_or(|text| *text == attempt.plan.script.text);
        must(is_text, || wrong("another text"))
    }

    /// When the client knew all that it recorded.
    fn known_at(&self, record: &RequestTrace, truth: &Truth, limit: Offset) -> Offset {
        let end = truth.end.as_ref().map_or(limit, |end| end.seen).min(limit);
        self.cut(record).unwrap_or(end)
    }

    /// When a record was cut, if it was.
    fn cut(&self, record: &RequestTrace) -> Option<Offset> {
        let is_cut = record.outcome == Outcome::CutAtEnd && self.terms.cuts.contains(&record.done);
        is_cut.then_some(record.done)
    }

    /// A request that got no connection, or one on which it was not sent. `limit` is known if it had
    /// been sent before.
    fn without_connection(&mut self, record: &RequestTrace, limit: Option<Offset>) -> Verdict {
        must(record.events().is_empty(), || {
            "events without an answer".to_owned()
        })?;
        let how = match record.outcome {
            Outcome::Connect => How::Refused,
            Outcome::Malformed => How::Greeted,
            Outcome::TimedOut => return self.never_connected(record, limit),
            Outcome::CutAtEnd | Outcome::NeverSent => {
                let is_cut = self.terms.cuts.iter().any(|cut| record.done >= *cut);
                return must(is_cut, || "cut without need".to_owned());
            }
            _ => return Err("an answer without a request".to_owned()),
        };
        self.take_dial(|one| one.how == how && one.answered == record.done)
    }

    fn never_connected(&mut self, record: &RequestTrace, limit: Option<Offset>) -> Verdict {
        if let Some(limit) = limit {
            return must(record.done == limit, || {
                "timed out at another time".to_owned()
            });
        }
        let timeout = self.terms.timeout;
        self.take_dial(|one| one.how == How::Silent && one.at + timeout == record.done)
    }

    /// Finds what became of a connection, and crosses it out.
    fn take_dial(&mut self, is_it: impl Fn(&Dialed) -> bool) -> Verdict {
        let found = self.dials.iter().position(is_it);
        let found = found.ok_or_else(|| format!("no such connection among {:#?}", self.dials))?;
        let _ = self.dials.swap_remove(found);
        Ok(())
    }
}
