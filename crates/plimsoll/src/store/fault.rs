//! What is wrong with a run folder and its files.

use std::io;
use std::path::PathBuf;

use plimsoll_core::run::SCHEMA_VERSION;
use thiserror::Error;

use super::EVENTS;

/// A folder that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum FolderFault {
    /// Nothing to go on with.
    #[error("`{}` has no run in it: there is no `{EVENTS}`", .0.display())]
    NoRun(PathBuf),
    /// Nothing is written over.
    #[error("`{}` has a run in it", .0.display())]
    HasRun(PathBuf),
    /// Another process writes into it.
    #[error("another run is being written in `{}`", .0.display())]
    BeingWritten(PathBuf),
    /// Another process goes on with it.
    #[error("the run in `{}` is still going on", .0.display())]
    GoingOn(PathBuf),
    /// The system refuses.
    #[error("`{}` cannot be written: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    /// A file of it.
    #[error("`{}` {fault}", path.display())]
    File { path: PathBuf, fault: FileFault },
}

/// What is wrong with a file, as words behind its name.
#[derive(Debug, Error)]
pub(crate) enum FileFault {
    /// The system refuses.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// It was written by a newer version.
    #[error("is of schema version {0}, and this program knows versions up to {SCHEMA_VERSION}")]
    NewerSchema(u32),
    /// It is no run file.
    #[error("is no run: {0}")]
    NoRun(serde_json::Error),
    /// It is no file of several runs.
    #[error("has no answers of several runs: {0}")]
    NoRepeats(serde_json::Error),
    /// A log without its first event.
    #[error("does not begin with the start of a run")]
    NoStart,
    /// A log with events behind its last.
    #[error("goes on after the end of its run")]
    GoesOn,
    /// A log with a second first event.
    #[error("has two runs in it")]
    TwoRuns,
    /// A level is missing from a log.
    #[error("has a hole: level {found} follows where level {due} is due")]
    LevelMissing { found: u32, due: u32 },
    /// The counts of a level are not those of requests that came and went.
    #[error("has a level {0} whose requests do not add up")]
    OddCounts(u32),
    /// A time is negative, or longer than any run.
    #[error("has an impossible `{name}`: {seconds} seconds")]
    ImpossibleTime { name: &'static str, seconds: f64 },
    /// A line of a log cannot be read.
    #[error("has a hole: line {line} is no event ({error})")]
    NoEvent {
        line: usize,
        error: serde_json::Error,
    },
    /// A line of requests cannot be read.
    #[error("has a hole: line {line}, of level {level}, is no request ({error})")]
    NoRequest {
        line: u64,
        level: u32,
        error: serde_json::Error,
    },
    /// Requests of another level come early.
    #[error("has a hole: line {line} is of level {found}, where level {due} is due")]
    RequestsMissing { line: u64, found: u32, due: u32 },
    /// Requests of the last levels are missing.
    #[error("ends before line {line}: requests of level {level} are missing")]
    EndsEarly { line: u64, level: u32 },
    /// A request has two lines.
    #[error("has request {id} a second time, in line {line}")]
    RequestTwice { line: u64, id: u64 },
    /// A request that ends before it begins, or after its level.
    #[error("has stamps that cannot be, in line {line}")]
    ImpossibleStamps { line: u64 },
    /// Lines were changed.
    #[error(
        "does not have the requests that ended on level {0}: lines were lost, doubled or changed"
    )]
    OtherRequests(u32),
    /// A line of samples cannot be read.
    #[error("has a hole: line {line} is no sample ({error})")]
    NoSample {
        line: usize,
        error: serde_json::Error,
    },
    /// What a level says does not follow from the samples.
    #[error("does not give what level {0} says of the server: samples of it are missing")]
    SamplesMissing(u32),
    /// Files of two runs in one folder.
    #[error("belongs to another run than `{EVENTS}` beside it")]
    OtherRun,
    /// The log has lost its end.
    #[error(
        "knows {levels} levels, and `{EVENTS}` beside it {in_log}: a part of the log is missing"
    )]
    KnowsMore { levels: usize, in_log: usize },
}
