//! Arguments of `plimsoll completions` and `plimsoll man`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

/// The commands that have a page of their own.
const PAGES: [&str; 6] = ["find", "check", "plan", "report", "sim", "selftest"];

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell that reads the script.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command to describe; the program as a whole if not given.
    #[arg(id = "page", value_name = "COMMAND", value_parser = PossibleValuesParser::new(PAGES))]
    pub(crate) page: Option<String>,
}
