//! The folder of a check: `check.json` and `requests.jsonl`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use plimsoll_core::check::Check;
use plimsoll_core::record::{RequestLine, RequestRecord};

use crate::exit::Failure;

const CHECK: &str = "check.json";
const REQUESTS: &str = "requests.jsonl";

/// A folder that is this check's alone.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder before any request is sent, so that a check is not lost for want of a place.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        if path.join(CHECK).exists() || path.join(REQUESTS).exists() {
            return Err(Failure::usage(format!("`{shown}` has a check in it"))
                .hint("choose another folder with --out"));
        }
        let probe = path.join(".writable");
        let usable = fs::create_dir_all(path)
            .and_then(|()| File::create(&probe).map(drop))
            .and_then(|()| fs::remove_file(&probe));
        usable.map_err(|error| {
            Failure::usage(format!("`{shown}` cannot be written: {error}"))
                .hint("choose another folder with --out")
        })?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Takes the folder away again, if the check never began.
    pub(super) fn give_up(&self) {
        // Fails where something is in it, and then it stays.
        drop(fs::remove_dir(&self.path));
    }

    /// Writes all there is.
    pub(super) fn save(&self, check: &Check, records: &[RequestRecord]) -> Result<(), Failure> {
        let failed = || format!("failed to write to `{}`", self.path.display());
        let text = serde_json::to_string_pretty(check).with_context(failed)?;
        fs::write(self.path.join(CHECK), format!("{text}\n")).with_context(failed)?;
        let file = File::create(self.path.join(REQUESTS)).with_context(failed)?;
        let mut file = BufWriter::new(file);
        for record in records {
            serde_json::to_writer(&mut file, &RequestLine::from(record)).with_context(failed)?;
            file.write_all(b"\n").with_context(failed)?;
        }
        file.flush().with_context(failed)?;
        Ok(())
    }
}
