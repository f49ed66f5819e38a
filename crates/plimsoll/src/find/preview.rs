//! `--dry-run`: the plan, and nothing sent.

use std::io::Write;

use anyhow::Context;
use plimsoll_core::dry_run::dry_run;
use plimsoll_report::dry_run::render;
use plimsoll_report::lang::Lang;

use super::plan::Resolved;
use crate::console::Console;
use crate::exit::{Exit, Failure};

/// Prints what the search would do.
pub(super) fn show(resolved: &Resolved, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let dry = dry_run(&resolved.plan);
    let mut out = std::io::stdout().lock();
    let written = if json {
        serde_json::to_string_pretty(&dry)
            .map_err(std::io::Error::from)
            .and_then(|text| writeln!(out, "{text}"))
    } else {
        render(&dry, lang, Console::width(), &mut out)
    };
    match written {
        // A reader that has seen enough closed the pipe.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written.context("failed to write the plan")?,
    }
    Ok(Exit::Done)
}
