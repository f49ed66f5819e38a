//! What a terminal must not obey: a last guard over everything that goes to stdout and stderr,
//! whoever said it.

use std::io::{self, Write};

use plimsoll_core::quote::visible;

/// A writer of text that passes on what shows, and the code of what does not.
pub(crate) struct Visible<W: Write> {
    to: W,
    /// The beginning of a character, or of an end of a line, that was cut.
    cut: Vec<u8>,
}

impl<W: Write> Visible<W> {
    /// Writes to `to`.
    pub(crate) fn new(to: W) -> Self {
        let cut = Vec::new();
        Self { to, cut }
    }
}

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&all) {
            // `None` where the text ends within a character.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(text) if text.ends_with('\r') => all.len() - 1,
            _ => all.len(),
        };
        self.cut = all.split_off(whole);
        let text = String::from_utf8_lossy(&all);
        self.to.write_all(visible(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What was held back shows at the end.
impl<W: Write> Drop for Visible<W> {
    fn drop(&mut self) {
        let cut = String::from_utf8_lossy(&self.cut);
        drop(self.to.write_all(visible(&cut).as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_pieces_shows_as_the_whole_does() {
        let text = "首\u{1b}[31m字\u{9b}m\r\nen\rd\u{202e}\n";
        for piece in 1..text.len() {
            let mut shown = Vec::new();
            let mut out = Visible::new(&mut shown);
            for piece in text.as_bytes().chunks(piece) {
                out.write_all(piece).unwrap();
            }
            drop(out);
            let shown = String::from_utf8(shown).unwrap();
            assert_eq!(shown, "首\\u{1b}[31m字\\u{9b}m\r\nen\\u{d}d\\u{202e}\n");
        }
    }
}
