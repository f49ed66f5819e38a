//! A document as Markdown (GitHub's tables), for an issue, a wiki or a merge request.

use std::io;

use crate::check::Held;
use crate::document::{Align, Column, Document, LevelTable, Row};
use crate::lang::Lang;
use crate::layout;

/// Writes a document as Markdown.
pub fn render(document: &Document, w: &mut dyn io::Write) -> io::Result<()> {
    let lang = document.lang;
    let title = lang.pick("Load line of", "承载能力：");
    writeln!(w, "# {title} {}\n", escaped(&document.title))?;
    headlines(document, w)?;
    list(&document.cautions, w)?;
    failures(document, w)?;
    if let Some(found) = &document.held {
        held(found, w)?;
    } else {
        levels(&document.levels, lang, w)?;
    }
    if let Some(tiers) = &document.tiers {
        writeln!(w, "\n{}\n", escaped(&tiers.above))?;
        table(&tiers.heads, tiers.rows.iter().map(|row| row.to_vec()), w)?;
        list(&tiers.notes, w)?;
    }
    for detail in &document.details {
        writeln!(w, "\n## {}", escaped(&layout::capitalised(detail.heading)))?;
        list(&detail.lines, w)?;
    }
    Ok(())
}

fn headlines(document: &Document, w: &mut dyn io::Write) -> io::Result<()> {
    writeln!(w, "| | |\n|---|---|")?;
    for line in &document.headlines.lines {
        writeln!(w, "| **{}** | {} |", line.label, escaped(&line.text))?;
    }
    Ok(())
}

fn list(lines: &[String], w: &mut dyn io::Write) -> io::Result<()> {
    if !lines.is_empty() {
        writeln!(w)?;
    }
    lines
        .iter()
        .try_for_each(|line| writeln!(w, "- {}", escaped(line)))
}

fn failures(document: &Document, w: &mut dyn io::Write) -> io::Result<()> {
    writeln!(w, "\n{}", escaped(&document.failures.summary))?;
    let classes = document.failures.classes.iter();
    let classes: Vec<String> = classes.map(|class| class.text.clone()).collect();
    list(&classes, w)
}

fn held(held: &Held, w: &mut dyn io::Write) -> io::Result<()> {
    writeln!(w, "\n| | |\n|---|---|")?;
    for row in &held.found {
        writeln!(w, "| {} | {} |", row.name, escaped(&row.text))?;
    }
    let Some(latencies) = &held.latencies else {
        return Ok(());
    };
    writeln!(w)?;
    let rows = latencies.rows.iter().map(|row| row.to_vec());
    table(&latencies.heads, rows, w)
}

fn levels(levels: &LevelTable, lang: Lang, w: &mut dyn io::Write) -> io::Result<()> {
    if levels.rows.is_empty() {
        return Ok(());
    }
    writeln!(w)?;
    let heading = |column: &Column| match column.unit {
        "" => column.heading.clone(),
        unit => format!("{} {unit}", column.heading),
    };
    let headings: Vec<String> = levels.columns.iter().map(heading).collect();
    writeln!(w, "| {} |", escaped_cells(&headings))?;
    let rules: Vec<&str> = levels
        .columns
        .iter()
        .map(|column| match column.align {
            Align::Left => "---",
            Align::Right => "--:",
        })
        .collect();
    writeln!(w, "|{}|", rules.join("|"))?;
    for row in &levels.rows {
        writeln!(w, "| {} |", cells(row, lang))?;
    }
    Ok(())
}

/// The row of the load to set is bold.
fn cells(row: &Row, lang: Lang) -> String {
    let texts = row.cells.iter().map(|cell| {
        let text = cell.text(lang);
        if row.is_cap {
            format!("**{text}**")
        } else {
            text
        }
    });
    texts.collect::<Vec<_>>().join(" | ")
}

fn table(
    heads: &[String],
    rows: impl Iterator<Item = Vec<String>>,
    w: &mut dyn io::Write,
) -> io::Result<()> {
    writeln!(w, "| {} |", escaped_cells(heads))?;
    writeln!(w, "|{}", "---|".repeat(heads.len()))?;
    for row in rows {
        writeln!(w, "| {} |", escaped_cells(&row))?;
    }
    Ok(())
}

fn escaped_cells(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| escaped(text)).collect();
    texts.join(" | ")
}

/// Text of a server or a user must not become markup, and a cell has one line.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' => out.push_str("<br>"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_no_markup() {
        assert_eq!(
            escaped("a|b <script> *x* [y](z)\nc"),
            "a\\|b &lt;script&gt; \\*x\\* \\[y\\](z)<br>c"
        );
    }
}
