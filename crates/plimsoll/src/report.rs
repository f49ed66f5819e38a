//! `plimsoll report`: a run on disk, told again in any form and either language.

use plimsoll_report::console::{self, Depth};
use plimsoll_report::document::Document;
use plimsoll_report::lang::Lang;
use plimsoll_report::run_file::run_file;
use plimsoll_report::{csv, markdown};

use crate::cli::{FormatArg, ReportArgs};
use crate::exit::Exit;
use crate::fault::Failure;
use crate::measure::Console;
use crate::output::{print, print_json};
use crate::store::read_run;

/// Reads the run and writes it to stdout.
pub(crate) fn run(args: &ReportArgs, lang: Lang) -> Result<Exit, Failure> {
    let run = read_run(&args.run)?;
    let document = || Document::of(&run, lang);
    let depth = if args.details {
        Depth::Details
    } else {
        Depth::Answer
    };
    match args.format {
        FormatArg::Text => print(|out| console::render(&document(), depth, Console::width(), out)),
        FormatArg::Md => print(|out| markdown::render(&document(), out)),
        FormatArg::Csv => print(|out| csv::render(&document(), out)),
        FormatArg::Json => print_json(&run_file(&run)),
    }?;
    Ok(Exit::Done)
}
