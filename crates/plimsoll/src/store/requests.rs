//! Reads `requests.jsonl` back, level by level. The lines of a level stand together, those of the
//! first level first, and each level counted the requests that ended on it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use plimsoll_core::level::LevelSummary;
use plimsoll_core::record::{RequestLine, RequestRecord};

use super::FileFault;
use super::files::Whole;

/// The records of a run, read from their start on.
pub(crate) struct Requests<R> {
    file: R,
    lines: u64,
    whole: Whole,
}

impl Requests<BufReader<File>> {
    /// Opens the file of records.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self::new(BufReader::new(File::open(path)?)))
    }
}

impl<R: Read + BufRead> Requests<R> {
    fn new(file: R) -> Self {
        Self {
            file,
            lines: 0,
            whole: Whole::default(),
        }
    }

    /// What has been read.
    pub(super) fn whole(&self) -> Whole {
        self.whole
    }

    /// The requests that ended on the next level.
    pub(crate) fn level(&mut self, level: &LevelSummary) -> Result<Vec<RequestRecord>, FileFault> {
        let count = level.requests.outcomes.values().sum();
        (0..count).map(|_| self.next(level.index)).collect()
    }

    fn next(&mut self, level: u32) -> Result<RequestRecord, FileFault> {
        let mut text = Vec::new();
        let read = self.file.read_until(b'\n', &mut text);
        let length = read.map_err(FileFault::Unreadable)?;
        self.lines += 1;
        let line = self.lines;
        if length == 0 {
            return Err(FileFault::EndsEarly { line, level });
        }
        let request: RequestLine = serde_json::from_slice(&text)
            .map_err(|error| FileFault::NoRequest { line, level, error })?;
        if request.level > level {
            return Err(FileFault::RequestsMissing {
                line,
                found: request.level,
                due: level,
            });
        }
        self.whole = Whole {
            bytes: self.whole.bytes + length as u64,
            lacks_newline: !text.ends_with(b"\n"),
        };
        Ok(request.into())
    }
}
