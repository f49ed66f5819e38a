//! Why a run could not be made at all, with the exit code that says so.

use std::fmt;

use plimsoll_report::lang::Lang;

pub(crate) use super::fault::BenchFault;
pub(crate) use super::way_out::{Instead, WayOut};
use crate::fault::{Words, with_hint};

/// The arguments make no run.
pub(crate) const EXIT_USAGE: i32 = 2;
/// The run could not be made, or every request of it failed.
pub(crate) const EXIT_FAILED: i32 = 1;
/// The user stopped the run; what was measured until then is printed.
pub(crate) const EXIT_INTERRUPTED: i32 = 130;

/// A run that does not come about.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code.
    pub(crate) code: i32,
    /// What is wrong.
    pub(crate) fault: Box<BenchFault>,
    /// What to do about it.
    pub(crate) hint: Option<WayOut>,
}

impl Failure {
    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: WayOut) -> Self {
        self.hint = Some(hint);
        self
    }

    /// For a person.
    pub(crate) fn words(&self, lang: Lang) -> String {
        let hint = self.hint.as_ref().map(|hint| hint.words(lang));
        with_hint(&self.fault.words(lang), hint, lang)
    }
}

impl<T: Into<BenchFault>> From<T> for Failure {
    fn from(fault: T) -> Self {
        let fault = fault.into();
        Self {
            code: fault.code(),
            hint: fault.hint(),
            fault: Box::new(fault),
        }
    }
}

/// In English, for tests and logs.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}
