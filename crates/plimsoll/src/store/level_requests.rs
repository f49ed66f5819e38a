//! The requests of a level on their way into `requests.jsonl`, while it goes on.

use std::io;

use plimsoll_core::record::{RequestLine, RequestTrace};

use super::files::Lines;
use super::{Folder, REQUESTS};
use crate::fault::Failure;

/// What is written of the requests of one level.
pub(crate) struct LevelRequests<'a> {
    folder: &'a Folder,
    lines: Lines,
}

impl<'a> LevelRequests<'a> {
    /// Opens the file, whose name is on the disk then.
    ///
    /// # Errors
    /// The disk is full, or what else the system says.
    pub(super) fn begin(folder: &'a Folder) -> Result<Self, Failure> {
        let path = folder.path.join(REQUESTS);
        let lines = Lines::open(folder.disk.as_ref(), &path);
        let lines = written(folder, lines)?;
        Ok(Self { folder, lines })
    }

    /// Adds requests that ended. A crash may lose or tear them as long as their level goes on.
    ///
    /// # Errors
    /// As of the file.
    pub(crate) fn add<'r>(
        &mut self,
        requests: impl Iterator<Item = &'r RequestTrace>,
    ) -> Result<(), Failure> {
        let added = self.lines.add(requests.map(RequestLine::from));
        written(self.folder, added)
    }

    /// Brings them onto the disk. Returns the sum of their lines, which the event that ends the level
    /// states.
    ///
    /// # Errors
    /// As of the file.
    pub(crate) fn end(&mut self) -> Result<u32, Failure> {
        let sum = self.lines.sync();
        written(self.folder, sum)
    }
}

fn written<T>(folder: &Folder, done: io::Result<T>) -> Result<T, Failure> {
    Ok(done.map_err(|error| folder.unwritten(REQUESTS, error))?)
}
