//! The requests of a level on their way into `requests.jsonl`, while it goes on.

use std::io;

use plimsoll_core::record::{RequestLine, RequestTrace};

use super::files::{self, LinesSum};
use super::{Folder, REQUESTS};
use crate::fault::Failure;

/// What has been written of the requests of one level.
pub(crate) struct LevelRequests<'a> {
    folder: &'a Folder,
    sum: LinesSum,
}

impl<'a> LevelRequests<'a> {
    pub(super) fn begin(folder: &'a Folder) -> Self {
        Self {
            folder,
            sum: LinesSum::default(),
        }
    }

    /// Adds requests that ended. A crash may lose them as long as their level goes on.
    ///
    /// # Errors
    /// The disk is full, or what else the system says.
    pub(crate) fn add<'r>(
        &mut self,
        requests: impl Iterator<Item = &'r RequestTrace>,
    ) -> Result<(), Failure> {
        let path = self.folder.path.join(REQUESTS);
        let added = files::add(&path, requests.map(RequestLine::from), &mut self.sum);
        self.written(added)
    }

    /// Brings them onto the disk. Returns the sum of their lines, which the event that ends the level
    /// states; what is added next is of the next level.
    ///
    /// # Errors
    /// As of [`add`](Self::add).
    pub(crate) fn end(&mut self) -> Result<u32, Failure> {
        self.written(files::sync(&self.folder.path.join(REQUESTS)))?;
        Ok(self.sum.end())
    }

    fn written(&self, done: io::Result<()>) -> Result<(), Failure> {
        Ok(done.map_err(|error| self.folder.unwritten(REQUESTS, error))?)
    }
}
