//! Where a run begins.

use std::path::Path;

use crate::fault::Failure;
use crate::store::{Folder, Saved};

/// Where a run begins.
pub(super) enum Start {
    /// At its first level.
    Fresh { folder: Folder, at: jiff::Timestamp },
    /// After its last finished level.
    Again { folder: Folder, saved: Box<Saved> },
}

impl Start {
    /// In a folder of its own.
    pub(super) fn fresh(out: Option<&Path>) -> Result<Self, Failure> {
        let at = jiff::Timestamp::now();
        Ok(Self::Fresh {
            folder: Folder::create(out, (at, "find"))?,
            at,
        })
    }

    pub(super) fn folder(&self) -> &Folder {
        match self {
            Self::Fresh { folder, .. } | Self::Again { folder, .. } => folder,
        }
    }

    pub(super) fn saved(&self) -> Option<&Saved> {
        match self {
            Self::Fresh { .. } => None,
            Self::Again { saved, .. } => Some(saved),
        }
    }
}
