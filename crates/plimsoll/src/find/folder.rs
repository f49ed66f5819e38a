//! The run folder: `run.json`, `requests.jsonl`, `events.jsonl`, pictures.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use plimsoll_core::level::LoadEvent;
use plimsoll_core::record::{RequestLine, RequestRecord};
use plimsoll_core::run::{Run, RunEvent};
use plimsoll_report::figures::figures;
use plimsoll_report::lang::Lang;
use serde::Serialize;

use crate::exit::Failure;

const RUN: &str = "run.json";
const REQUESTS: &str = "requests.jsonl";
const EVENTS: &str = "events.jsonl";

/// A folder that is this run's alone.
pub(super) struct Folder {
    path: PathBuf,
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
        if path.join(RUN).exists() || path.join(EVENTS).exists() {
            return Err(Failure::usage(format!("`{shown}` has a run in it"))
                .hint("choose another folder with --out"));
        }
        let probe = path.join(".writable");
        let usable = fs::create_dir_all(&path)
            .and_then(|()| File::create(&probe).map(drop))
            .and_then(|()| fs::remove_file(&probe));
        usable.map_err(|error| {
            Failure::usage(format!("`{shown}` cannot be written: {error}"))
                .hint("choose another folder with --out")
        })?;
        Ok(Self { path })
    }

    /// Takes the folder away again, if the run never began.
    pub(super) fn give_up(&self) {
        // Fails where something is in it, and then it stays.
        drop(fs::remove_dir(&self.path));
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
        let has_pictures = !run.levels.is_empty();
        match (lang, has_pictures) {
            (Lang::En, true) => {
                format!(
                    "Saved in {path}: {RUN}, {REQUESTS}, {EVENTS}, load-line.png and other pictures"
                )
            }
            (Lang::En, false) => format!("Saved in {path}: {RUN}, {REQUESTS}, {EVENTS}"),
            (Lang::Zh, true) => {
                format!("结果保存在 {path}：{RUN}、{REQUESTS}、{EVENTS}、load-line.png 等图")
            }
            (Lang::Zh, false) => format!("结果保存在 {path}：{RUN}、{REQUESTS}、{EVENTS}"),
        }
    }

    fn append<T: Serialize>(
        &self,
        name: &str,
        items: impl Iterator<Item = T>,
    ) -> Result<(), Failure> {
        let path = self.path.join(name);
        let failed = || format!("failed to write `{}`", path.display());
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(failed)?;
        let mut file = BufWriter::new(file);
        for item in items {
            serde_json::to_writer(&mut file, &item).with_context(failed)?;
            file.write_all(b"\n").with_context(failed)?;
        }
        file.flush().with_context(failed)?;
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        let beside = self.path.join(format!("{name}.tmp"));
        let done = File::create(&beside)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, &path));
        done.with_context(|| format!("failed to write `{}`", path.display()))?;
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
