//! What a run says when it is over: the report, and the exit code.

use plimsoll_core::check::CheckVerdict;
use plimsoll_core::run::{Run, RunState};
use plimsoll_core::verdict::VerdictKind;
use plimsoll_report::console::render;
use plimsoll_report::document::Document;
use plimsoll_report::run_file::run_file;

use super::Console;
use crate::exit::Exit;
use crate::fault::Failure;
use crate::output::{self, Shown};

/// Writes a run to stdout, for a person or as JSON.
pub(crate) fn report(run: &Run, shown: Shown) -> Result<(), Failure> {
    output::show(&run_file(run), shown.json, |file, out| {
        let document = Document::of(file.run, shown.lang);
        render(&document, shown.depth, Console::width(), out)
    })
}

/// The answer for machines. With tiers it is that of the first one that is not a plain answer.
pub(crate) fn exit(run: &Run) -> Exit {
    if run.state != RunState::Finished {
        return Exit::Interrupted;
    }
    if let Some(check) = &run.check {
        return of_check(check.verdict);
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

fn of_check(verdict: CheckVerdict) -> Exit {
    match verdict {
        CheckVerdict::Holds | CheckVerdict::NotContradicted => Exit::Done,
        CheckVerdict::Broken | CheckVerdict::Unstable => Exit::NotMet,
        CheckVerdict::Inconclusive | CheckVerdict::Void => Exit::Inconclusive,
        CheckVerdict::ServerGone => Exit::Unreachable,
    }
}
