//! What can be said in both languages.

use std::error::Error;
use std::fmt::Display;

use plimsoll_report::lang::Lang;

/// Something that is said to people. In English it is what `Display` says.
pub(crate) trait Words: Display {
    /// In Chinese.
    fn zh(&self) -> String;

    /// In a language.
    fn words(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.to_string(),
            Lang::Zh => self.zh(),
        }
    }
}

/// An error's English words and those of its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
