//! Words of others, made safe to show: with nothing that a terminal obeys or that does not show.
//!
//! | for | function |
//! |---|---|
//! | what a peer said, within a sentence | [`quoted`]: on one line, and short |
//! | all that goes to a terminal | [`visible`] |
//! | all that is written as JSON | [`visible_json`] |
//! | names that are sent and shown | [`is_plain`]: what is not is refused |

use std::borrow::Cow;

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

/// Text for a terminal: what it would obey or not show stands as its code, but for the ends of lines,
/// LF and CR LF, and tabs.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_shown = |c: char| matches!(c, '\n' | '\t') || !is_unseen(c);
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_line = c == '\r' && rest.peek() == Some(&'\n');
        if is_shown(c) || ends_line {
            out.push(c);
        } else {
            push(&mut out, c);
        }
    }
    Cow::Owned(out)
}

/// JSON as it was written, with each character that would not show as JSON's own escape for it. Such
/// characters stand in strings alone.
pub fn visible_json(text: &str) -> Cow<'_, str> {
    let is_unseen = |c: char| !matches!(c, '\n' | '\t' | '\r') && is_unseen(c);
    // Nearly all of it is numbers, and JSON writes what is below a blank as its escape.
    let is_plain = text.is_ascii() && memchr::memchr(0x7f, text.as_bytes()).is_none();
    if is_plain || !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unseen(c) {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            out.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// The longest name that is taken for one, bytes.
const LONGEST_NAME: usize = 1024;

/// Whether a text can be a name: of one line that shows as it is, and of 1,024 bytes at most.
pub fn is_plain(name: &str) -> bool {
    name.len() <= LONGEST_NAME && !has_unseen(name)
}

/// Whether something stands in a text that a terminal would obey or not show.
pub fn has_unseen(text: &str) -> bool {
    text.contains(is_unseen)
}

fn push(out: &mut String, c: char) {
    if is_unseen(c) {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Control characters, marks of direction, joiners, ends of lines other than LF, and code points that
/// are no characters (Unicode 16, chapters 23.2, 23.7 and 23.9).
fn is_unseen(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(
            c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{e0000}'..='\u{e007f}'
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

    const UNSEEN: [char; 16] = [
        '\0',
        '\u{7}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{61c}',
        '\u{200e}',
        '\u{2028}',
        '\u{202e}',
        '\u{2069}',
        '\u{feff}',
        '\u{fdd0}',
        '\u{ffff}',
        '\u{1fffe}',
        '\u{e0041}',
    ];

    #[test]
    fn no_function_lets_through_what_does_not_show() {
        for c in UNSEEN {
            let text = format!("首{c}字");
            assert!(!quoted(&text).contains(c), "{text:?}");
            let shown = visible(&text);
            assert!(!shown.contains(c) && shown.contains("\\u{"), "{shown:?}");
            let json = serde_json::to_string(&text).unwrap();
            let shown = visible_json(&json);
            assert!(!shown.contains(c), "{shown:?}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
            assert!(!is_plain(&text), "{text:?}");
        }
    }

    #[test]
    fn what_shows_stays_as_it_is() {
        assert_eq!(visible("a,b\r\nc\rd\r"), "a,b\r\nc\\u{d}d\\u{d}");
        let text = "服务 a\tb\nc é 😀";
        assert!(matches!(visible(text), Cow::Borrowed(_)));
        assert!(matches!(visible_json(text), Cow::Borrowed(_)));
        assert!(is_plain("Qwen/Qwen3-8B é 模型"));
        assert!(!is_plain("a\nb") && !is_plain(&"a".repeat(LONGEST_NAME + 1)));
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = quoted(&"字".repeat(500));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
    }
}
