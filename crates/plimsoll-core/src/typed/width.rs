//! Characters as a Chinese keyboard types them.

/// The ASCII character that a full-width one stands for, or the character itself. One for one, so
/// that a place in the text stays the same.
pub fn half_width(one: char) -> char {
    match one {
        // The full-width forms of ASCII, from `！` to `～`.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(one) - 0xfee0).unwrap_or(one),
        '\u{3000}' => ' ',
        '《' | '〈' => '<',
        '》' | '〉' => '>',
        '。' => '.',
        '、' => ',',
        other => other,
    }
}

/// A text in lower case, with [`half_width`] characters.
pub fn narrow(text: &str) -> String {
    text.chars()
        .map(half_width)
        .map(|one| one.to_ascii_lowercase())
        .collect()
}
