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
#[error("`{0}` is no ladder: write `doubling`, `guide` or ascending numbers such as `1,2,5,10`")]
pub struct LadderError(
    /// As typed.
    pub String,
);

impl Ladder {
    /// The guide's rungs.
    pub fn guide() -> Self {
        Self::Steps(GUIDE.to_vec())
    }

    /// The next rung above `streams`; `None` at the end.
    pub fn above(&self, streams: u32) -> Option<u32> {
        match self {
            Self::Doubling => streams.checked_mul(2),
            Self::Steps(steps) => steps.iter().copied().find(|step| *step > streams),
        }
    }

    /// The loads of a whole ramp: one stream, the rungs from `start` on, and `most` itself.
    pub fn rungs(&self, start: u32, most: u32) -> Vec<u32> {
        let mut rungs = vec![1];
        let mut next = Some(self.first(start));
        while let Some(rung) = next.filter(|rung| *rung < most) {
            if rung > 1 {
                rungs.push(rung);
            }
            next = self.above(rung);
        }
        let has_more = next.is_some();
        if has_more && most > 1 {
            rungs.push(most);
        }
        rungs
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
            "guide" => return Ok(Self::guide()),
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
        assert_eq!(guide.rungs(2, 200), [1, 2, 5, 10, 20, 50, 100, 200]);
        assert_eq!(guide.rungs(2, 5_000).last(), Some(&1_000));
        assert_eq!(Ladder::Doubling.rungs(2, 12), [1, 2, 4, 8, 12]);
        assert_eq!(Ladder::Doubling.rungs(1, 1), [1]);
        let own: Ladder = "1, 3,9".parse().unwrap();
        assert_eq!(own.above(3), Some(9));
        assert_eq!("doubling".parse::<Ladder>().unwrap().above(8), Some(16));
        for bad in ["", "0,1", "2,1", "1,1", "gide", "1,x"] {
            assert!(bad.parse::<Ladder>().is_err(), "{bad}");
        }
    }
}
