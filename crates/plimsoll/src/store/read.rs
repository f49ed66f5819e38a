//! A run without its log: what reads answers alone.

use std::path::Path;

use plimsoll_core::run::Run;

use super::RUN;
use super::log::format_of;
use crate::fault::Failure;

/// Reads a run folder, or its `run.json`.
pub(crate) fn read_run(path: &Path) -> Result<Run, Failure> {
    let file = if path.is_dir() {
        path.join(RUN)
    } else {
        path.to_owned()
    };
    let shown = file.display();
    let bytes = std::fs::read(&file).map_err(|error| {
        Failure::usage(format!("`{shown}` cannot be read: {error}"))
            .hint("--from takes a folder that `plimsoll find` wrote, or its run.json")
    })?;
    let format = format_of(&bytes).map_err(|why| Failure::usage(format!("`{shown}` {why}")))?;
    format
        .run(&bytes)
        .map_err(|error| Failure::usage(format!("`{shown}` is no run: {error}")))
}
