//! What goes to stdout: for people or, as JSON, for machines.

use std::io::{self, Write};

use plimsoll_core::quote::visible_json;
use plimsoll_report::console::Depth;
use plimsoll_report::lang::Lang;
use serde::Serialize;

use crate::cli::ShowArgs;
use crate::fault::{Failure, WriteFault};
use crate::visible::Visible;

/// How a command shows what it has.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) lang: Lang,
    pub(crate) json: bool,
    pub(crate) depth: Depth,
    /// No progress.
    pub(crate) quiet: bool,
}

impl Shown {
    pub(crate) fn of(args: &ShowArgs, lang: Lang) -> Self {
        Self {
            lang,
            json: args.json,
            depth: if args.details {
                Depth::Details
            } else {
                Depth::Answer
            },
            quiet: args.quiet || args.json,
        }
    }
}

/// Prints data: as JSON, or as `render` writes it.
pub(crate) fn show<D: Serialize>(
    data: &D,
    json: bool,
    render: impl FnOnce(&D, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    if json {
        return print_json(data);
    }
    print(|out| render(data, out))
}

/// Writes data to stdout as JSON.
pub(crate) fn print_json(data: &impl Serialize) -> Result<(), Failure> {
    print(|out| {
        let text = serde_json::to_string_pretty(data)?;
        writeln!(out, "{}", visible_json(&text))
    })
}

/// Writes to stdout. A reader that has seen enough may close the pipe.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    match write(&mut Visible::new(io::stdout().lock())) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.map_err(WriteFault::Stdout)?),
    }
}
