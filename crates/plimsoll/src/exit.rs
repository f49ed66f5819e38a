//! Exit codes: the answer for machines.

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
