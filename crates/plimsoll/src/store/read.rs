//! A run without its log: what reads answers alone.

use std::path::Path;

use plimsoll_core::run::{Run, SCHEMA_VERSION};

use super::RUN;
use crate::exit::Failure;

/// Reads a run folder, or its `run.json`.
pub(crate) fn read_run(path: &Path) -> Result<Run, Failure> {
    let file = if path.is_dir() {
        path.join(RUN)
    } else {
        path.to_owned()
    };
    let shown = file.display();
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Failure::usage(format!("`{shown}` cannot be read: {error}"))
            .hint("--from takes a folder that `plimsoll find` wrote, or its run.json")
    })?;
    let run: Run = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("`{shown}` is no run of this version: {error}")))?;
    if run.schema_version == SCHEMA_VERSION {
        Ok(run)
    } else {
        Err(Failure::usage(format!(
            "`{shown}` has the format {}, and this version reads {SCHEMA_VERSION}",
            run.schema_version
        )))
    }
}
