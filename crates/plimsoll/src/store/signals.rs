//! Reads `signals.jsonl` back. The samples of a level are on the disk before the event that ends it,
//! and give what the level says of the server; what was sampled after the last finished level is
//! not of the run.

use std::path::Path;
use std::{fs, io};

use plimsoll_core::level::LevelSummary;
use plimsoll_core::telemetry::{Sample, ServerWindow};
use plimsoll_core::time::Offset;

use super::FileFault;
use super::files::Whole;

/// The part of the file that belongs to the finished levels.
pub(super) fn check(path: &Path, finished: &[LevelSummary]) -> Result<Whole, FileFault> {
    let bytes = match fs::read(path) {
        // A server without signals: the levels have nothing of it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(FileFault::Unreadable)?,
    };
    let until = finished.last().map(LevelSummary::ended_at);
    let (samples, whole) = samples(&bytes, until)?;
    let is_given = |level: &&LevelSummary| {
        let (from, to) = level.span();
        ServerWindow::of(&samples, from, to) == level.server
    };
    match finished.iter().find(|level| !is_given(level)) {
        Some(level) => Err(FileFault::SamplesMissing(level.index)),
        None => Ok(whole),
    }
}

/// The samples up to `until`. What cannot be read behind them is what a crash left of later ones: torn
/// at its end, or with holes where a part of it was not on the disk yet.
fn samples(bytes: &[u8], until: Option<Offset>) -> Result<(Vec<Sample>, Whole), FileFault> {
    let mut samples = Vec::new();
    let mut whole = Whole::default();
    let mut end = 0;
    let mut hole = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len() as u64;
        match serde_json::from_slice::<Sample>(line) {
            Ok(sample) if until.is_some_and(|until| sample.at <= until) => samples.push(sample),
            Ok(_) => break,
            Err(error) => {
                let line = samples.len() + 1;
                hole = hole.or(Some(FileFault::NoSample { line, error }));
                continue;
            }
        }
        if let Some(hole) = hole {
            return Err(hole);
        }
        whole = Whole {
            bytes: end,
            lacks_newline: !line.ends_with(b"\n"),
        };
    }
    Ok((samples, whole))
}
