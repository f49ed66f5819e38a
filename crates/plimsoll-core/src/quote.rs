//! Words of a server, made safe to show: on one line, short, and with nothing that a terminal obeys.

/// More characters than this are cut.
const LONGEST: usize = 120;

/// What a peer said, for people: control characters and what changes the direction of writing stand
/// as their code, white space is one space, and what is over 120 characters ends in `…`.
pub fn quoted(text: &str) -> String {
    let mut words = text.split_whitespace().peekable();
    let mut out = String::new();
    while let Some(word) = words.next() {
        word.chars().for_each(|c| push(&mut out, c));
        if words.peek().is_some() {
            out.push(' ');
        }
    }
    match out.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

fn push(out: &mut String, c: char) {
    if c.is_control() || is_invisible(c) {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Marks of direction, joiners and characters that do not exist (Unicode 16, chapter 23).
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        assert_eq!(quoted("red \x1b[31m now"), "red \\u{1b}[31m now");
        assert_eq!(quoted("a\u{202e}b\u{0}"), "a\\u{202e}b\\u{0}");
        assert_eq!(quoted("two\r\n  lines"), "two lines");
        assert_eq!(quoted("服务繁忙，请稍后"), "服务繁忙，请稍后");
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = quoted(&"字".repeat(500));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
    }
}
