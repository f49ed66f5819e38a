//! `--dry-run`: the plan, and nothing sent.

use std::io::{self, StdoutLock, Write};

use serde::Serialize;

use crate::exit::Exit;
use crate::fault::{Failure, WriteFault};

/// Prints what a command would do: as JSON, or as `render` writes it.
pub(crate) fn show<D: Serialize>(
    dry: &D,
    json: bool,
    render: impl FnOnce(&D, &mut StdoutLock<'_>) -> io::Result<()>,
) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let written = if json {
        serde_json::to_string_pretty(dry)
            .map_err(io::Error::from)
            .and_then(|text| writeln!(out, "{text}"))
    } else {
        render(dry, &mut out)
    };
    match written {
        // A reader that has seen enough closed the pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written.map_err(WriteFault::Stdout)?,
    }
    Ok(Exit::Done)
}
