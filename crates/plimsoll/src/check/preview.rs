//! `--dry-run`: the plan, and nothing sent.

use std::io::Write;

use anyhow::Context;
use plimsoll_core::check::CheckPlan;
use plimsoll_report::check::render_dry_run;
use plimsoll_report::lang::Lang;

use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Prints what the check would do.
pub(super) fn show(plan: &CheckPlan, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let dry = plan.dry_run();
    let mut out = std::io::stdout().lock();
    let written = if json {
        serde_json::to_string_pretty(&dry)
            .map_err(std::io::Error::from)
            .and_then(|text| writeln!(out, "{text}"))
    } else {
        render_dry_run(&dry, lang, Console::width(), &mut out)
    };
    match written {
        // A reader that has seen enough closed the pipe.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written.context("failed to write the plan")?,
    }
    Ok(Exit::Done)
}
