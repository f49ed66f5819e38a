//! Why the program cannot go on: types, and their words in either language.
//!
//! The English words of a fault stand at its type (`Display`), in this crate and in the libraries.
//! The Chinese ones stand here, one file for each area, as an exhaustive `match`: what has no
//! translation does not compile. Words that are not ours (of the system, a library or the server) are
//! quoted as they are.
//!
//! | file | whose faults |
//! |---|---|
//! | `again` | runs of the past that are gone on with, or judged again |
//! | `ask` | arguments that contradict each other, or lack something |
//! | `machine` | what this machine cannot hold |
//! | `connect`, `fetch`, `tls` | the way to the server |
//! | `preflight` | what the server is not |
//! | `store` | run folders and their files |
//! | `sim` | the built-in engine |
//! | `usage`, `value` | a command line that cannot be read, the value of one argument |
//! | `system` | what the operating system refuses, JSON that cannot be read |
//! | `hint` | the ways out |

mod again;
mod ask;
mod connect;
mod fetch;
mod hint;
mod machine;
mod preflight;
mod sim;
mod store;
mod system;
mod tls;
mod usage;
mod value;
mod words;

use std::fmt;

use plimsoll_core::slo::SloError;
use plimsoll_load::error::LoadError;
use plimsoll_load::fetch::FetchError;
use plimsoll_load::preflight::PreflightError;
use plimsoll_load::target::{HeaderFault, RouteError, TargetError};
use plimsoll_report::lang::Lang;
use thiserror::Error;

pub(crate) use again::AgainFault;
pub(crate) use ask::AskFault;
pub(crate) use hint::Hint;
pub(crate) use machine::MachineFault;
pub(crate) use sim::EngineFault;
pub(crate) use system::WriteFault;
pub(crate) use usage::UsageFault;
pub(crate) use value::ValueFault;
pub(crate) use words::{Words, chain};

use crate::exit::Exit;
use crate::measure::no_effect::NoEffect;
use crate::proxy::ProxyError;
use crate::store::FolderFault;

/// What is wrong.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// The user stopped it before there was anything to keep.
    #[error("interrupted before the run")]
    Interrupted,
    /// More requests failed than the user lets.
    #[error("--max-failures: {failed} requests failed, and {most} may; the run was ended")]
    TooManyFailures { failed: u64, most: u32 },
    /// Arguments that make no sense together.
    #[error(transparent)]
    Ask(#[from] AskFault),
    /// An option that changes nothing.
    #[error(transparent)]
    NoEffect(#[from] NoEffect),
    /// The machine has less than is needed.
    #[error(transparent)]
    Machine(#[from] MachineFault),
    /// The address is none.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The proxy's address is none.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The server is not ready.
    #[error("{}", chain(.0))]
    Preflight(Box<PreflightError>),
    /// An objective is none.
    #[error(transparent)]
    Slo(#[from] SloError),
    /// The command line cannot be read.
    #[error(transparent)]
    Usage(#[from] UsageFault),
    /// The built-in engine.
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// A run of the past.
    #[error(transparent)]
    Again(#[from] AgainFault),
    /// The way to the server.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A header, or the key that would stand in one.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// A run folder.
    #[error(transparent)]
    Folder(#[from] FolderFault),
    /// What cannot be written.
    #[error(transparent)]
    Write(#[from] WriteFault),
    /// The tool itself.
    #[error("{0:#}")]
    Tool(anyhow::Error),
}

impl Fault {
    /// How the program ends by it.
    fn exit(&self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::TooManyFailures { .. } => Exit::Inconclusive,
            Self::Preflight(error) => by_preflight(error),
            Self::Write(_) | Self::Tool(_) => Exit::Fault,
            Self::Ask(_)
            | Self::NoEffect(_)
            | Self::Machine(_)
            | Self::Target(_)
            | Self::Proxy(_)
            | Self::Slo(_)
            | Self::Usage(_)
            | Self::Engine(_)
            | Self::Again(_)
            | Self::Route(_)
            | Self::Header(_)
            | Self::Folder(_) => Exit::Usage,
        }
    }

    /// The way out that goes with the fault wherever it comes up.
    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Preflight(error) => preflight::hint(error),
            Self::Machine(fault) => Some(fault.hint()),
            Self::Ask(AskFault::NotUtf8 { .. }) => Some(Hint::WriteUtf8),
            Self::Ask(AskFault::NotMeant { .. }) => Some(Hint::SayYes),
            Self::Ask(AskFault::NoKey) => Some(Hint::ExportKey),
            Self::Ask(AskFault::MoreThanNothing(_)) => Some(Hint::MoreBudget),
            _ => None,
        }
    }
}

fn by_preflight(error: &PreflightError) -> Exit {
    match error {
        PreflightError::Load(LoadError::Worker(_) | LoadError::WorkerLost) => Exit::Fault,
        PreflightError::Load(error) | PreflightError::Fetch(FetchError::Setup(error))
            if is_usage(error) =>
        {
            Exit::Usage
        }
        PreflightError::UnknownModel { .. }
        | PreflightError::TooLong { .. }
        | PreflightError::ContextTooShort { .. }
        | PreflightError::PromptsCut { .. }
        | PreflightError::NoModels
        | PreflightError::ModelName(_) => Exit::Usage,
        _ => Exit::Unreachable,
    }
}

/// Files and local addresses that were typed and cannot be used.
fn is_usage(error: &LoadError) -> bool {
    matches!(
        error,
        LoadError::Tls(_) | LoadError::SourceIp { .. } | LoadError::OtherFamily { .. }
    )
}

impl Words for Fault {
    fn zh(&self) -> String {
        match self {
            Self::Interrupted => "测试开始前已被中断".to_owned(),
            Self::TooManyFailures { failed, most } => {
                format!("--max-failures：已有 {failed} 个请求失败，超过上限 {most}，测试已结束")
            }
            Self::Ask(fault) => fault.zh(),
            Self::NoEffect(fault) => fault.zh(),
            Self::Machine(fault) => fault.zh(),
            Self::Target(error) => error.zh(),
            Self::Proxy(error) => error.zh(),
            Self::Preflight(error) => error.zh(),
            Self::Slo(error) => error.zh(),
            Self::Usage(error) => error.zh(),
            Self::Engine(fault) => fault.zh(),
            Self::Again(fault) => fault.zh(),
            Self::Route(error) => error.zh(),
            Self::Header(fault) => fault.zh(),
            Self::Folder(fault) => fault.zh(),
            Self::Write(fault) => fault.zh(),
            Self::Tool(error) => match error.downcast_ref::<LoadError>() {
                Some(error) => error.zh(),
                None => format!("程序自身出错：「{error:#}」"),
            },
        }
    }
}

/// A fault behind its mark, and below it what to do about it.
pub(crate) fn with_hint(fault: &str, hint: Option<String>, lang: Lang) -> String {
    let (error, way_out) = match lang {
        Lang::En => ("error: ", "hint: "),
        Lang::Zh => ("错误：", "提示："),
    };
    match hint {
        Some(hint) => format!("{error}{fault}\n{way_out}{hint}"),
        None => format!("{error}{fault}"),
    }
}

/// Something to know that stops nothing, behind its mark.
pub(crate) fn warning(words: &impl Words, lang: Lang) -> String {
    let mark = match lang {
        Lang::En => "warning: ",
        Lang::Zh => "注意：",
    };
    format!("{mark}{}", words.words(lang))
}

/// Why the program cannot go on, with the way out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    fault: Box<Fault>,
    hint: Option<Hint>,
}

impl Failure {
    /// For a person.
    pub(crate) fn words(&self, lang: Lang) -> String {
        let hint = self.hint.as_ref().map(|hint| hint.words(lang));
        with_hint(&self.fault.words(lang), hint, lang)
    }

    /// The same with a way out.
    pub(crate) fn hint(mut self, hint: Hint) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// In English, for tests and logs.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}

impl<T: Into<Fault>> From<T> for Failure {
    fn from(fault: T) -> Self {
        let fault = fault.into();
        Self {
            exit: fault.exit(),
            hint: fault.hint(),
            fault: Box::new(fault),
        }
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Tool(error)
    }
}

impl From<PreflightError> for Fault {
    fn from(error: PreflightError) -> Self {
        Self::Preflight(Box::new(error))
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        PreflightError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_is_lost_is_a_fault_of_the_tool() {
        assert_eq!(Failure::from(LoadError::WorkerLost).exit, Exit::Fault);
    }
}
