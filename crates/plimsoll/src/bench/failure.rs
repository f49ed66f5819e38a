//! Why a run could not be made at all, with the exit code that says so.

use std::fmt;

/// The arguments make no run.
pub(crate) const EXIT_USAGE: i32 = 2;
/// The run could not be made, or every request of it failed.
pub(crate) const EXIT_FAILED: i32 = 1;
/// The user stopped the run; what was measured until then is printed.
pub(crate) const EXIT_INTERRUPTED: i32 = 130;

/// A run that does not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Exit code.
    pub(crate) code: i32,
    /// What is wrong, readable after `error: `.
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// The arguments are wrong.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            code: EXIT_USAGE,
            text: text.into(),
            hint: None,
        }
    }

    /// The arguments are fine but the run cannot be made.
    pub(crate) fn run(text: impl Into<String>) -> Self {
        Self {
            code: EXIT_FAILED,
            text: text.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.text)?;
        self.hint
            .as_ref()
            .map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}
