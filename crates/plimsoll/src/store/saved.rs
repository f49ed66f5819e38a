//! A run of the past: read back, or refused with the reason. Nothing is written while it is read.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::level::LevelSummary;
use plimsoll_core::record::InFlight;
use plimsoll_core::run::{Format, Goal, Run, RunPlan};
use plimsoll_core::time::Offset;

use super::disk::Disk;
use super::files::{self, Whole};
use super::log::{Log, format_of};
use super::requests::Requests;
use super::{EVENTS, FileFault, FolderFault, REQUESTS, RUN, SIGNALS, signals};
use crate::fault::Failure;

/// Each start of a run has so many numbers for its requests: more than any will send, and few
/// enough that 8 000 starts stay below 2^53, up to where JSON's numbers are exact everywhere.
const REQUESTS_PER_START: u64 = 1 << 40;

/// A run that was read back from its folder.
pub(crate) struct Saved {
    folder: PathBuf,
    /// The version that it was written in.
    pub(crate) format: Format,
    pub(crate) run: Run,
    /// Finished levels. The run may have one more, which was cut off.
    pub(crate) levels: u32,
    /// What each of them left in flight.
    pub(crate) in_flight: Vec<Vec<InFlight>>,
    /// Whether `run.json` says what the log says.
    pub(crate) run_file_is_current: bool,
    /// The sums of the lines of their requests, where they are known.
    sums: Vec<Option<u32>>,
    last_s: f64,
    log: Whole,
    requests: Option<Whole>,
    signals: Whole,
}

impl Saved {
    /// Reads a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        Self::look(folder).map_err(|(name, fault)| {
            let path = folder.join(name);
            FolderFault::File { path, fault }.into()
        })
    }

    /// The same, with an error as the name of the file at fault and what is wrong with it.
    pub(super) fn look(folder: &Path) -> Result<Self, (&'static str, FileFault)> {
        let bytes = fs::read(folder.join(EVENTS))
            .map_err(|error| (EVENTS, FileFault::Unreadable(error)))?;
        let log = Log::read(&bytes).map_err(|why| (EVENTS, why))?;
        let is_current = check_run_file(folder, &log.run).map_err(|why| (RUN, why))?;
        let mut saved = Self {
            folder: folder.to_owned(),
            format: log.format,
            run: log.run,
            levels: log.levels,
            in_flight: log.in_flight,
            sums: log.sums,
            run_file_is_current: is_current,
            last_s: log.last_s,
            log: log.whole,
            requests: None,
            signals: Whole::default(),
        };
        if saved.keeps_requests() {
            saved.requests = Some(saved.check_requests().map_err(|why| (REQUESTS, why))?);
        }
        // Runs of version 1 have no samples.
        if saved.format == Format::Current {
            let checked = signals::check(&folder.join(SIGNALS), saved.finished());
            saved.signals = checked.map_err(|why| (SIGNALS, why))?;
        }
        Ok(saved)
    }

    /// The levels that were held as planned.
    fn finished(&self) -> &[LevelSummary] {
        let count = self.run.levels.len().min(self.levels as usize);
        &self.run.levels[..count]
    }

    /// Whether each request has its line.
    pub(crate) fn keeps_requests(&self) -> bool {
        self.run.plan.keeps_requests
    }

    /// Where the clock goes on: after everything that is known to have happened.
    pub(crate) fn clock_goes_on_at(&self) -> Offset {
        Offset::from_nanos((self.last_s * 1e9).ceil() as u64 + 1)
    }

    /// The time that it has had.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock_goes_on_at().since(Offset::ZERO)
    }

    /// The number of the first request from here on.
    pub(crate) fn first_request(&self) -> u64 {
        (self.run.resumptions.len() as u64 + 1) * REQUESTS_PER_START
    }

    /// The records, from the first level on.
    pub(crate) fn requests(&self) -> Result<Requests<io::BufReader<fs::File>>, FileFault> {
        Requests::open(&self.folder.join(REQUESTS)).map_err(FileFault::Unreadable)
    }

    /// A fault of the records, with their file.
    pub(crate) fn of_requests(&self, fault: FileFault) -> FolderFault {
        let path = self.folder.join(REQUESTS);
        FolderFault::File { path, fault }
    }

    /// Cuts off what is not of a finished level, and half-written lines.
    pub(super) fn cut(&self, disk: &dyn Disk) -> io::Result<()> {
        let files = [(REQUESTS, self.requests), (SIGNALS, Some(self.signals))];
        // The log last: as long as it has not changed this can be done again.
        for (name, whole) in files {
            let path = self.folder.join(name);
            match whole {
                Some(whole) if path.exists() => files::cut(disk, &path, whole)?,
                _ => {}
            }
        }
        files::cut(disk, &self.folder.join(EVENTS), self.log)
    }

    fn check_requests(&self) -> Result<Whole, FileFault> {
        if self.levels == 0 && !self.folder.join(REQUESTS).exists() {
            return Ok(Whole::default());
        }
        let mut requests = self.requests()?;
        let mut ids = HashSet::new();
        for (level, sum) in self.finished().iter().zip(&self.sums) {
            requests.check(level, *sum, &mut ids)?;
        }
        Ok(requests.whole())
    }
}

/// The plan of the log. The time for the search may have been set anew since `run.json` was written.
fn with_budget_of(log: &Run, older: &Run) -> RunPlan {
    let mut plan = log.plan.clone();
    if let (Goal::Search(now), Some(then)) = (&mut plan.goal, older.plan.search()) {
        now.budget_s = then.budget_s;
    }
    plan
}

/// `run.json` follows the log, so it may be older, and is written anew. It must not know more.
/// Whether it is as new as the log.
pub(super) fn check_run_file(folder: &Path, log: &Run) -> Result<bool, FileFault> {
    let bytes = match fs::read(folder.join(RUN)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(FileFault::Unreadable(error)),
    };
    let Ok(run) = format_of(&bytes)?.run(&bytes) else {
        return Ok(false);
    };
    if (&run.started_utc, &run.plan) != (&log.started_utc, &with_budget_of(log, &run)) {
        return Err(FileFault::OtherRun);
    }
    // A run that was resumed may have dropped a level that was cut off.
    let knows = |run: &Run| (run.resumptions.len(), run.levels.len());
    let (more, less) = (knows(&run), knows(log));
    if more > less {
        return Err(FileFault::KnowsMore {
            levels: more.1,
            in_log: less.1,
        });
    }
    Ok(run == *log)
}
