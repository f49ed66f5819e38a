//! What must come of an attempt, by what was written and when. It knows bytes by their meanings and
//! reads none.

use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::StreamEvent;
use plimsoll_core::time::Offset;

use super::log::{Attempt, Written};
use super::script::{Framing, Meaning};
use crate::transport::memory::Ending;

/// How long the end of the framing is waited for, once all has been said.
pub(super) const TAIL: Duration = Duration::from_millis(100);
/// A close so soon after a request may be that of an idle connection.
const IDLE_RACE: Duration = Duration::from_millis(100);

/// What must come of an attempt if nothing cuts it.
#[derive(Clone, Debug, Default)]
pub(super) struct Truth {
    /// The events, with the time at which the client could see each.
    pub(super) events: Vec<(StreamEvent, Offset)>,
    /// How it ends; `None` if it does not.
    pub(super) end: Option<End>,
    /// When all had been said.
    pub(super) said_all: Option<Written>,
    /// The last word came, and the end of the framing did not, or too late.
    pub(super) lacks_tail: bool,
    status: u16,
    finished: bool,
    is_whole: bool,
}

/// The end of an answer.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// One of these; more than one where the standards leave it open.
    pub(super) outcomes: Vec<Outcome>,
    /// One of these stamps.
    pub(super) done: Vec<Offset>,
    /// When the client knew.
    pub(super) seen: Offset,
}

impl Truth {
    pub(super) fn of(attempt: &Attempt) -> Self {
        let mut truth = Self {
            is_whole: attempt.plan.script.is_whole,
            ..Self::default()
        };
        for (meaning, written) in attempt.known() {
            truth.learn(meaning, written, attempt.plan.script.framing);
            if truth.end.is_some() {
                break;
            }
        }
        if truth.end.is_none() {
            truth.end = truth.ended(attempt);
        }
        truth.settle_tail();
        truth
    }

    fn learn(&mut self, meaning: Meaning, written: Written, framing: Framing) {
        let said_all = self.said_all.is_some();
        match meaning {
            Meaning::Head(status) => self.status = status,
            Meaning::Event { output } if !said_all => {
                let event = StreamEvent {
                    at: written.at,
                    output,
                };
                self.events.push((event, written.seen));
            }
            Meaning::Finish => self.finished = true,
            Meaning::LastWord if !said_all => {
                self.said_all = Some(written);
                if framing == Framing::ToClose {
                    self.end = Some(self.verdict(written));
                }
            }
            Meaning::Error if !said_all => {
                self.end = Some(failed(Outcome::ErrorEvent, written.seen));
            }
            Meaning::Malformed if !said_all => {
                self.end = Some(failed(Outcome::Malformed, written.seen));
            }
            // It broke off what nobody needs.
            Meaning::Malformed | Meaning::End => self.end = Some(self.verdict(written)),
            Meaning::Event { .. } | Meaning::LastWord | Meaning::Error => {}
        }
    }

    /// The end of an answer whose framing ends here.
    fn verdict(&mut self, written: Written) -> End {
        if self.is_whole {
            self.finished = true;
            let event = StreamEvent {
                at: written.at,
                output: true,
            };
            self.events.push((event, written.seen));
        }
        let outcome = self.outcome();
        let by_bytes = matches!(outcome, Outcome::Completed | Outcome::Empty);
        End {
            outcomes: vec![outcome],
            done: vec![if by_bytes { written.at } else { written.seen }],
            seen: written.seen,
        }
    }

    fn outcome(&self) -> Outcome {
        if !(200..300).contains(&self.status) {
            return Outcome::HttpStatus {
                status: self.status,
            };
        }
        match self.events.iter().any(|(event, _)| event.output) {
            _ if !self.finished && self.said_all.is_none() => Outcome::EndedEarly,
            true => Outcome::Completed,
            false => Outcome::Empty,
        }
    }

    /// The end of an answer whose connection ends before its framing.
    fn ended(&mut self, attempt: &Attempt) -> Option<End> {
        let (ending, at) = attempt.ended?;
        let here = Written {
            upto: 0,
            at,
            seen: at,
        };
        let to_close = attempt.plan.script.framing == Framing::ToClose && self.status != 0;
        Some(match self.said_all {
            Some(said) => End {
                done: vec![said.at],
                ..self.verdict(here)
            },
            None if to_close && ending == Ending::Closed => self.verdict(here),
            // The server has said that it refuses; that it did not say why is no other fault.
            None if self.status >= 300 => End {
                outcomes: vec![Outcome::Reset, self.outcome()],
                ..failed(Outcome::Reset, at)
            },
            None => failed(Outcome::Reset, at),
        })
    }

    /// What has said all is complete, whether its framing ends or not.
    fn settle_tail(&mut self) {
        let Some(said) = self.said_all else { return };
        let given_up = said.seen + TAIL;
        let came = self.end.as_ref().map(|end| end.seen);
        if came.is_none_or(|came| came > given_up) {
            self.lacks_tail = true;
            self.end = Some(End {
                outcomes: vec![self.outcome()],
                done: vec![said.at],
                seen: given_up,
            });
        } else if let Some(end) = self.end.as_mut().filter(|end| end.seen == given_up) {
            end.done.push(said.at);
        }
    }

    /// Lets the end of the framing be passed over, as it is with a server that leaves it out.
    pub(super) fn forgive_tail(&mut self) {
        if let (Some(said), Some(end)) = (self.said_all, &mut self.end) {
            end.done.push(said.at);
        }
    }
}

fn failed(outcome: Outcome, at: Offset) -> End {
    End {
        outcomes: vec![outcome],
        done: vec![at],
        seen: at,
    }
}

/// When an attempt must be made again: its connection was idle before, and ended without a word.
pub(super) fn is_sent_again(attempt: &Attempt, limit: Offset) -> Option<Offset> {
    let (_, at) = attempt.ended?;
    let is_silent = attempt.written.iter().all(|written| written.upto == 0);
    let is_idle = attempt.dialed_at.is_none() && is_silent;
    (is_idle && at.since(attempt.arrived) < IDLE_RACE && at <= limit).then_some(at)
}
