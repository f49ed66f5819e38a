//! A run without its log: what reads answers alone.

use std::path::Path;

use plimsoll_core::run::Run;

use super::log::format_of;
use super::{FileFault, FolderFault, RUN};
use crate::fault::{Failure, Hint};

/// Reads a run folder, or its `run.json`.
pub(crate) fn read_run(path: &Path) -> Result<Run, Failure> {
    let file = if path.is_dir() {
        path.join(RUN)
    } else {
        path.to_owned()
    };
    let at = |fault| FolderFault::File {
        path: file.clone(),
        fault,
    };
    let bytes = std::fs::read(&file)
        .map_err(|error| Failure::from(at(FileFault::Unreadable(error))).hint(Hint::FolderOfRun))?;
    let format = format_of(&bytes).map_err(at)?;
    Ok(format
        .run(&bytes)
        .map_err(|error| at(FileFault::NoRun(error)))?)
}
