//! A mode: what a server does after a while, and what is right to make of it.

use std::io;
use std::sync::Arc;

use serde_json::json;

use super::super::super::ask::Ask;
use super::super::super::case::{Case, Line, bench, check, find};
use super::super::super::openai::{self, Pace};
use super::super::super::right::Right::{self, Also, Exit, SomeEndedAs};
use super::super::super::say::{Say, pause_ms};
use super::super::super::told::Told;
use super::books;

/// Answers before the harm: those of preflight, and some of the load.
const GOOD: usize = 24;
/// Address space of a command, MB: some 200 are its threads' and its binary's.
const MOST_MB: u64 = 600;

/// What a server does after its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for the next request.
    Next,
    /// It closes the connection.
    Close,
    /// It resets the connection.
    Reset,
    /// It says nothing more.
    Hang,
    /// It says these bytes again and again.
    Flood(&'static [u8]),
    /// It said its bytes one by one.
    Drip,
}

/// Where it does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// In answers of the load.
    Answers,
    /// On the list of models, from the first.
    Models,
    /// On the metrics page, from the first.
    Metrics,
}

/// What the program makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// An answer, as any other.
    Answer,
    /// A failure of this kind.
    Failure(&'static str),
    /// A server that is not ready for load, exit 4, or 2 where an argument helps.
    Refusal,
}

/// A command that it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Check,
    Find,
    Bench,
}

impl Command {
    /// Long enough that what hangs is given up within it.
    fn line(self) -> Line {
        let objective = |line: Line| line.option("--slo", Some("success >= 99%"));
        match self {
            Self::Check => objective(check()).with("--for 2s --timeout 1s"),
            Self::Find => objective(find()).with("--budget 4s --max-concurrency 2 --timeout 1s"),
            Self::Bench => bench().with("--num-prompts 60 --timeout 1"),
        }
    }
}

/// A mode.
#[derive(Clone)]
pub(super) struct Mode {
    pub(super) name: &'static str,
    /// In a few words, for the table.
    pub(super) does: &'static str,
    pub(super) at: At,
    bytes: Arc<[u8]>,
    then: Then,
    pub(super) made: Made,
}

impl Mode {
    pub(super) fn new(
        name: &'static str,
        does: &'static str,
        (bytes, then): (impl AsRef<[u8]>, Then),
        made: Made,
    ) -> Self {
        Self {
            name,
            does,
            at: At::Answers,
            bytes: Arc::from(bytes.as_ref()),
            then,
            made,
        }
    }

    /// The same on a page.
    pub(super) fn on(self, at: At) -> Self {
        Self { at, ..self }
    }

    /// What is right where it meets a command.
    pub(super) fn case(&self, command: Command) -> Case {
        let mode = self.clone();
        let script = move |ask: &Ask, say: &mut Say<'_>| mode.serve(ask, say);
        let line = command.line().memory_mb(MOST_MB);
        let line = line.is(&self.rights(command));
        Case::new(self.name, script, [line.is(&[Also(books::balance)])])
    }

    fn rights(&self, command: Command) -> Vec<Right> {
        let ended = match (self.made, self.then) {
            (Made::Refusal, _) => None,
            (Made::Answer, _) => Some(SomeEndedAs("completed")),
            // Which of its bounds a flood meets first depends on how busy the machine is.
            (Made::Failure(_), Then::Flood(_)) => Some(Also(has_a_failure)),
            (Made::Failure(outcome), _) => Some(SomeEndedAs(outcome)),
        };
        let exit: &[Right] = match (self.made, command) {
            // A busy machine may have been too busy to say anything.
            (Made::Answer, Command::Check | Command::Find) => &[Exit(&[0, 5])],
            (Made::Failure(_), Command::Check) => &[Exit(&[3, 4, 5])],
            // What held before the harm is an answer, and no advice.
            (Made::Failure(_), Command::Find) => &[Exit(&[0, 3, 4, 5]), Also(advises_nothing)],
            (Made::Refusal, Command::Check | Command::Find) => &[Exit(&[2, 4])],
            // Some requests fail: that is a result, and no end.
            (Made::Answer | Made::Failure(_), Command::Bench) => &[Exit(&[0])],
            // It was told the model, and needs no list.
            (Made::Refusal, Command::Bench) => &[Exit(&[0, 1])],
        };
        ended.into_iter().chain(exit.iter().copied()).collect()
    }

    fn serve(&self, ask: &Ask, say: &mut Say<'_>) -> io::Result<()> {
        let at = if ask.is_models() {
            At::Models
        } else if ask.is_generation() {
            At::Answers
        } else {
            At::Metrics
        };
        if at == self.at && (at != At::Answers || ask.number > GOOD) {
            return self.harm(say);
        }
        match at {
            At::Models => say.json(200, &openai::models(&["m"])),
            At::Answers => openai::answer(ask, say, PACE),
            At::Metrics => say.json(404, &json!({})),
        }
    }

    fn harm(&self, say: &mut Say<'_>) -> io::Result<()> {
        if self.then == Then::Drip {
            return self.bytes.chunks(1).try_for_each(|byte| say.raw(byte));
        }
        say.raw(&self.bytes)?;
        match self.then {
            Then::Next | Then::Drip => {}
            Then::Close => say.close(),
            Then::Reset => say.reset()?,
            Then::Hang => say.hang(),
            Then::Flood(bytes) => {
                // As fast as a server can, but not so that nobody else has the machine.
                let many = bytes.repeat((1 << 16) / bytes.len() + 1);
                loop {
                    say.raw(&many)?;
                    pause_ms(1);
                }
            }
        }
        Ok(())
    }
}

fn has_a_failure(told: &Told) -> bool {
    told.ended.iter().any(|one| one.outcome != "completed")
}

fn advises_nothing(told: &Told) -> bool {
    told.cap().is_none()
}

/// Quick, so that the harm comes soon.
const PACE: Pace = Pace {
    first_ms: 2,
    gap_ms: 1,
    tokens: None,
};
