//! The run folder: `run.json`, `requests.jsonl`, `events.jsonl`, pictures.
//!
//! `events.jsonl` says what has happened; `run.json` follows from it. The requests of a level are on
//! the disk before the event that ends the level, and that is before `run.json`: so a crash at any
//! moment leaves a log that is true, with at most a last line that is not whole.

mod files;
mod log;
mod requests;
mod saved;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context;
use plimsoll_core::level::LoadEvent;
use plimsoll_core::record::{RequestLine, RequestRecord};
use plimsoll_core::repeat::Repeats;
use plimsoll_core::run::{Run, RunEvent};
use plimsoll_report::figures::figures;
use plimsoll_report::lang::Lang;
use serde::Serialize;

use crate::exit::Failure;
pub(super) use saved::Saved;

const RUN: &str = "run.json";
const REQUESTS: &str = "requests.jsonl";
const EVENTS: &str = "events.jsonl";
/// Of the folder of several runs: each has its own below it.
const REPEATS: &str = "repeats.json";

/// A folder that is this run's alone.
pub(super) struct Folder {
    path: PathBuf,
    /// Held as long as the run goes on: nobody else resumes it meanwhile.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder before any request is sent, so that a run is not lost for want of a place.
    pub(super) fn create(given: Option<&Path>, started: jiff::Timestamp) -> Result<Self, Failure> {
        let path = if let Some(path) = given {
            path.to_owned()
        } else {
            let time = started.strftime("%Y%m%dT%H%M%SZ");
            PathBuf::from("plimsoll-runs").join(format!("{time}-find"))
        };
        let shown = path.display();
        if [RUN, EVENTS, REPEATS]
            .iter()
            .any(|name| path.join(name).exists())
        {
            return Err(Failure::usage(format!("`{shown}` has a run in it"))
                .hint("choose another folder with --out, or go on with that run by --resume"));
        }
        let probe = path.join(".writable");
        let usable = fs::create_dir_all(&path)
            .and_then(|()| File::create(&probe).map(drop))
            .and_then(|()| fs::remove_file(&probe))
            .and_then(|()| files::sync_folder(&path));
        usable.map_err(|error| {
            Failure::usage(format!("`{shown}` cannot be written: {error}"))
                .hint("choose another folder with --out")
        })?;
        Self::locked(path)
    }

    /// The folder of a run that is to go on.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        if !path.join(EVENTS).exists() {
            let shown = path.display();
            return Err(Failure::usage(format!(
                "`{shown}` has no run in it: there is no `{EVENTS}`"
            ))
            .hint("--resume takes the folder that `Saved in` names"));
        }
        Self::locked(path.to_owned())
    }

    /// Whether the folder holds several runs.
    pub(super) fn has_repeats(path: &Path) -> bool {
        path.join(REPEATS).exists()
    }

    /// Reads back the answers of several runs, and keeps others from resuming them.
    pub(super) fn open_repeats(path: &Path) -> Result<(Self, Repeats), Failure> {
        let folder = Self::locked(path.to_owned())?;
        let file = path.join(REPEATS);
        let read = fs::read(&file).map_err(anyhow::Error::from);
        let repeats = read.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        let unreadable =
            |error| Failure::usage(format!("`{}` cannot be read: {error}", file.display()));
        Ok((folder, repeats.map_err(unreadable)?))
    }

    /// Writes the answers of several runs.
    pub(super) fn repeats(&self, repeats: &Repeats) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(repeats).context("failed to write the answers as JSON")?;
        self.replace(REPEATS, format!("{text}\n").as_bytes())
    }

    /// The folder of one of several runs, and whether a run is in it.
    pub(super) fn below(&self, number: u32) -> (PathBuf, bool) {
        let path = self.path.join(number.to_string());
        let has_run = path.join(EVENTS).exists();
        (path, has_run)
    }

    fn locked(path: PathBuf) -> Result<Self, Failure> {
        let lock = match File::open(&path) {
            // Where the file system knows no locks it goes without.
            Ok(folder) => match folder.try_lock() {
                Err(TryLockError::WouldBlock) => {
                    let shown = path.display();
                    return Err(Failure::usage(format!(
                        "the run in `{shown}` is still going on"
                    )));
                }
                _ => Some(folder),
            },
            Err(_) => None,
        };
        Ok(Self { path, _lock: lock })
    }

    /// Takes the folder away again, if the run never began.
    pub(super) fn give_up(&self) {
        // Fails where something is in it, and then it stays.
        drop(fs::remove_dir(&self.path));
    }

    /// Brings the files of a run that goes on to where its last finished level left them.
    pub(super) fn cut(&self, saved: &Saved) -> Result<(), Failure> {
        let cut = saved.cut();
        cut.with_context(|| format!("failed to write in `{}`", self.path.display()))?;
        Ok(())
    }

    /// Adds an event to the log.
    pub(super) fn event(&self, event: &RunEvent) -> Result<(), Failure> {
        self.append(EVENTS, std::iter::once(event))
    }

    /// Adds requests to the record file.
    pub(super) fn requests<'a>(
        &self,
        records: impl Iterator<Item = &'a RequestRecord>,
    ) -> Result<(), Failure> {
        self.append(REQUESTS, records.map(RequestLine::from))
    }

    /// Writes the run file anew, whole or not at all.
    pub(super) fn run(&self, run: &Run) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(run).context("failed to write the run as JSON")?;
        self.replace(RUN, format!("{text}\n").as_bytes())
    }

    /// Draws the pictures.
    pub(super) fn figures(&self, run: &Run, lang: Lang) -> Result<(), Failure> {
        let figures = figures(run, lang).context("failed to draw the pictures")?;
        figures
            .into_iter()
            .try_for_each(|(name, bytes)| self.replace(&name, &bytes))
    }

    /// Where the run is, for the user.
    pub(super) fn say(&self, run: &Run, lang: Lang) -> String {
        let path = self.path.display();
        let names = [RUN, REQUESTS, EVENTS].into_iter();
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
        let path = self.path.join(name);
        let done = files::append(&path, items);
        done.with_context(|| format!("failed to write `{}`", path.display()))?;
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let done = files::replace(&self.path, name, bytes);
        done.with_context(|| format!("failed to write `{}`", self.path.join(name).display()))?;
        Ok(())
    }
}

/// The record of an event that ends a request.
pub(super) fn ended(event: &LoadEvent) -> Option<&RequestRecord> {
    match event {
        LoadEvent::Ended(record) => Some(record),
        LoadEvent::Due(_) | LoadEvent::Sent(_) | LoadEvent::First { .. } => None,
    }
}
