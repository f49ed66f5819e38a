//! Run folders: the one place that writes them and reads them back.
//!
//! | file | what is in it |
//! |---|---|
//! | `events.jsonl` | what has happened, appended to |
//! | `requests.jsonl` | each request, appended to as it ends |
//! | `signals.jsonl` | what the server said of itself meanwhile, appended to as a level ends |
//! | `run.json` | the run, which follows from the events; replaced whole |
//! | `*.png` | the pictures |
//! | `repeats.json` | in the folder of several runs: their answers side by side |
//!
//! `events.jsonl` says what has happened; `run.json` follows from it. The requests and the
//! samples of a level are on the disk before the event that ends the level, and that is before
//! `run.json`: so a crash at any moment leaves a log that is true, with at most a last line that is not
//! whole. All that is written goes through `disk`, and `power` has it fail and lose power at each step.

mod disk;
mod fault;
mod files;
mod level_requests;
mod log;
mod place;
#[cfg(test)]
mod power;
mod read;
mod requests;
mod saved;
mod signals;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_core::quote::visible_json;
use plimsoll_core::repeat::Repeats;
use plimsoll_core::run::{Run, RunEvent};
use plimsoll_core::telemetry::Sample;
use plimsoll_report::figures::figures;
use plimsoll_report::lang::Lang;
use plimsoll_report::run_file::run_file;
use serde::Serialize;

use crate::fault::{Failure, Hint, WriteFault};
use disk::{Disk, Os};
pub(crate) use fault::{FileFault, FolderFault};
pub(crate) use level_requests::LevelRequests;
pub(crate) use read::read_run;
pub(crate) use saved::Saved;

const RUN: &str = "run.json";
pub(crate) const REQUESTS: &str = "requests.jsonl";
const SIGNALS: &str = "signals.jsonl";
pub(crate) const EVENTS: &str = "events.jsonl";
/// Of the folder of several runs: each has its own below it.
const REPEATS: &str = "repeats.json";

/// A folder that is this run's alone.
pub(crate) struct Folder {
    path: PathBuf,
    /// Where all that is written goes.
    disk: Box<dyn Disk>,
    /// Held as long as the run goes on: nobody else writes into the folder meanwhile.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder before any request is sent, so that a run is not lost for want of a place.
    ///
    /// # Errors
    /// It has a run in it, another run is being written into it, or it cannot be written.
    pub(crate) fn create(
        given: Option<&Path>,
        (started, command): (jiff::Timestamp, &str),
    ) -> Result<Self, Failure> {
        match given {
            Some(path) => place::take(Box::new(Os), path),
            None => place::new(Box::new(Os), started, command),
        }
    }

    /// The folder of a run that is to go on.
    ///
    /// # Errors
    /// There is no run in it, or it still goes on.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if !path.join(EVENTS).exists() {
            let fault = FolderFault::NoRun(path.to_owned());
            return Err(Failure::from(fault).hint(Hint::FolderSavedIn));
        }
        place::go_on(Box::new(Os), path)
    }

    /// Whether the folder holds several runs.
    pub(crate) fn has_repeats(path: &Path) -> bool {
        path.join(REPEATS).exists()
    }

    /// Reads back the answers of several runs, and keeps others from resuming them.
    pub(crate) fn open_repeats(path: &Path) -> Result<(Self, Repeats), Failure> {
        let folder = place::go_on(Box::new(Os), path)?;
        let read = fs::read(path.join(REPEATS)).map_err(FileFault::Unreadable);
        let repeats =
            read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(FileFault::NoRepeats));
        let repeats = repeats.map_err(|fault| FolderFault::File {
            path: path.join(REPEATS),
            fault,
        })?;
        Ok((folder, repeats))
    }

    /// Writes the answers of several runs.
    pub(crate) fn repeats(&self, repeats: &Repeats) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(repeats);
        let text = text.map_err(|error| self.unwritten(REPEATS, error.into()))?;
        self.replace(REPEATS, format!("{}\n", visible_json(&text)).as_bytes())
    }

    /// The folder of one of several runs, and whether a run is in it.
    pub(crate) fn below(&self, number: u32) -> (PathBuf, bool) {
        let path = self.path.join(number.to_string());
        let has_run = path.join(EVENTS).exists();
        (path, has_run)
    }

    /// Takes the folder away again, if the run never began.
    pub(crate) fn give_up(&self) {
        // Fails where something is in it, and then it stays.
        drop(fs::remove_dir(&self.path));
    }

    /// Brings the files of a run that goes on to where its last finished level left them.
    pub(crate) fn cut(&self, saved: &Saved) -> Result<(), Failure> {
        let done = saved.cut(self.disk.as_ref());
        Ok(done.map_err(|error| self.unwritten("", error))?)
    }

    /// Adds an event to the log.
    pub(crate) fn event(&self, event: &RunEvent) -> Result<(), Failure> {
        self.append(EVENTS, std::iter::once(event))
    }

    /// The requests of a level that begins.
    pub(crate) fn requests(&self) -> Result<LevelRequests<'_>, Failure> {
        LevelRequests::begin(self)
    }

    /// Adds samples to their file, if there are any.
    pub(crate) fn signals(&self, samples: &[Sample]) -> Result<(), Failure> {
        if samples.is_empty() {
            return Ok(());
        }
        self.append(SIGNALS, samples.iter())
    }

    /// Writes the run file anew, whole or not at all.
    pub(crate) fn run(&self, run: &Run) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&run_file(run));
        let text = text.map_err(|error| self.unwritten(RUN, error.into()))?;
        self.replace(RUN, format!("{}\n", visible_json(&text)).as_bytes())
    }

    /// Draws the pictures.
    pub(crate) fn figures(&self, run: &Run, lang: Lang) -> Result<(), Failure> {
        let figures = figures(run, lang).map_err(WriteFault::Pictures)?;
        figures
            .into_iter()
            .try_for_each(|(name, bytes)| self.replace(&name, &bytes))
    }

    /// Where the run is, for the user.
    pub(crate) fn say(&self, run: &Run, lang: Lang) -> String {
        let path = self.path.display();
        let names = [RUN, REQUESTS, SIGNALS, EVENTS].into_iter();
        let present: Vec<&str> = names.filter(|name| self.path.join(name).exists()).collect();
        let has_pictures = !run.levels.is_empty();
        match lang {
            Lang::En if has_pictures => format!(
                "Saved in {path}: {}, load-line.png and other pictures",
                present.join(", ")
            ),
            Lang::En => format!("Saved in {path}: {}", present.join(", ")),
            Lang::Zh if has_pictures => format!(
                "结果保存在 {path}：{}、load-line.png 等图",
                present.join("、")
            ),
            Lang::Zh => format!("结果保存在 {path}：{}", present.join("、")),
        }
    }

    fn append<T: Serialize>(
        &self,
        name: &str,
        items: impl Iterator<Item = T>,
    ) -> Result<(), Failure> {
        let done = files::append(self.disk.as_ref(), &self.path.join(name), items);
        Ok(done.map_err(|error| self.unwritten(name, error))?)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let done = files::replace(self.disk.as_ref(), &self.path.join(name), bytes);
        Ok(done.map_err(|error| self.unwritten(name, error))?)
    }

    fn unwritten(&self, name: &str, error: io::Error) -> WriteFault {
        let path = self.path.join(name);
        WriteFault::File { path, error }
    }
}
