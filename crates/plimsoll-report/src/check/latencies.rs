//! The latencies of a check, by quantile.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use plimsoll_core::check::Check;
use plimsoll_core::stats::Summary;

use crate::lang::Lang;
use crate::number::{MISSING, cell};
use crate::table::STYLE;

/// One row for each latency, in ms; without an end of line at its end.
pub(super) fn latencies(check: Check<'_>, lang: Lang) -> String {
    let level = &check.level;
    let mut table = Table::new();
    let heads = [
        "ms",
        "n",
        lang.pick("mean", "平均"),
        "p50",
        "p95",
        "p99",
        lang.pick("max", "最大"),
    ];
    let _ = table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heads.map(Cell::new));
    for (name, summary) in [
        ("TTFT", &level.ttft_ms),
        ("TPOT", &level.tpot_ms),
        ("E2E", &level.e2e_ms),
    ] {
        let _ = table.add_row(row(name, summary));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        let _ = column.set_padding((0, 2));
        column.set_cell_alignment(if i == 0 {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        });
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
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
