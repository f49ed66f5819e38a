//! The terminal: progress on stderr, data on stdout.

use std::io::{self, IsTerminal, Write};

use plimsoll_core::level::LevelSummary;
use plimsoll_core::quote::visible;
use plimsoll_core::run::Run;
use plimsoll_core::runner::Progress;
use plimsoll_report::lang::Lang;
use plimsoll_report::live::{level_row, progress_line};

use crate::fault::{Words, warning};
use crate::secrets;

/// To the beginning of the line, and away with what stood there (ECMA-48 §8.3.41).
const CLEAR: &str = "\r\x1b[K";
/// Columns of a terminal that does not tell its width.
const LIVE_COLUMNS: usize = 79;

/// Columns of a report that goes to no terminal.
const UNBOUND_COLUMNS: u16 = 120;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Nothing.
    Quiet,
    /// One line a level.
    Plain,
    /// A line that changes while a level runs and becomes its row when it ends.
    Live,
}

/// Shows what happens. A terminal that goes away is no reason to lose a run: errors are passed over.
pub(crate) struct Console {
    style: Style,
    lang: Lang,
}

impl Console {
    pub(crate) fn new(quiet: bool, lang: Lang) -> Self {
        let style = match (quiet, io::stderr().is_terminal()) {
            (true, _) => Style::Quiet,
            (false, true) => Style::Live,
            (false, false) => Style::Plain,
        };
        Self { style, lang }
    }

    /// One line that stays.
    pub(crate) fn say(&self, line: &str) {
        if self.style != Style::Quiet {
            write("", &format!("{line}\n"));
        }
    }

    /// Where the run is: no progress, and wanted also where that is not.
    pub(crate) fn where_it_is(line: &str) {
        write("", &format!("{line}\n"));
    }

    /// Something to know that stops nothing. It is no progress, so it is said also where that is not
    /// wanted.
    pub(crate) fn warn(&self, words: &impl Words) {
        write("", &format!("{}\n", warning(words, self.lang)));
    }

    /// What a running level looks like now.
    pub(crate) fn show(&self, run: &Run, progress: &Progress<'_>) {
        if self.style == Style::Live {
            // One column stays free: a line as wide as the terminal would wrap.
            let width = terminal_size::terminal_size_of(io::stderr())
                .map_or(LIVE_COLUMNS, |(width, _)| {
                    usize::from(width.0.saturating_sub(1))
                });
            let line = progress_line(run, progress, self.lang, width);
            write(CLEAR, &line);
        }
    }

    /// Takes the line of live progress away.
    pub(crate) fn clear(&self) {
        if self.style == Style::Live {
            write(CLEAR, "");
        }
    }

    /// A level that is over.
    pub(crate) fn level(&self, summary: &LevelSummary) {
        let start = if self.style == Style::Live { CLEAR } else { "" };
        if self.style != Style::Quiet {
            write(start, &format!("{}\n", level_row(summary, self.lang)));
        }
    }

    /// Width of the terminal that the report goes to. A file or a pipe has none: `COLUMNS` says it, as
    /// POSIX has it, or nothing does.
    pub(crate) fn width() -> u16 {
        let of_terminal = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
        of_terminal
            .or_else(of_environment)
            .unwrap_or(UNBOUND_COLUMNS)
    }
}

fn of_environment() -> Option<u16> {
    let columns = std::env::var("COLUMNS").ok()?.parse().ok()?;
    (columns > 0).then_some(columns)
}

/// Writes what moves the cursor, and text after it that cannot.
fn write(moves: &str, text: &str) {
    let mut err = io::stderr().lock();
    let text = secrets::hidden(text);
    drop(write!(err, "{moves}{}", visible(&text)));
    drop(err.flush());
}
