//! Levels that have ended, as lines of live progress in the order run.

mod progress;

pub use progress::progress_line;

use plimsoll_core::level::{LevelSummary, Load};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::telemetry::ServerWindow;

use crate::lang::Lang;
use crate::layout;
use crate::number::{MISSING, cell, percent, percent_down};
use crate::words;

/// A column: its heading, cut for narrow tables, its unit, and its value.
struct Column {
    en: &'static [&'static str],
    zh: &'static [&'static str],
    unit: &'static str,
    /// Room for a usual value in a line of live progress.
    room: usize,
    cell: fn(&LevelSummary, Lang) -> Option<String>,
}

const COLUMNS: [Column; 12] = [
    Column {
        en: &["streams"],
        zh: &["并发"],
        unit: "",
        room: 4,
        cell: |level, _| Some(load_cell(level.load)),
    },
    Column {
        en: &["verdict"],
        zh: &["结论"],
        unit: "",
        room: 9,
        cell: |level, lang| Some(words::level_verdict(level.verdict, lang).to_owned()),
    },
    Column {
        en: &["requests"],
        zh: &["请求数"],
        unit: "",
        room: 5,
        cell: |level, _| {
            let counts = &level.requests;
            Some((counts.completed_in_window + counts.failed_in_window).to_string())
        },
    },
    Column {
        en: &["success"],
        zh: &["成功率"],
        unit: "%",
        room: 4,
        cell: |level, _| level.success_ratio.map(percent_down),
    },
    Column {
        en: &["req/s"],
        zh: &["QPS"],
        unit: "",
        room: 5,
        cell: |level, _| level.request_per_s.map(cell),
    },
    Column {
        en: &["TTFT", "mean"],
        zh: &["平均", "TTFT"],
        unit: "ms",
        room: 5,
        cell: |level, _| level.ttft_ms.mean.map(cell),
    },
    Column {
        en: &["TTFT", "p95"],
        zh: &["P95", "TTFT"],
        unit: "ms",
        room: 5,
        cell: |level, _| level.ttft_ms.p95.map(cell),
    },
    Column {
        en: &["TPOT", "mean"],
        zh: &["平均", "TPOT"],
        unit: "ms",
        room: 4,
        cell: |level, _| level.tpot_ms.mean.map(cell),
    },
    Column {
        en: &["per", "stream"],
        zh: &["单路", "速度"],
        unit: "tok/s",
        room: 5,
        cell: |level, _| level.speed_tok_per_s.mean.map(cell),
    },
    Column {
        en: &["all"],
        zh: &["总吞吐"],
        unit: "tok/s",
        room: 5,
        cell: |level, _| level.output_tokens_per_s.map(cell),
    },
    Column {
        en: &["e2e", "mean"],
        zh: &["平均", "时延"],
        unit: "s",
        room: 4,
        cell: |level, _| level.e2e_ms.mean.map(|ms| cell(ms / 1_000.0)),
    },
    Column {
        en: &["KV", "max"],
        zh: &["KV", "峰值"],
        unit: "%",
        room: 3,
        cell: |level, _| kv_max(level).map(percent),
    },
];

/// Streams by their number alone; arrivals with their unit, as both stand in a search by rate.
fn load_cell(load: Load) -> String {
    match load {
        Load::Streams(streams) => streams.to_string(),
        Load::RatePerS(rate) => format!("{rate}/s"),
    }
}

fn kv_max(level: &LevelSummary) -> Option<f64> {
    level
        .server
        .as_ref()
        .and_then(|server: &ServerWindow| server.kv_used_ratio_max)
}

impl Column {
    fn heading(&self, lang: Lang) -> &'static [&'static str] {
        lang.pick(self.en, self.zh)
    }

    /// The heading in lines, the unit last.
    fn lines(&self, lang: Lang) -> Vec<String> {
        let parts = self.heading(lang).iter();
        let mut lines: Vec<String> = parts.map(|part| (*part).to_owned()).collect();
        if !self.unit.is_empty() {
            lines.push(self.unit.to_owned());
        }
        lines
    }

    fn text(&self, level: &LevelSummary, lang: Lang) -> String {
        (self.cell)(level, lang).unwrap_or_else(|| MISSING.to_owned())
    }

    /// Its width in a line of live progress.
    fn width(&self, lang: Lang) -> usize {
        let heading = self.lines(lang);
        let widest = heading.iter().map(|line| layout::width(line)).max();
        self.room.max(widest.unwrap_or(0))
    }

    fn is_word(&self) -> bool {
        self.en == ["verdict"]
    }
}

/// Headings of as many lines each, the short ones at the bottom.
fn at_the_bottom(headings: Vec<Vec<String>>) -> Vec<String> {
    let height = headings.iter().map(Vec::len).max().unwrap_or(0);
    headings
        .into_iter()
        .map(|lines| format!("{}{}", "\n".repeat(height - lines.len()), lines.join("\n")))
        .collect()
}

/// One level as a line of live progress; lines have the columns of [`level_header`].
pub fn level_row(level: &LevelSummary, lang: Lang) -> String {
    line(lang, |column| column.text(level, lang))
}

/// The heading of lines made by [`level_row`], in three lines without an end of line at its end.
///
/// The first one says what the loads count; by rate a baseline and saturating streams stand between
/// the rates, and each rate has its unit.
pub fn level_header(unit: LoadUnit, lang: Lang) -> String {
    let mut heads: Vec<Vec<String>> = COLUMNS.iter().map(|one| one.lines(lang)).collect();
    let counted = match unit {
        LoadUnit::Streams => None,
        LoadUnit::Users => Some(lang.pick("users", "用户数")),
        LoadUnit::RatePerS => Some(lang.pick("load", "负载")),
    };
    if let (Some(first), Some(counted)) = (heads.first_mut(), counted) {
        *first = vec![counted.to_owned()];
    }
    let heads = at_the_bottom(heads);
    let heads: Vec<Vec<&str>> = heads
        .iter()
        .map(|head| head.split('\n').collect())
        .collect();
    let height = heads.first().map_or(0, Vec::len);
    let lines: Vec<String> = (0..height)
        .map(|at| {
            let mut heads = heads.iter();
            line(lang, |_| {
                heads.next().map_or("", |head| head[at]).to_owned()
            })
        })
        .collect();
    lines.join("\n")
}

fn line(lang: Lang, mut text: impl FnMut(&Column) -> String) -> String {
    let cells: Vec<String> = COLUMNS
        .iter()
        .map(|column| {
            let (text, width) = (text(column), column.width(lang));
            if column.is_word() {
                layout::left(&text, width)
            } else {
                layout::right(&text, width)
            }
        })
        .collect();
    cells.join(" ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::load_cell;
    use plimsoll_core::level::Load;

    #[test]
    fn streams_and_arrivals_are_told_apart() {
        assert_eq!(load_cell(Load::Streams(48)), "48");
        assert_eq!(load_cell(Load::RatePerS(12.5)), "12.5/s");
    }
}
