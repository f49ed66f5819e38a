//! Exit codes: the answer for machines.

use std::fmt;

use plimsoll_load::error::LoadError;
use plimsoll_load::fetch::FetchError;
use plimsoll_load::preflight::PreflightError;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It ran, and there is an answer.
    Done,
    /// A fault of the tool, or of the machine it runs on.
    Fault,
    /// The arguments or the plan make no sense.
    Usage,
    /// It ran; even the first level breaks the SLO.
    NotMet,
    /// The server cannot be reached, or refuses from the start.
    Unreachable,
    /// It ran; the data do not decide.
    Inconclusive,
    /// Interrupted; a partial run was written, if it had begun.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> i32 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::Usage => 2,
            Self::NotMet => 3,
            Self::Unreachable => 4,
            Self::Inconclusive => 5,
            Self::Interrupted => 130,
        }
    }
}

/// Why the program cannot go on, for a person, with the way out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    text: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            text: text.into(),
            hint: None,
        }
    }

    /// The user stopped it before there was anything to keep.
    pub(crate) fn interrupted() -> Self {
        Self {
            exit: Exit::Interrupted,
            text: "interrupted before the run".to_owned(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A fault of the tool or its machine, with all its causes.
    pub(crate) fn fault(error: &anyhow::Error) -> Self {
        Self {
            exit: Exit::Fault,
            text: format!("{error:#}"),
            hint: None,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::fault(&error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::from(PreflightError::from(error))
    }
}

impl From<PreflightError> for Failure {
    fn from(error: PreflightError) -> Self {
        let exit = match &error {
            PreflightError::Load(LoadError::Worker(_) | LoadError::WorkerLost) => Exit::Fault,
            PreflightError::Load(error) | PreflightError::Fetch(FetchError::Setup(error))
                if is_usage(error) =>
            {
                Exit::Usage
            }
            PreflightError::UnknownModel { .. }
            | PreflightError::TooLong { .. }
            | PreflightError::NoModels => Exit::Usage,
            _ => Exit::Unreachable,
        };
        let hint = error.hint().map(str::to_owned);
        Self {
            exit,
            text: format!("{:#}", anyhow::Error::from(error)),
            hint,
        }
    }
}

/// Files and local addresses that were typed and cannot be used.
fn is_usage(error: &LoadError) -> bool {
    matches!(
        error,
        LoadError::Tls(_) | LoadError::SourceIp { .. } | LoadError::OtherFamily { .. }
    )
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
