//! What the server has seen and done: the truth.

use std::fmt;

use plimsoll_core::time::Offset;

use super::plan::Plan;
use super::script::Meaning;
use crate::transport::memory::Ending;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) dials: Vec<Dialed>,
    pub(super) attempts: Vec<Attempt>,
    /// What no client may do.
    pub(super) wrongs: Vec<String>,
}

/// An attempt to connect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialed {
    pub(super) at: Offset,
    /// When it was answered.
    pub(super) answered: Offset,
    pub(super) how: How,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Accepted,
    Refused,
    /// Nothing.
    Silent,
    /// The server spoke before it was asked.
    Greeted,
}

/// A request, once it has come.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request: u64,
    /// When its connection was asked for; `None` if that had carried another request.
    pub(super) dialed_at: Option<Offset>,
    pub(super) arrived: Offset,
    pub(super) plan: Plan,
    pub(super) written: Vec<Written>,
    pub(super) ended: Option<(Ending, Offset)>,
}

/// A part of an answer that was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// The bytes up to here.
    pub(super) upto: usize,
    /// When they came.
    pub(super) at: Offset,
    /// When the client could see them.
    pub(super) seen: Offset,
}

/// A line for each attempt, for people.
impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.dials {
            writeln!(f, "{:?} at {}, {}", one.how, ms(one.at), ms(one.answered))?;
        }
        self.attempts
            .iter()
            .try_for_each(|one| writeln!(f, "{one}"))
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan {
            fault,
            reading,
            script,
            then,
            then_after_ms,
            ..
        } = &self.plan;
        let dialed = self.dialed_at.map(ms);
        let came = ms(self.arrived);
        write!(
            f,
            "{} at {came} (dialed {dialed:?}): {fault:?}, {reading:?}, ",
            self.request
        )?;
        write!(f, "{:?}, keeps {}, ", script.framing, script.keeps_alive)?;
        for one in &self.written {
            write!(f, "{} at {}/{}, ", one.upto, ms(one.at), ms(one.seen))?;
        }
        write!(f, "{then:?} after {then_after_ms}, ")?;
        write!(
            f,
            "{:?} {:?}",
            self.ended.map(|(how, at)| (how, ms(at))),
            script.marks
        )
    }
}

fn ms(at: Offset) -> f64 {
    at.as_secs_f64() * 1e3
}

impl Attempt {
    /// What became known, with what had been written by then.
    pub(super) fn known(&self) -> impl Iterator<Item = (Meaning, Written)> {
        self.plan.script.marks.iter().filter_map(|(at, meaning)| {
            let written = self.written.iter().find(|written| written.upto >= *at)?;
            Some((*meaning, *written))
        })
    }
}
