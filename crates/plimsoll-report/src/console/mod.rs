//! A document on a terminal: first what to do, then what is doubtful, then the levels.

mod levels;

use std::io;

use crate::check;
use crate::document::{Document, Headline};
use crate::lang::Lang;
use crate::layout;

/// How much of a document is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The answer, what is doubtful, failures, the levels.
    Answer,
    /// The details as well.
    Details,
}

/// Writes a document for a terminal of `width` columns.
pub fn render(
    document: &Document,
    depth: Depth,
    width: u16,
    w: &mut dyn io::Write,
) -> io::Result<()> {
    let columns = usize::from(width);
    headlines(document, columns, w)?;
    for caution in &document.cautions {
        layout::hang("! ", caution, columns, w)?;
    }
    failures(document, columns, w)?;
    if let Some(held) = &document.held {
        check::write(held, columns, w)?;
    } else if !document.levels.rows.is_empty() {
        writeln!(w)?;
        for line in levels::lines(&document.levels, document.lang, columns) {
            writeln!(w, "{line}")?;
        }
    }
    tiers(document, columns, w)?;
    match depth {
        Depth::Details => details(document, columns, w),
        Depth::Answer => more(document, columns, w),
    }
}

fn headlines(document: &Document, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    let lines = &document.headlines.lines;
    let indent = label_width(lines);
    for line in lines {
        let label = layout::left(line.label, indent);
        layout::hang(&label, &line.text, columns, w)?;
    }
    Ok(())
}

fn label_width(lines: &[Headline]) -> usize {
    let widths = lines.iter().map(|line| layout::width(line.label));
    widths.max().unwrap_or(0) + 3
}

fn failures(document: &Document, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    let failures = &document.failures;
    let sign = if failures.classes.is_empty() {
        "  "
    } else {
        "! "
    };
    layout::hang(sign, &failures.summary, columns, w)?;
    failures
        .classes
        .iter()
        .try_for_each(|class| layout::hang("    ", &class.text, columns, w))
}

fn tiers(document: &Document, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    match &document.tiers {
        Some(table) => crate::tiers::write(table, columns, w),
        None => Ok(()),
    }
}

fn details(document: &Document, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    for detail in &document.details {
        writeln!(w, "\n{}", layout::capitalised(detail.heading))?;
        for line in &detail.lines {
            layout::hang("- ", line, columns, w)?;
        }
    }
    Ok(())
}

/// Where the details are.
fn more(document: &Document, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    if document.details.is_empty() {
        return Ok(());
    }
    let topics: Vec<&str> = document
        .details
        .iter()
        .map(|detail| detail.heading)
        .collect();
    let topics = topics.join(document.lang.pick(", ", "、"));
    let text = match document.lang {
        Lang::En => format!("More with --details: {topics}."),
        Lang::Zh => format!("加 --details 可看：{topics}。"),
    };
    writeln!(w)?;
    for line in layout::wrap(&text, columns) {
        writeln!(w, "{line}")?;
    }
    Ok(())
}
