//! The rungs of the ramp.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The guide's rungs (guide.zh.md, method 1).
const GUIDE: [u32; 10] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/// Which numbers of streams the ramp tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ladder {
    /// Twice as many each time.
    Doubling,
    /// These, ascending.
    Steps(Vec<u32>),
}

/// The ladder cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("ladder `{0}`: write `doubling`, `guide` or ascending numbers such as `1,2,5,10`")]
pub struct LadderError(String);

impl Ladder {
    /// The next rung above `streams`; `None` at the end.
    pub fn above(&self, streams: u32) -> Option<u32> {
        match self {
            Self::Doubling => streams.checked_mul(2),
            Self::Steps(steps) => steps.iter().copied().find(|step| *step > streams),
        }
    }

    /// The first rung at or above `start`.
    pub fn first(&self, start: u32) -> u32 {
        match self {
            Self::Doubling => start,
            Self::Steps(steps) => steps
                .iter()
                .copied()
                .find(|step| *step >= start)
                .or(steps.last().copied())
                .unwrap_or(start),
        }
    }
}

impl FromStr for Ladder {
    type Err = LadderError;

    fn from_str(text: &str) -> Result<Self, LadderError> {
        match text.trim() {
            "doubling" => return Ok(Self::Doubling),
            "guide" => return Ok(Self::Steps(GUIDE.to_vec())),
            _ => {}
        }
        let fault = || LadderError(text.to_owned());
        let steps: Vec<u32> = text
            .split(',')
            .map(|step| step.trim().parse().map_err(|_| fault()))
            .collect::<Result<_, _>>()?;
        let ascending = steps.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending && steps[0] > 0 {
            Ok(Self::Steps(steps))
        } else {
            Err(fault())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ladders_are_read_and_climbed() {
        let guide: Ladder = "guide".parse().unwrap();
        assert_eq!(guide.above(50), Some(100));
        assert_eq!(guide.above(1_000), None);
        assert_eq!(guide.first(3), 5);
        let own: Ladder = "1, 3,9".parse().unwrap();
        assert_eq!(own.above(3), Some(9));
        assert_eq!("doubling".parse::<Ladder>().unwrap().above(8), Some(16));
        for bad in ["", "0,1", "2,1", "1,1", "gide", "1,x"] {
            assert!(bad.parse::<Ladder>().is_err(), "{bad}");
        }
    }
}
