//! The bars beside the rows: how far each load is from the bound of the objective that binds.

use plimsoll_core::level::{LevelSummary, Reason};
use plimsoll_core::run::Run;
use plimsoll_core::slo::{Objective, Op, Stat};
use plimsoll_core::verdict::{BrokenBy, Verdict};

use super::visits::{Visits, statistic};
use crate::lang::Lang;
use crate::words;

/// What the bars show.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// The objective whose bound is a whole bar.
    pub objective: Objective,
    /// The same in words.
    pub heading: String,
}

fn broken_objective(verdict: &Verdict) -> Option<Objective> {
    match verdict.broken_by? {
        BrokenBy::Level(Reason::Objective { objective }) => Some(objective),
        _ => None,
    }
}

impl Bars {
    /// The objective that broke, or else the first with an upper bound on a latency.
    pub(super) fn of(run: &Run, lang: Lang) -> Option<Self> {
        let broken = run.verdict.as_ref().and_then(broken_objective);
        let has_scale = |one: &Objective| one.op == Op::AtMost && !matches!(one.stat, Stat::Ratio);
        let first = || run.plan.slo.0.iter().copied().find(has_scale);
        let objective = broken.filter(has_scale).or_else(first)?;
        Some(Self {
            objective,
            heading: words::objective(&objective, lang),
        })
    }

    /// The largest value of the visits over the bound.
    pub(super) fn ratio(&self, visits: &Visits<'_>) -> Option<f64> {
        let value = |level: &LevelSummary| statistic(level, &self.objective);
        Some(visits.range(value)?.most / self.objective.bound)
    }
}
