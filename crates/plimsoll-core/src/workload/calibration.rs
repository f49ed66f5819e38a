//! Prompts of words whose length in tokens the server itself has told.

/// How many words make a prompt of a given number of tokens: tokens = `fixed` + `per_word` · words,
/// measured on the server itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Tokens of an empty prompt: template and special tokens.
    pub fixed_tokens: f64,
    /// Tokens of one word.
    pub tokens_per_word: f64,
}

impl Calibration {
    /// Fits two measurements of (words, tokens); `None` if they do not rise.
    pub fn fit(short: (u32, u32), long: (u32, u32)) -> Option<Self> {
        let words = f64::from(long.0) - f64::from(short.0);
        let tokens = f64::from(long.1) - f64::from(short.1);
        (words > 0.0 && tokens > 0.0).then(|| {
            let tokens_per_word = tokens / words;
            Self {
                fixed_tokens: f64::from(short.1) - tokens_per_word * f64::from(short.0),
                tokens_per_word,
            }
        })
    }

    /// Words for a prompt of `tokens`, at least one.
    pub fn words_for(&self, tokens: u32) -> u32 {
        ((f64::from(tokens) - self.fixed_tokens) / self.tokens_per_word)
            .round()
            .max(1.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_inverts_its_fit() {
        let fitted = Calibration::fit((10, 17), (110, 127)).unwrap();
        assert_eq!(fitted.words_for(512), 460);
        assert_eq!(fitted.words_for(1), 1);
        assert_eq!(Calibration::fit((10, 17), (110, 17)), None);
    }
}
