//! `find --dry-run`: what would be done. Nothing is sent, and nothing is written.

use plimsoll_core::dry_run::{DryRun, GoesOn, dry_run};
use plimsoll_report::dry_run::render;

use super::plan::Planned;
use super::start::Start;
use super::{resume, searched};
use crate::exit::Exit;
use crate::fault::Failure;
use crate::measure::Console;
use crate::output::{self, Shown};

/// A search that would begin, so many times.
pub(super) fn begins(
    planned: &Planned,
    repeats: Option<u32>,
    shown: Shown,
) -> Result<Exit, Failure> {
    let plan = &planned.plan;
    let dry = DryRun {
        repeats,
        ..dry_run(plan, searched(plan)?)
    };
    show(&dry, shown)
}

/// A run of the past that would go on.
pub(super) fn goes_on(planned: &Planned, start: &Start, shown: Shown) -> Result<Exit, Failure> {
    let plan = &planned.plan;
    let search = searched(plan)?;
    let goes_on = start.saved().map(|saved| {
        Ok::<_, Failure>(GoesOn {
            levels: saved.levels,
            elapsed_s: saved.elapsed().as_secs_f64(),
            next: resume::next(plan, start)?,
        })
    });
    let dry = DryRun {
        goes_on: goes_on.transpose()?,
        ..dry_run(plan, search)
    };
    show(&dry, shown)
}

fn show(dry: &DryRun, shown: Shown) -> Result<Exit, Failure> {
    output::show(dry, shown.json, |dry, out| {
        render(dry, shown.lang, Console::width(), out)
    })?;
    Ok(Exit::Done)
}
