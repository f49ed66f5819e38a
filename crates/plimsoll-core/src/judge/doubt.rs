//! Both ends of what a level says of an objective, where the client was too late to know its stamps
//! exactly.

use serde::{Deserialize, Serialize};

use super::{Decision, ObjectiveResult};

/// What an objective comes to at both ends of the stamps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InDoubt {
    /// With every doubt in favour of the server.
    pub best: ReadAs,
    /// With every doubt against it.
    pub worst: ReadAs,
}

/// What an objective comes to at one end of the stamps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadAs {
    /// The decision.
    pub decision: Decision,
    /// Whether the excess is significant at 2 %.
    pub screen_breaks: bool,
    /// Observations over the bound; `None` for means.
    pub over: Option<usize>,
    /// The statistic.
    pub value: Option<f64>,
}

impl ReadAs {
    fn of(result: &ObjectiveResult) -> Self {
        Self {
            decision: result.decision,
            screen_breaks: result.screen_breaks,
            over: result.over,
            value: result.value,
        }
    }
}

impl InDoubt {
    /// From the same objective judged at both ends; `None` where they say the same.
    pub(super) fn between(best: &ObjectiveResult, worst: &ObjectiveResult) -> Option<Self> {
        let (best, worst) = (ReadAs::of(best), ReadAs::of(worst));
        let same_counts = best.over.is_some() && best.over == worst.over;
        let same = same_counts
            && best.decision == worst.decision
            && best.screen_breaks == worst.screen_breaks;
        (!same && best != worst).then_some(Self { best, worst })
    }
}

/// The results with every doubt in favour of the server, and with every doubt against it.
pub fn at_both_ends(results: &[ObjectiveResult]) -> [Vec<ObjectiveResult>; 2] {
    let ends: [fn(&InDoubt) -> ReadAs; 2] = [|doubt| doubt.best, |doubt| doubt.worst];
    ends.map(|end| results.iter().map(|one| one.read_as(end)).collect())
}

impl ObjectiveResult {
    /// The result as it is at one end of the stamps.
    fn read_as(&self, end: fn(&InDoubt) -> ReadAs) -> Self {
        let Some(read) = self.doubt.as_ref().map(end) else {
            return self.clone();
        };
        Self {
            decision: read.decision,
            screen_breaks: read.screen_breaks,
            over: read.over,
            value: read.value,
            ..self.clone()
        }
    }

    /// Requests of which the client cannot tell on which side of the bound they are.
    pub fn doubtful(&self) -> usize {
        let counts = self
            .doubt
            .and_then(|doubt| doubt.worst.over.zip(doubt.best.over));
        counts.map_or(0, |(worst, best)| worst.saturating_sub(best))
    }

    /// Observations over the bound and in all, without those of which the client cannot tell; `None`
    /// for means.
    pub fn counts_beyond_doubt(&self) -> Option<(usize, usize)> {
        let over = match self.doubt {
            Some(doubt) => doubt.best.over?,
            None => self.over?,
        };
        Some((over, self.n.saturating_sub(self.doubtful())))
    }
}
