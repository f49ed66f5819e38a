//! What the server does wrong on purpose, and to which request.

use crate::random;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Misbehaviours of the server; all are off by default.
///
/// The `*_share` fields are shares of all inference requests, 0 to 1, and exclude each other: a
/// request suffers at most one, drawn by its number and the server's seed. The rest shape every
/// stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a wire format"
)]
pub struct Faults {
    /// Share answered with status 500.
    pub error_share: f64,
    /// Share answered with status 429 and `Retry-After: 1`.
    pub reject_share: f64,
    /// Share whose connection is reset after half of the tokens.
    pub cut_share: f64,
    /// Share with one gap of `stall_ms` after half of the tokens.
    pub stall_share: f64,
    /// Length of that gap, in ms.
    pub stall_ms: u64,
    /// Share that is read and never answered.
    pub never_answer_share: f64,
    /// Share whose 200 stream carries `data: {"error": …}` after half of the tokens and then ends.
    pub error_event_share: f64,
    /// Share whose stream ends cleanly after half of the tokens, with neither finish reason nor
    /// `[DONE]`.
    pub early_end_share: f64,
    /// Share whose stream has a finish reason and `[DONE]` but no output.
    pub empty_share: f64,
    /// A `: ping` comment on receipt and after every output event but the last.
    pub comments: bool,
    /// Lines end with CR LF.
    pub crlf: bool,
    /// `data:{` instead of `data: {`.
    pub no_space: bool,
    /// Every write to the socket is cut in two at a random byte, the halves written apart.
    pub split: bool,
    /// Chat: the role-only delta is sent on receipt and the first token this much later at the
    /// earliest, in ms.
    pub role_delay_ms: Option<u64>,
    /// Tokens merged into one event; 0 and 1 mean one.
    pub tokens_per_event: u32,
    /// No usage, even if asked for.
    pub no_usage: bool,
    /// Usage is a part of the finish chunk instead of a chunk of its own.
    pub usage_in_last_choice: bool,
    /// Output words are Chinese.
    pub multibyte: bool,
}

/// A share that is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultError {
    /// One share is outside of 0 to 1.
    #[error("fault `{name}` must be between 0 and 1, got `{value}`")]
    Share {
        /// Name of the field.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// The shares add up to more than every request.
    #[error("fault shares must add up to at most 1, got `{sum}`")]
    Sum {
        /// What they add up to.
        sum: f64,
    },
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Normal,
    Error,
    Reject,
    Cut,
    Stall,
    NeverAnswer,
    ErrorEvent,
    EarlyEnd,
    Empty,
}

impl Faults {
    fn shares(&self) -> [(&'static str, f64, Fate); 8] {
        [
            ("error_share", self.error_share, Fate::Error),
            ("reject_share", self.reject_share, Fate::Reject),
            ("cut_share", self.cut_share, Fate::Cut),
            ("stall_share", self.stall_share, Fate::Stall),
            (
                "never_answer_share",
                self.never_answer_share,
                Fate::NeverAnswer,
            ),
            (
                "error_event_share",
                self.error_event_share,
                Fate::ErrorEvent,
            ),
            ("early_end_share", self.early_end_share, Fate::EarlyEnd),
            ("empty_share", self.empty_share, Fate::Empty),
        ]
    }

    /// Checks that every share, and their sum, lies between 0 and 1.
    pub fn validate(&self) -> Result<(), FaultError> {
        let mut sum = 0.0;
        for (name, value, _) in self.shares() {
            if !(0.0..=1.0).contains(&value) {
                return Err(FaultError::Share { name, value });
            }
            sum += value;
        }
        // Ten shares of 0.1 add up to a little more than 1 in binary.
        if sum > 1.0 + 1e-9 {
            Err(FaultError::Sum { sum })
        } else {
            Ok(())
        }
    }

    /// Draws the fate of request number `index`.
    #[cfg_attr(
        not(any(feature = "server", test)),
        expect(dead_code, reason = "only the server draws")
    )]
    pub(crate) fn fate(&self, seed: u64, index: u64) -> Fate {
        let mut left: f64 = random::stream(seed, "fate", index).random();
        for (_, share, fate) in self.shares() {
            if left < share {
                return fate;
            }
            left -= share;
        }
        Fate::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, FaultError, Faults};

    #[test]
    fn no_faults_by_default() {
        assert!((0..100).all(|index| Faults::default().fate(1, index) == Fate::Normal));
    }

    #[test]
    fn shares_are_met_and_repeatable() {
        let faults = Faults {
            error_share: 0.2,
            cut_share: 0.3,
            ..Faults::default()
        };
        let fates: Vec<_> = (0..4000).map(|index| faults.fate(5, index)).collect();
        let share = |fate| fates.iter().filter(|f| **f == fate).count() as f64 / 4000.0;
        // Four standard errors: 4 · √(0.25 / 4000) ≈ 0.032.
        assert!((share(Fate::Error) - 0.2).abs() < 0.032);
        assert!((share(Fate::Cut) - 0.3).abs() < 0.032);
        assert_eq!(faults.fate(5, 17), fates[17]);
    }

    #[test]
    fn impossible_shares_are_refused() {
        let over = Faults {
            stall_share: 0.7,
            empty_share: 0.7,
            ..Faults::default()
        };
        assert!(matches!(over.validate(), Err(FaultError::Sum { .. })));
        let negative = Faults {
            cut_share: -0.1,
            ..Faults::default()
        };
        assert!(matches!(
            negative.validate(),
            Err(FaultError::Share {
                name: "cut_share",
                ..
            })
        ));
    }
}
