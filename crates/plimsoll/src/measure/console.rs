//! The terminal: progress on stderr, data on stdout.

use std::io::{self, IsTerminal, Write};

use plimsoll_core::level::{LevelSummary, Phase};
use plimsoll_core::runner::Progress;
use plimsoll_core::stats::mean;
use plimsoll_report::lang::Lang;
use plimsoll_report::live::level_row;
use plimsoll_report::load::load_text;

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
            write(&format!("{line}\n"));
        }
    }

    /// What a running level looks like now.
    pub(crate) fn show(&self, progress: &Progress<'_>) {
        if self.style == Style::Live {
            write(&format!("\r\x1b[K{}", self.live_line(progress)));
        }
    }

    /// Takes the line of live progress away.
    pub(crate) fn clear(&self) {
        if self.style == Style::Live {
            write("\r\x1b[K");
        }
    }

    /// A level that is over.
    pub(crate) fn level(&self, summary: &LevelSummary) {
        let start = if self.style == Style::Live {
            "\r\x1b[K"
        } else {
            ""
        };
        if self.style != Style::Quiet {
            write(&format!("{start}{}\n", level_row(summary, self.lang)));
        }
    }

    /// Width of the terminal that the report goes to; a file or a pipe has none and gets 120.
    pub(crate) fn width() -> u16 {
        terminal_size::terminal_size_of(io::stdout()).map_or(120, |(width, _)| width.0)
    }

    fn live_line(&self, progress: &Progress<'_>) -> String {
        let level = progress.level;
        let elapsed = progress.now.since(level.started_at()).as_secs_f64();
        let since = level.window_from().unwrap_or(level.started_at());
        let span = progress.now.since(since).as_secs_f64();
        let recent = || {
            level
                .ledger()
                .ended()
                .iter()
                .filter(|record| record.done >= since)
        };
        let completed = recent()
            .filter(|record| record.outcome.is_completed())
            .count();
        let failed = recent()
            .filter(|record| record.outcome.is_failure())
            .count();
        let ttft: Vec<f64> = recent()
            .filter_map(plimsoll_core::record::RequestRecord::ttft_ms)
            .collect();
        let load = load_text(level.plan().load, self.lang);
        let rate = if span > 0.0 {
            completed as f64 / span
        } else {
            0.0
        };
        let ttft = mean(&ttft).map_or("–".to_owned(), |ms| format!("{ms:.0}"));
        let success = if completed + failed == 0 {
            "–".to_owned()
        } else {
            format!(
                "{:.1} %",
                completed as f64 / (completed + failed) as f64 * 100.0
            )
        };
        let phase = match (level.phase(), self.lang) {
            (Phase::Handover, Lang::En) => "starting",
            (Phase::Settle, Lang::En) => "settling",
            (Phase::Window, Lang::En) => "counting",
            (Phase::Handover, Lang::Zh) => "加压中",
            (Phase::Settle, Lang::Zh) => "趋稳中",
            (Phase::Window, Lang::Zh) => "计数中",
        };
        match self.lang {
            Lang::En => format!(
                "{load} · {phase} {elapsed:.0} s · {rate:.1} req/s · TTFT {ttft} ms · success {success}"
            ),
            Lang::Zh => format!(
                "{load} · {phase} {elapsed:.0} 秒 · {rate:.1} 请求/秒 · 首字 {ttft} 毫秒 · 成功率 {success}"
            ),
        }
    }
}

fn write(text: &str) {
    let mut err = io::stderr().lock();
    drop(err.write_all(text.as_bytes()));
    drop(err.flush());
}
