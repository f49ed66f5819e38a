//! Shares: `95%`, and `0.95` where it cannot mean anything else.
//!
//! A share is written with its `%`. A ratio below 1 is taken only where a share of less than 1 %
//! makes no sense: there it has one reading. Every other bare number is refused with what it may
//! have meant, since one of the two would be wrong by a factor of a hundred, and no answer would show it.

use thiserror::Error;

use super::narrow;

/// Between which bounds a share lies, both included, as ratios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShareBounds {
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

/// Why a text is no share.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShareError {
    /// It is no number.
    #[error("`{0}` is no share; write one such as 95%")]
    NotAShare(String),
    /// It may be a percentage or a ratio.
    #[error("`{typed}` may be {percent} or {ratio}: write the one that is meant with its `%`")]
    Ambiguous {
        /// As typed.
        typed: String,
        /// As a percentage.
        percent: String,
        /// As a ratio, in percent.
        ratio: String,
    },
    /// It can only be a percentage, and does not say so.
    #[error("`{typed}` has no unit: write {percent}")]
    NoUnit {
        /// As typed.
        typed: String,
        /// As a percentage.
        percent: String,
    },
    /// It is out of bounds.
    #[error("`{typed}` must be from {least} to {most}")]
    OutOfBounds {
        /// As typed.
        typed: String,
        /// The smallest, in percent.
        least: String,
        /// The largest, in percent.
        most: String,
    },
}

impl ShareBounds {
    /// Bounds as ratios.
    pub const fn new(least: f64, most: f64) -> Self {
        Self { least, most }
    }

    /// Reads a share, and returns it as a ratio.
    ///
    /// # Errors
    /// It is no number, out of bounds, or has two readings.
    pub fn parse(self, text: &str) -> Result<f64, ShareError> {
        let typed = || text.trim().to_owned();
        let plain = narrow(text);
        let (number, has_unit) = match plain.trim().strip_suffix('%') {
            Some(number) => (number.trim(), true),
            None => (plain.trim(), false),
        };
        let value: f64 = number.parse().map_err(|_| ShareError::NotAShare(typed()))?;
        if !value.is_finite() {
            return Err(ShareError::NotAShare(typed()));
        }
        let ratio = if has_unit {
            // Rounded, so that 99.9 % and 0.999 are one share.
            (value * 1e7).round() / 1e9
        } else if value <= 0.0 || (self.takes_ratios() && value < 1.0) {
            // Nothing is nothing in both readings.
            value
        } else {
            return Err(bare(typed(), value));
        };
        if ratio >= self.least && ratio <= self.most {
            return Ok(ratio);
        }
        Err(ShareError::OutOfBounds {
            typed: typed(),
            least: percent(self.least * 100.0),
            most: percent(self.most * 100.0),
        })
    }

    /// Whether a number below 1 has one reading: as a percentage it would be below the bounds.
    fn takes_ratios(self) -> bool {
        self.least >= 0.01
    }
}

/// A number without `%`.
fn bare(typed: String, value: f64) -> ShareError {
    let as_percent = percent(value);
    if value <= 1.0 {
        ShareError::Ambiguous {
            typed,
            percent: as_percent,
            ratio: percent(value * 100.0),
        }
    } else {
        ShareError::NoUnit {
            typed,
            percent: as_percent,
        }
    }
}

/// `95%`, without what binary fractions add.
fn percent(value: f64) -> String {
    format!("{}%", (value * 1e6).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A success rate: 0.95 % is within its bounds.
    const WIDE: ShareBounds = ShareBounds::new(0.001, 0.9999);
    /// A headroom: nothing below 1 %.
    const NARROW: ShareBounds = ShareBounds::new(0.01, 1.0);

    #[test]
    fn shares_are_read_with_their_unit_or_where_they_have_one_reading() {
        for (bounds, text, expected) in [
            (WIDE, "95%", 0.95),
            (WIDE, "99.9 %", 0.999),
            (WIDE, "95％", 0.95),
            (WIDE, "0.5%", 0.005),
            (NARROW, "75%", 0.75),
            (NARROW, "0.75", 0.75),
            (NARROW, "100%", 1.0),
            (NARROW, "1%", 0.01),
            (ShareBounds::new(0.0, 0.9), "0", 0.0),
        ] {
            let found = bounds.parse(text).unwrap();
            assert!((found - expected).abs() < 1e-12, "{text}: {found}");
        }
    }

    #[test]
    fn a_bare_number_is_refused_with_its_readings() {
        for (bounds, text, expected) in [
            (WIDE, "0.95", "`0.95` may be 0.95% or 95%"),
            (WIDE, "0.1", "0.1% or 10%"),
            (WIDE, "1", "1% or 100%"),
            (WIDE, "95", "write 95%"),
            (NARROW, "75", "write 75%"),
            (NARROW, "1", "1% or 100%"),
            (WIDE, "0%", "from 0.1% to 99.99%"),
            (WIDE, "-5%", "from 0.1% to 99.99%"),
            (WIDE, "-5", "from 0.1% to 99.99%"),
            (WIDE, "0", "from 0.1% to 99.99%"),
            (NARROW, "0", "from 1% to 100%"),
            (NARROW, "101%", "from 1% to 100%"),
            (WIDE, "NaN", "no share"),
            (WIDE, "inf%", "no share"),
            (WIDE, "", "no share"),
            (WIDE, "%", "no share"),
            (WIDE, "ten%", "no share"),
        ] {
            let error = bounds.parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
