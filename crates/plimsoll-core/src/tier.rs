//! Several SLOs of one server, each with a name: `gold: ttft p95 <= 300ms`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::slo::{Slo, SloError};
use crate::verdict::Verdict;

/// A class of users with objectives of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tier {
    /// What it is called, such as `gold`.
    pub name: String,
    /// Its objectives.
    pub slo: Slo,
}

/// The answer for a tier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TierVerdict {
    /// The tier's name.
    pub name: String,
    /// Its objectives.
    pub slo: Slo,
    /// What the server carries within them.
    pub verdict: Verdict,
}

/// Why a tier cannot be read, with the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TierError {
    /// There is no name before its objectives.
    #[error(
        "`{0}` has no name; write a tier as `name: objectives`, for example \
         `gold: ttft p95 <= 300ms`"
    )]
    NoName(String),
    /// Its objectives cannot be read.
    #[error(transparent)]
    Slo(#[from] SloError),
}

impl FromStr for Tier {
    type Err = TierError;

    fn from_str(text: &str) -> Result<Self, TierError> {
        let named = text.split_once(':').map(|(name, rest)| (name.trim(), rest));
        // `ttft: p95 <= 1s` is an objective: a colon may stand behind its metric.
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.contains(|one: char| one.is_control() || "<>=≤≥,".contains(one))
        };
        match named {
            Some((name, objectives)) if is_name(name) && text.parse::<Slo>().is_err() => Ok(Self {
                name: name.to_owned(),
                slo: objectives.parse()?,
            }),
            _ => Err(TierError::NoName(text.trim().to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_a_name_and_its_objectives() {
        let tier: Tier = " gold : ttft p95 <= 300ms, tpot p95 <= 30ms"
            .parse()
            .unwrap();
        assert_eq!(tier.name, "gold");
        assert_eq!(tier.slo, "ttft p95<=300ms,tpot p95<=30ms".parse().unwrap());
        let tier: Tier = "金牌: ttft:p95 <= 1s".parse().unwrap();
        assert_eq!(tier.slo, "ttft p95 <= 1s".parse().unwrap());
    }

    #[test]
    fn what_has_no_name_or_no_objective_is_refused() {
        for text in [
            "ttft p95 <= 1s",
            "ttft: p95 <= 1s",
            ": ttft p95 <= 1s",
            "ttft p95 <= 1s, tpot: p95 <= 30ms",
            "",
        ] {
            let error = text.parse::<Tier>().unwrap_err();
            assert!(matches!(error, TierError::NoName(_)), "{text}: {error}");
        }
        let error = "gold: ttft p95".parse::<Tier>().unwrap_err();
        assert!(error.to_string().contains("no `<=`"), "{error}");
    }
}
