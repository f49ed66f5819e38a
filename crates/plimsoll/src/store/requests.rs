//! Reads `requests.jsonl` back, level by level. The lines of a level stand together, those of the
//! first level first, and each level counted the requests that ended on it.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use plimsoll_core::level::LevelSummary;
use plimsoll_core::record::{RequestLine, RequestRecord, RequestTrace};

use super::FileFault;
use super::files::{LinesSum, Whole};

/// Stamps of the kernel's clock and of the run's own stand side by side in a record, and one of them
/// may be set meanwhile.
const SETTING: Duration = Duration::from_millis(1);
/// A level's times are kept as seconds in a double.
const ROUNDING: Duration = Duration::from_micros(1);

/// The records of a run, read from their start on.
pub(crate) struct Requests<R> {
    file: R,
    lines: u64,
    whole: Whole,
    /// Of the lines of the level that is being read.
    sum: LinesSum,
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
            sum: LinesSum::default(),
        }
    }

    /// What has been read.
    pub(super) fn whole(&self) -> Whole {
        self.whole
    }

    /// The requests that ended on the next level; with the stamps of their outputs, if they are to be
    /// judged.
    pub(crate) fn level(
        &mut self,
        level: &LevelSummary,
        keeps_stamps: bool,
    ) -> Result<Vec<RequestRecord>, FileFault> {
        let read = |_| Ok(self.next(level.index)?.to_record(keeps_stamps));
        (0..level.requests.ended()).map(read).collect()
    }

    /// Reads the requests of the next level, and holds them against what the level says of them: the
    /// sum of their lines, where it is known, how they ended and until when. `ids` are those that came
    /// before: a request ends once.
    pub(super) fn check(
        &mut self,
        level: &LevelSummary,
        sum: Option<u32>,
        ids: &mut HashSet<u64>,
    ) -> Result<(), FileFault> {
        let first = self.lines + 1;
        let ends = level.ended_at();
        let mut outcomes = BTreeMap::<String, u64>::new();
        for line in (first..).take(level.requests.ended() as usize) {
            let request = self.next(level.index)?;
            if !ids.insert(request.id) {
                let id = request.id;
                return Err(FileFault::RequestTwice { line, id });
            }
            // Where the sum is known it says more; stamps may be off by what the clocks were set by.
            if sum.is_none() && (!request.is_in_order(SETTING) || request.done > ends + ROUNDING) {
                return Err(FileFault::ImpossibleStamps { line });
            }
            *outcomes.entry(request.outcome.key()).or_default() += 1;
        }
        let found = self.sum.end();
        let is_same = sum.is_none_or(|sum| sum == found);
        if is_same && outcomes == level.requests.outcomes {
            Ok(())
        } else {
            Err(FileFault::OtherRequests(level.index))
        }
    }

    fn next(&mut self, level: u32) -> Result<RequestTrace, FileFault> {
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
        self.sum.take(text.strip_suffix(b"\n").unwrap_or(&text));
        self.whole = Whole {
            bytes: self.whole.bytes + length as u64,
            lacks_newline: !text.ends_with(b"\n"),
        };
        Ok(request.into())
    }
}
