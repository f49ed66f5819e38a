//! What a level that was held says: does the load hold?

use serde::{Deserialize, Serialize};

use crate::level::{LevelSummary, LevelVerdict};

/// The answer of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// Every objective is met, decided at 95 %.
    Holds,
    /// Not decided, and nothing looks broken.
    NotContradicted,
    /// An objective is broken, decided at 95 %.
    Broken,
    /// More arrives than is carried: the number of requests grows.
    Unstable,
    /// Not decided, and an objective looks broken; or too little was seen.
    Inconclusive,
    /// The load was not delivered as asked: nothing is said of the server.
    Void,
    /// No server was there any more.
    ServerGone,
}

impl CheckVerdict {
    /// What the level says.
    pub(super) fn of(level: &LevelSummary) -> Self {
        if level.shows_no_server() {
            return Self::ServerGone;
        }
        match level.verdict {
            LevelVerdict::Void => Self::Void,
            LevelVerdict::Fail if level.is_unstable() => Self::Unstable,
            LevelVerdict::Fail => Self::Broken,
            _ if level.says_nothing() => Self::Inconclusive,
            LevelVerdict::Pass => Self::Holds,
            LevelVerdict::Undecided | LevelVerdict::Screened
                if level.is_broken() || level.unanswered().is_some() =>
            {
                Self::Inconclusive
            }
            LevelVerdict::Undecided | LevelVerdict::Screened => Self::NotContradicted,
        }
    }

    /// Whether the load may be relied on as far as is known.
    pub fn holds(self) -> bool {
        matches!(self, Self::Holds | Self::NotContradicted)
    }
}
