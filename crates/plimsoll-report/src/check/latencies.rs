//! The latencies of a check, by quantile.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use plimsoll_core::check::Check;
use plimsoll_core::stats::Summary;

use crate::lang::Lang;
use crate::layout::STYLE;
use crate::number::{MISSING, cell};

/// Latencies in ms, a row each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// The headings of the columns; the first is the unit.
    pub heads: [String; 7],
    /// Name, number of values, mean and quantiles.
    pub rows: Vec<[String; 7]>,
}

impl Latencies {
    pub(super) fn of(check: Check<'_>, lang: Lang) -> Self {
        let (mean, max) = lang.pick(("mean", "max"), ("平均", "最大"));
        let level = &check.level;
        let rows = [
            ("TTFT", &level.ttft_ms),
            ("TPOT", &level.tpot_ms),
            ("E2E", &level.e2e_ms),
        ];
        Self {
            heads: ["ms", "n", mean, "p50", "p95", "p99", max].map(str::to_owned),
            rows: rows.map(|(name, summary)| row(name, summary)).into(),
        }
    }

    /// As a table for a terminal, without an end of line at its end.
    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        let _ = table
            .load_style(STYLE)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(&self.heads);
        for row in &self.rows {
            let _ = table.add_row(row);
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            let _ = column.set_padding((0, 2));
            column.set_cell_alignment(if i == 0 {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            });
        }
        let lines = table.lines();
        let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }
}

fn row(name: &str, summary: &Summary) -> [String; 7] {
    let text = |value: Option<f64>| value.map_or_else(|| MISSING.to_owned(), cell);
    [
        name.to_owned(),
        summary.n.to_string(),
        text(summary.mean),
        text(summary.p50),
        text(summary.p95),
        text(summary.p99),
        text(summary.max),
    ]
}
