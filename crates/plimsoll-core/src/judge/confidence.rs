//! How sure a decision is.

use serde::{Deserialize, Serialize};

/// Two-sided confidence of decisions, 0.8..=0.999; 0.95 unless told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Confidence(f64);

impl Confidence {
    /// 95 %.
    pub const DEFAULT: Self = Self(0.95);

    /// Takes a two-sided confidence; `None` outside 0.8..=0.999.
    pub fn new(two_sided: f64) -> Option<Self> {
        (0.8..=0.999)
            .contains(&two_sided)
            .then_some(Self(two_sided))
    }

    /// As a share, 0..1.
    pub fn two_sided(self) -> f64 {
        self.0
    }

    /// The error of a decision on either side: 0.025 for 95 %.
    pub fn side(self) -> f64 {
        (1.0 - self.0) / 2.0
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_shared_by_both_sides() {
        assert!((Confidence::default().side() - 0.025).abs() < 1e-12);
        assert!((Confidence::new(0.9).unwrap().side() - 0.05).abs() < 1e-12);
        assert_eq!(Confidence::new(0.5), None);
        assert_eq!(Confidence::new(1.0), None);
        assert_eq!(Confidence::new(f64::NAN), None);
    }
}
