//! Arguments of `plimsoll report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::value::LangArg;

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The run: its folder, or its run.json.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Form of the report: text for a terminal, md for Markdown, csv for the levels alone, json for
    /// the run itself.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: FormatArg,
    /// With text: also the test, throughput and knees, the client, what the words mean.
    #[arg(long)]
    pub(crate) details: bool,
    /// Language of what people read.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: LangArg,
}

/// Form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// For a terminal.
    Text,
    /// Markdown.
    Md,
    /// The levels as CSV.
    Csv,
    /// The run as JSON, in today's schema.
    Json,
}
