//! How throughput follows the load: growth per doubling, knees, and the Universal Scalability Law.
//!
//! None of it is the answer of a search. The capacity is decided by the objectives; these figures
//! say where more streams stop bringing more throughput, each with the definition it rests on.

mod curve;
mod growth;
mod kneedle;
mod knees;
mod least_squares;
mod usl;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use curve::{CurvePoint, curve};
pub use growth::{Growth, growth};
pub use knees::{Knee, KneeKind};
pub use usl::{UslFit, UslResidual};

use crate::level::{LevelSummary, LevelVerdict, Purpose};

/// What the levels of a run say of throughput against load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scaling {
    /// Growth of throughput between neighbouring levels of the ramp, by rising load.
    pub growth: Vec<Growth>,
    /// Where more load stops bringing more throughput, by each definition that has an answer.
    pub knees: Vec<Knee>,
    /// The Universal Scalability Law through the levels, for the picture only; `None` below four
    /// loads.
    pub usl: Option<UslFit>,
}

/// Everything at once. Void levels, levels without a completed request, and levels of
/// an open loop are left out.
pub fn scaling(levels: &[LevelSummary]) -> Scaling {
    let curve = curve(levels);
    let usl = usl::fit(&curve);
    Scaling {
        growth: growth_of_ramp(levels),
        knees: knees::knees(&curve, usl.as_ref()),
        usl,
    }
}

/// Growth from level to level of baseline and ramp, the latest visit of each load.
fn growth_of_ramp(levels: &[LevelSummary]) -> Vec<Growth> {
    let mut ramp: Vec<&LevelSummary> = Vec::new();
    let of_ramp = |level: &&LevelSummary| {
        level.verdict != LevelVerdict::Void
            && matches!(level.purpose, Purpose::Baseline | Purpose::Ramp)
    };
    for level in levels.iter().filter(of_ramp) {
        ramp.retain(|known| known.load != level.load);
        ramp.push(level);
    }
    ramp.sort_by_key(|level| level.load.streams());
    ramp.windows(2)
        .filter_map(|pair| growth(pair[0], pair[1]))
        .collect()
}
