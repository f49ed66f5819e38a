//! What a run says when it is over: the report, and the exit code.

use std::io::Write;

use plimsoll_core::run::{Run, RunState};
use plimsoll_core::verdict::VerdictKind;
use plimsoll_report::console::render;
use plimsoll_report::lang::Lang;
use plimsoll_report::sentence::run_file;
use serde::Serialize;

use crate::console::Console;
use crate::exit::Exit;
use crate::fault::{Failure, WriteFault};

/// Writes a run to stdout, for a person or as JSON.
pub(super) fn report(run: &Run, json: bool, lang: Lang) -> Result<(), Failure> {
    if json {
        print_json(&run_file(run))
    } else {
        print(|out| render(run, lang, Console::width(), out))
    }
}

/// Writes data to stdout as JSON.
pub(super) fn print_json(data: &impl Serialize) -> Result<(), Failure> {
    print(|out| {
        let text = serde_json::to_string_pretty(data)?;
        writeln!(out, "{text}")
    })
}

/// Writes to stdout. A reader that has seen enough may close the pipe.
pub(super) fn print(
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    match write(&mut std::io::stdout().lock()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.map_err(WriteFault::Stdout)?),
    }
}

/// The answer for machines. With tiers it is that of the first one that is not a plain answer.
pub(super) fn exit(run: &Run) -> Exit {
    if run.state != RunState::Finished {
        return Exit::Interrupted;
    }
    let tiers = run.tiers.iter().map(|tier| tier.verdict.kind);
    let odd = tiers.map(of_kind).find(|exit| *exit != Exit::Done);
    let own = run.verdict.as_ref().map(|verdict| of_kind(verdict.kind));
    odd.or(own).unwrap_or(Exit::Inconclusive)
}

fn of_kind(kind: VerdictKind) -> Exit {
    match kind {
        VerdictKind::BelowFirst => Exit::NotMet,
        VerdictKind::Inconclusive | VerdictKind::ClientLimited => Exit::Inconclusive,
        VerdictKind::ServerGone => Exit::Unreachable,
        _ => Exit::Done,
    }
}
