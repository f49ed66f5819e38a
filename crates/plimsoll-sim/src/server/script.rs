//! What a stream sends, in which order, and what goes wrong with it: pure, without time or sockets.

use super::wire::{Finish, Usage, Wire};
use super::words;
use crate::faults::{Fate, Faults};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// How a request ended, as a perfect client would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Completed,
    Failed,
}

/// The next thing a stream does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Sends an event without output.
    Plain(Bytes),
    /// Sends an event with output of that many tokens.
    Output(Bytes, u32),
    /// Sends nothing for a while.
    Pause(Duration),
    /// Resets the connection.
    Abort,
    /// Ends the stream cleanly.
    End(Outcome),
}

/// What a script needs to know about its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast {
    pub(super) request: u64,
    pub(super) usage: Usage,
    pub(super) finish: Finish,
    pub(super) include_usage: bool,
    pub(super) fate: Fate,
}

/// The course of one stream. `usage.completion_tokens` of its cast is the number of tokens.
#[derive(Debug)]
pub(super) struct Script {
    cast: Cast,
    faults: Faults,
    wire: Box<dyn Wire>,
    sent: u32,
    is_open: bool,
    /// Whether the misfortune of a fate with one has already happened.
    struck: bool,
}

impl Script {
    pub(super) fn new(cast: Cast, faults: &Faults, wire: Box<dyn Wire>) -> Self {
        Self {
            cast,
            faults: faults.clone(),
            wire,
            sent: 0,
            is_open: false,
            struck: false,
        }
    }

    /// Appends what is sent on receipt of the request.
    pub(super) fn opening(&mut self, out: &mut VecDeque<Piece>) {
        if self.faults.comments {
            out.push_back(Piece::Plain(self.wire.comment()));
        }
        if let Some(delay_ms) = self.faults.role_delay_ms
            && self.open(out)
        {
            out.push_back(Piece::Pause(Duration::from_millis(delay_ms)));
        }
    }

    /// Appends what is sent once the engine has produced `produced` tokens of this request.
    pub(super) fn advance(&mut self, produced: u32, out: &mut VecDeque<Piece>) {
        let total = self.cast.usage.completion_tokens;
        while self.sent < total {
            let group = self.faults.tokens_per_event.max(1).min(total - self.sent);
            if produced < self.sent + group {
                return;
            }
            if self.strike(out) {
                return;
            }
            self.open(out);
            self.tokens(group, out);
        }
    }

    /// Lets the request's fate take its course if its moment has come; true if that is the end.
    fn strike(&mut self, out: &mut VecDeque<Piece>) -> bool {
        let half_way = self.sent >= self.cast.usage.completion_tokens / 2;
        if self.struck || !(half_way || self.cast.fate == Fate::Empty) {
            return false;
        }
        self.struck = true;
        match self.cast.fate {
            Fate::Stall => {
                out.push_back(Piece::Pause(Duration::from_millis(self.faults.stall_ms)));
                return false;
            }
            Fate::Cut => out.push_back(Piece::Abort),
            Fate::EarlyEnd => out.push_back(Piece::End(Outcome::Failed)),
            Fate::ErrorEvent => {
                out.push_back(Piece::Plain(self.wire.error()));
                out.push_back(Piece::End(Outcome::Failed));
            }
            Fate::Empty => {
                self.open(out);
                out.push_back(Piece::Plain(self.wire.last("", Finish::Stop, None)));
                self.cast.usage.completion_tokens = 0;
                self.closing(Outcome::Failed, out);
            }
            Fate::Normal | Fate::Error | Fate::Reject | Fate::NeverAnswer => return false,
        }
        true
    }

    /// Sends what comes before the first token, once; whether there was something to send.
    fn open(&mut self, out: &mut VecDeque<Piece>) -> bool {
        if std::mem::replace(&mut self.is_open, true) {
            return false;
        }
        let opening = self.wire.opening(self.counts());
        let has_opening = opening.is_some();
        out.extend(opening.map(Piece::Plain));
        has_opening
    }

    /// Sends the next `group` tokens in one event, and the stream's end after the last.
    fn tokens(&mut self, group: u32, out: &mut VecDeque<Piece>) {
        let word = |index| words::output_word(self.cast.request, index, self.faults.multibyte);
        let merged: String;
        let text = if group == 1 {
            word(self.sent)
        } else {
            merged = (self.sent..self.sent + group).map(word).collect();
            &merged
        };
        self.sent += group;
        if self.sent < self.cast.usage.completion_tokens {
            out.push_back(Piece::Output(self.wire.text(text), group));
            if self.faults.comments {
                out.push_back(Piece::Plain(self.wire.comment()));
            }
        } else {
            let event = self.wire.last(text, self.cast.finish, self.counts());
            out.push_back(Piece::Output(event, group));
            self.closing(Outcome::Completed, out);
        }
    }

    fn closing(&mut self, outcome: Outcome, out: &mut VecDeque<Piece>) {
        let events = self.wire.closing(self.cast.finish, self.counts());
        out.extend(events.into_iter().map(Piece::Plain));
        out.push_back(Piece::End(outcome));
    }

    /// The token counts, where they are reported.
    fn counts(&self) -> Option<Usage> {
        let reports = self.cast.include_usage && !self.faults.no_usage;
        reports.then_some(self.cast.usage)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cast, Piece, Script};
    use crate::faults::{Fate, Faults};
    use crate::server::wire::{Finish, Label, Usage, wire};
    use plimsoll_core::protocol::Protocol;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    fn script(protocol: Protocol, fate: Fate, faults: &Faults, total: u32) -> Script {
        let usage = Usage {
            prompt_tokens: 1,
            completion_tokens: total,
        };
        let label = Label {
            protocol,
            request: 3,
            model: "m".to_owned(),
            created: 0,
        };
        let cast = Cast {
            request: 3,
            usage,
            finish: Finish::Length,
            include_usage: true,
            fate,
        };
        Script::new(cast, faults, wire(&label, faults))
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_depend_on_how_the_tokens_arrive(
            gaps in prop::collection::vec(1_u32..5, 1..12),
            group in 0_u32..4,
            protocol in prop::sample::select(Protocol::ALL.to_vec()),
            fate in prop::sample::select(vec![
                Fate::Normal, Fate::Cut, Fate::Stall, Fate::ErrorEvent, Fate::EarlyEnd, Fate::Empty,
            ]),
        ) {
            let total = gaps.iter().sum();
            let faults = Faults { tokens_per_event: group, ..Faults::default() };
            let mut at_once = VecDeque::new();
            script(protocol, fate, &faults, total).advance(total, &mut at_once);
            let (mut bit_by_bit, mut produced) = (VecDeque::new(), 0);
            let mut slow = script(protocol, fate, &faults, total);
            for gap in gaps {
                produced += gap;
                slow.advance(produced, &mut bit_by_bit);
                // The body asks no more of a script that has come to its end.
                if matches!(bit_by_bit.back(), Some(Piece::End(_) | Piece::Abort)) {
                    break;
                }
            }
            prop_assert_eq!(at_once, bit_by_bit);
        }
    }
}
