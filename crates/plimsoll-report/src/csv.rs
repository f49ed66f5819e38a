//! The levels of a document as CSV (RFC 4180): one row a load, values in full, names for machines.
//!
//! A quantile of several visits has two columns, its least and its largest.

use std::io;

use csv::{Terminator, WriterBuilder};
use plimsoll_core::level::Load;

use crate::document::{Cell, Column, Document, Row};
use crate::lang::Lang;

/// Writes the levels of a document. The first column tells in what the load is counted; an absent
/// value is an empty field.
pub fn render(document: &Document, w: &mut dyn io::Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(w);
    let levels = &document.levels;
    let heads = levels.columns.iter().enumerate().flat_map(|(at, column)| {
        let first = levels.rows.first().map(|row| row.cells[at]);
        names(column, first)
    });
    let mut all = vec!["load_unit".to_owned()];
    all.extend(heads);
    all.extend(["visits".to_owned(), "is_cap".to_owned()]);
    writer.write_record(&all)?;
    for row in &levels.rows {
        writer.write_record(fields(row, document.lang))?;
    }
    writer.flush()
}

fn names(column: &Column, cell: Option<Cell>) -> Vec<String> {
    match cell {
        Some(Cell::Quantile(_)) => {
            let key = &column.key;
            vec![format!("{key}_least"), format!("{key}_most")]
        }
        _ => vec![column.key.clone()],
    }
}

fn fields(row: &Row, lang: Lang) -> Vec<String> {
    let unit = match row.load {
        Load::Streams(_) => "streams",
        Load::RatePerS(_) => "request_per_s",
    };
    let mut all = vec![unit.to_owned()];
    all.extend(row.cells.iter().flat_map(|cell| values(*cell, lang)));
    all.extend([row.visits.to_string(), row.is_cap.to_string()]);
    all
}

fn values(cell: Cell, lang: Lang) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let percent = |ratio: Option<f64>| number(ratio.map(|ratio| ratio * 100.0));
    match cell {
        Cell::Load(load) | Cell::OtherLoad(load) => vec![load.amount().to_string()],
        Cell::Verdict(_) => vec![cell.text(lang)],
        Cell::Count(count) => vec![count.map_or_else(String::new, |count| count.to_string())],
        Cell::Success(ratio) | Cell::Share(ratio) => vec![percent(ratio)],
        Cell::Number(value) => vec![number(value)],
        Cell::Quantile(range) => vec![
            number(range.map(|range| range.least)),
            number(range.map(|range| range.most)),
        ],
    }
}
