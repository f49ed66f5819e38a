//! The table of levels on a terminal: the columns that have room, and bars in what is left.

use crate::document::{Align, Bars, Column, LevelTable, Row};
use crate::lang::Lang;
use crate::layout;

/// Between two columns.
const GAP: usize = 2;
/// Before the first column: the mark of the load to set, and a space.
const MARK: usize = 2;
/// Cells of a bar that is as long as the bound.
const WHOLE_BAR: usize = 10;
/// Bars grow to so many wholes, then they are cut.
const LONGEST: f64 = 1.5;
/// Room for the longest bar and the sign that it goes on.
const BAR_ROOM: usize = 16;

/// The lines of the table, within `width` columns as far as the needed columns allow.
pub(super) fn lines(table: &LevelTable, lang: Lang, width: usize) -> Vec<String> {
    let columns = Laid::of(table, lang, width);
    let mut lines = columns.heading(table);
    lines.extend(
        table
            .rows
            .iter()
            .enumerate()
            .map(|(at, row)| columns.row(at, row)),
    );
    lines
}

/// The columns chosen, as texts with their widths.
struct Laid {
    chosen: Vec<Chosen>,
    has_bars: bool,
}

struct Chosen {
    heading: [String; 2],
    cells: Vec<String>,
    align: Align,
    width: usize,
}

impl Laid {
    fn of(table: &LevelTable, lang: Lang, width: usize) -> Self {
        let all: Vec<Chosen> = (0..table.columns.len())
            .map(|at| Chosen::of(table, at, lang))
            .collect();
        let needed = |at: usize| table.columns[at].rank == 0;
        let taken = |at: usize| all[at].width + GAP;
        let least: usize = (0..all.len()).filter(|at| needed(*at)).map(taken).sum();
        let free = width.saturating_sub(MARK + least);
        // Bars come before the columns that only wide terminals have.
        let has_bars = table.bars.is_some() && free >= BAR_ROOM;
        let mut free = free.saturating_sub(if has_bars { BAR_ROOM } else { 0 });
        let mut shown: Vec<bool> = (0..all.len()).map(needed).collect();
        let mut others: Vec<usize> = (0..all.len()).filter(|at| !needed(*at)).collect();
        others.sort_by_key(|at| table.columns[*at].rank);
        for at in others {
            if taken(at) <= free {
                free -= taken(at);
                shown[at] = true;
            }
        }
        let chosen = all.into_iter().zip(shown).filter(|(_, shown)| *shown);
        Self {
            chosen: chosen.map(|(one, _)| one).collect(),
            has_bars,
        }
    }

    fn heading(&self, table: &LevelTable) -> Vec<String> {
        let bars = table.bars.as_ref().filter(|_| self.has_bars);
        let bars = bars.map_or([String::new(), String::new()], bar_heading);
        let line = |at: usize, bars: &str| {
            let cells = self.chosen.iter().map(|one| one.placed(&one.heading[at]));
            format!("{}{}{bars}", " ".repeat(MARK), joined(cells))
                .trim_end()
                .to_owned()
        };
        let lines = [line(0, &bars[0]), line(1, &bars[1])];
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }

    fn row(&self, at: usize, row: &Row) -> String {
        let mark = if row.is_cap { "▶ " } else { "  " };
        let cells = self.chosen.iter().map(|one| one.placed(&one.cells[at]));
        let bar = row.bar_ratio.filter(|_| self.has_bars).map(bar);
        format!("{mark}{}{}", joined(cells), bar.unwrap_or_default())
            .trim_end()
            .to_owned()
    }
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.fold(String::new(), |line, cell| line + &cell + &" ".repeat(GAP))
}

impl Chosen {
    fn of(table: &LevelTable, at: usize, lang: Lang) -> Self {
        let column = &table.columns[at];
        let heading = heading(column);
        let cells: Vec<String> = table
            .rows
            .iter()
            .map(|row| row.cells[at].text(lang))
            .collect();
        let texts = heading.iter().chain(&cells);
        Self {
            width: texts.map(|text| layout::width(text)).max().unwrap_or(0),
            heading,
            cells,
            align: column.align,
        }
    }

    fn placed(&self, text: &str) -> String {
        match self.align {
            Align::Left => layout::left(text, self.width),
            Align::Right => layout::right(text, self.width),
        }
    }
}

/// The name above its unit; a name of several words above its last one.
fn heading(column: &Column) -> [String; 2] {
    let name = &column.heading;
    match (name.rsplit_once(' '), column.unit) {
        (None, "") => [String::new(), name.clone()],
        (None, unit) => [name.clone(), unit.to_owned()],
        (Some((first, last)), "") => [first.to_owned(), last.to_owned()],
        (Some((first, last)), unit) => [first.to_owned(), format!("{last} {unit}")],
    }
}

fn bar_heading(bars: &Bars) -> [String; 2] {
    let whole = format!("{}│", " ".repeat(WHOLE_BAR));
    [bars.heading.clone(), whole]
}

/// A bar in eighths of a cell, with the bound marked.
fn bar(ratio: f64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let shown = ratio.clamp(0.0, LONGEST);
    let eighths = (shown * WHOLE_BAR as f64 * 8.0).round() as usize;
    let mut bar: Vec<char> = vec!['█'; eighths / 8];
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    if ratio > LONGEST {
        bar.push('▸');
    }
    while bar.len() < WHOLE_BAR {
        bar.push(' ');
    }
    if bar.len() == WHOLE_BAR {
        bar.push('│');
    }
    bar.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_of_the_bound() {
        assert_eq!(bar(0.0), "          │");
        assert_eq!(bar(0.55), "█████▌    │");
        assert_eq!(bar(1.0), "██████████│");
        assert_eq!(bar(1.05), "██████████▌");
        assert_eq!(bar(7.0), "███████████████▸");
    }
}
