//! Widths in terminal columns: tables, padding and wrapping, where a Chinese character takes two.

use std::io;

use comfy_table::{LineStyle, TableStyle};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Punctuation that must not begin a line.
const CLOSING: &str = "，。、；：！？）》”";
/// Punctuation that must not end a line.
const OPENING: &str = "（《“";

/// Signs that stay with the number or the name before them; a bound stays with its sign.
const SIGNS: &str = "%≤≥";

/// Tables have no borders, and a line under the heading.
pub(crate) const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Width of `text` in terminal columns.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` filled with spaces on the left up to `columns`.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", fill(text, columns))
}

/// `text` filled with spaces on the right up to `columns`.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", fill(text, columns))
}

/// `text` with a large first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn fill(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

/// Cuts `text` into lines of at most `columns`: between words, and between Chinese characters.
/// What has no place to break stays whole.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if !line.is_empty() && width(&line) + width(piece.trim_end()) > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        line.push_str(if line.is_empty() {
            piece.trim_start()
        } else {
            piece
        });
    }
    if !line.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Writes `text` behind a label, its further lines below its first.
pub(crate) fn hang(
    label: &str,
    text: &str,
    columns: usize,
    w: &mut dyn io::Write,
) -> io::Result<()> {
    let indent = width(label);
    let lines = wrap(text, columns.saturating_sub(indent));
    for (at, line) in lines.iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        writeln!(w, "{}{line}", left(label, indent))?;
    }
    Ok(())
}

/// The parts between which a line may break.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, now) in text.char_indices() {
        let is_bound = SIGNS.contains(now) || text[start..at].trim_end().ends_with(['≤', '≥']);
        if at > start && !is_bound && before.is_some_and(|before| may_break(before, now)) {
            out.push(&text[start..at]);
            start = at;
        }
        before = Some(now);
    }
    out.push(&text[start..]);
    out
}

fn may_break(before: char, now: char) -> bool {
    let wide = |one: char| one.width() == Some(2);
    if CLOSING.contains(now) || OPENING.contains(before) {
        return false;
    }
    before == ' ' || (now != ' ' && (wide(before) || wide(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_characters_take_two_columns() {
        assert_eq!(right("达标", 6), "  达标");
        assert_eq!(left("pass", 6), "pass  ");
    }

    #[test]
    fn lines_break_between_words_and_keep_units() {
        let lines = wrap("success of 99 % is met by one", 13);
        assert_eq!(lines, ["success of", "99 % is met", "by one"]);
        assert_eq!(
            wrap("success ≥ 99 % is met", 12),
            ["success ≥ 99 %", "is met"]
        );
        assert!(wrap("", 10).is_empty());
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_its_punctuation() {
        let lines = wrap("可承载四十八路，满足。", 14);
        assert_eq!(lines, ["可承载四十八", "路，满足。"]);
        assert!(lines.iter().all(|line| width(line) <= 14));
    }
}
