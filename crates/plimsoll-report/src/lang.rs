//! The language a report is written in.

/// The language of titles, labels and sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The language of a locale's name: Chinese for `zh`, `zh_CN.UTF-8`, `zh-Hans` …, else English.
    pub fn from_locale(locale: &str) -> Self {
        let starts_zh = locale
            .trim()
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("zh"));
        if starts_zh { Self::Zh } else { Self::En }
    }

    /// The text of this language.
    pub(crate) fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_name_their_language() {
        for zh in ["zh", "zh_CN.UTF-8", "zh-Hans", "ZH_TW", " zh_SG"] {
            assert_eq!(Lang::from_locale(zh), Lang::Zh, "{zh}");
        }
        for en in ["", "C", "en_US.UTF-8", "de_DE", "z", "é"] {
            assert_eq!(Lang::from_locale(en), Lang::En, "{en}");
        }
    }
}
