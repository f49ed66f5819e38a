//! What the server does with a request: an answer with its fault, in which parts it is written, and
//! what comes after it.

use plimsoll_core::protocol::Protocol;

use super::dice::Dice;
use super::fault::{Fault, script};
use super::script::{Framing, Meaning, Script};
use crate::transport::memory::Ending;

/// When the server reads the body of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Before it answers.
    First,
    /// Once it has begun to.
    Meanwhile,
    /// Once it has.
    Last,
}

/// What the server does once it has written what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for the next request, or hangs.
    Stay,
    Close,
    Reset,
}

impl Then {
    pub(super) fn ending(self) -> Option<Ending> {
        match self {
            Self::Stay => None,
            Self::Close => Some(Ending::Closed),
            Self::Reset => Some(Ending::Reset),
        }
    }
}

/// A part of the answer that is written at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// After the one before, ms.
    pub(super) after_ms: u64,
    /// The bytes up to here.
    pub(super) upto: usize,
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) fault: Fault,
    pub(super) reading: Reading,
    pub(super) script: Script,
    pub(super) steps: Vec<Step>,
    pub(super) then: Then,
    /// How long after the last step, ms.
    pub(super) then_after_ms: u64,
}

pub(super) const ENDS: [Then; 3] = [Then::Close, Then::Reset, Then::Stay];
/// All spans of the server are even, and the time limit is odd: what comes first is always plain.
const PAUSES_MS: [u64; 8] = [0, 0, 2, 2, 4, 10, 20, 34];
/// Beyond the time limit, or beyond the wait for the end of the framing.
const STALLS_MS: [u64; 2] = [600, 140];
/// Around the time in which a close is taken for that of an idle connection.
const CLOSES_MS: [u64; 8] = [0, 0, 2, 10, 60, 98, 100, 140];

impl Plan {
    pub(super) fn draw(dice: &mut Dice, protocol: Protocol) -> Self {
        let fault = Fault::draw(dice);
        let script = script(dice, protocol, fault);
        let upto = match fault {
            Fault::Cut(_) => somewhere(dice, &script),
            Fault::AtOnce => 0,
            Fault::NoFraming(_) => before_the_end(&script),
            _ => script.bytes.len(),
        };
        let steps = steps(dice, &script, upto, fault);
        let then = then(dice, &script, fault);
        Self {
            fault,
            reading: if dice.one_in(8) {
                dice.pick(&[Reading::Meanwhile, Reading::Last])
            } else {
                Reading::First
            },
            script,
            steps,
            then,
            then_after_ms: dice.pick(&CLOSES_MS),
        }
    }
}

/// What the server does after all that it writes.
fn then(dice: &mut Dice, script: &Script, fault: Fault) -> Then {
    match fault {
        Fault::Cut(then) | Fault::NoFraming(then) => then,
        Fault::AtOnce => dice.pick(&[Then::Close, Then::Reset]),
        Fault::MalformedHead | Fault::WrongLength => dice.pick(&ENDS),
        _ if script.framing == Framing::ToClose => {
            dice.pick(&[Then::Close, Then::Close, Then::Reset])
        }
        // An idle connection is closed after a while.
        _ if dice.one_in(4) => dice.pick(&[Then::Close, Then::Reset]),
        _ => Then::Stay,
    }
}

/// Anywhere, or beside where something becomes known.
fn somewhere(dice: &mut Dice, script: &Script) -> usize {
    let anywhere = dice.below(script.bytes.len() + 1);
    if script.marks.is_empty() || dice.one_in(2) {
        return anywhere;
    }
    let (mark, _) = script.marks[dice.below(script.marks.len())];
    let beside = dice.pick(&[-2, -1, 0, 0, 1, 2]);
    mark.saturating_add_signed(beside).min(script.bytes.len())
}

/// After the last word, and before the framing has ended.
fn before_the_end(script: &Script) -> usize {
    let known = |wanted| {
        let mark = script.marks.iter().find(|(_, meaning)| *meaning == wanted);
        mark.map(|(at, _)| *at)
    };
    let end = known(Meaning::End).unwrap_or(script.bytes.len());
    known(Meaning::LastWord).unwrap_or(end).min(end)
}

/// Cuts what is written into parts, at bytes of no meaning.
fn steps(dice: &mut Dice, script: &Script, upto: usize, fault: Fault) -> Vec<Step> {
    // Where in a head it is seen to be none depends on how it is cut.
    let most = if fault == Fault::MalformedHead { 1 } else { 12 };
    let mut cuts: Vec<usize> = (1..=dice.below(most))
        .map(|_| somewhere(dice, script).min(upto))
        .filter(|at| *at > 0)
        .collect();
    cuts.push(upto);
    cuts.sort_unstable();
    cuts.dedup();
    let stalls = dice.below(cuts.len());
    let step = |(number, upto)| Step {
        after_ms: if fault == Fault::Stall && number == stalls {
            dice.pick(&STALLS_MS)
        } else {
            dice.pick(&PAUSES_MS)
        },
        upto,
    };
    cuts.into_iter().enumerate().map(step).collect()
}
