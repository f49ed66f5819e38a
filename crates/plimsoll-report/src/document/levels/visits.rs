//! The visits of one load, taken together.

use plimsoll_core::level::{LevelSummary, LevelVerdict, Load};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::slo::Objective;
use plimsoll_core::stats::Summary;

use crate::answers::mean_by_request;

/// All visits of one load, in the order run.
pub(super) struct Visits<'a> {
    pub(super) load: Load,
    /// Whether the loads of the run count what it counts.
    pub(super) is_searched: bool,
    pub(super) levels: Vec<&'a LevelSummary>,
}

/// The smallest and the largest value that several visits gave.
///
/// A quantile of several samples together lies between the smallest and the largest of their own
/// quantiles; more is not known without the requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl<'a> Visits<'a> {
    /// The visits of each load, by kind of load and then by its amount.
    pub(super) fn of(levels: &'a [LevelSummary], unit: LoadUnit) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for level in levels {
            let is_searched = level.counts(unit);
            let is_same =
                |one: &&mut Self| one.load == level.load && one.is_searched == is_searched;
            match all.iter_mut().find(is_same) {
                Some(same) => same.levels.push(level),
                None => all.push(Self {
                    load: level.load,
                    is_searched,
                    levels: vec![level],
                }),
            }
        }
        all.sort_by(|a, b| a.load.amount().total_cmp(&b.load.amount()));
        all
    }

    /// What they say together: the latest decision; where there is none, the most that was seen.
    pub(super) fn verdict(&self) -> LevelVerdict {
        let says = |verdict| self.levels.iter().any(|level| level.verdict == verdict);
        let is_decided = |verdict| matches!(verdict, LevelVerdict::Pass | LevelVerdict::Fail);
        let mut latest = self.levels.iter().rev().map(|level| level.verdict);
        if let Some(decided) = latest.find(|verdict| is_decided(*verdict)) {
            return decided;
        }
        let others = [LevelVerdict::Undecided, LevelVerdict::Screened];
        let seen = others.into_iter().find(|verdict| says(*verdict));
        seen.unwrap_or(LevelVerdict::Void)
    }

    /// Those that say something of the server.
    fn sound(&self) -> impl Iterator<Item = &'a LevelSummary> + '_ {
        let levels = self.levels.iter().copied();
        levels.filter(|level| level.verdict != LevelVerdict::Void && level.window.is_some())
    }

    /// Requests that ended within the windows.
    pub(super) fn ended(&self) -> u64 {
        let ended = |level: &LevelSummary| {
            level.requests.completed_in_window + level.requests.failed_in_window
        };
        self.sound().map(ended).sum()
    }

    /// Completed / ended within the windows.
    pub(super) fn success_ratio(&self) -> Option<f64> {
        let completed: u64 = self
            .sound()
            .map(|level| level.requests.completed_in_window)
            .sum();
        let ended = self.ended();
        (ended > 0).then(|| completed as f64 / ended as f64)
    }

    /// The mean of a rate over the time of all windows.
    pub(super) fn rate(&self, of: fn(&LevelSummary) -> Option<f64>) -> Option<f64> {
        let parts: Vec<(f64, f64)> = self
            .sound()
            .filter_map(|level| {
                let window = level.window?;
                Some((of(level)?, window.to_s - window.from_s))
            })
            .collect();
        weighted(&parts)
    }

    /// The mean of a metric over the requests of all windows.
    pub(super) fn mean(&self, of: fn(&LevelSummary) -> &Summary) -> Option<f64> {
        let parts: Vec<(f64, f64)> = self
            .sound()
            .map(of)
            .filter_map(|summary| Some((summary.mean?, summary.n as f64)))
            .collect();
        weighted(&parts)
    }

    /// The mean of a mean of completed requests over those of all windows.
    pub(super) fn mean_by_request(&self, of: fn(&LevelSummary) -> Option<f64>) -> Option<f64> {
        mean_by_request(self.sound(), of)
    }

    /// Where a value of all windows together lies.
    pub(super) fn range(&self, of: impl Fn(&LevelSummary) -> Option<f64>) -> Option<Range> {
        let mut values = self.sound().filter_map(of);
        let first = values.next()?;
        let wider = |range: Range, value: f64| Range {
            least: range.least.min(value),
            most: range.most.max(value),
        };
        let start = Range {
            least: first,
            most: first,
        };
        Some(values.fold(start, wider))
    }
}

/// The statistic of an objective at a level, as the judge saw it.
pub(in crate::document) fn statistic(level: &LevelSummary, objective: &Objective) -> Option<f64> {
    let mut results = level.objectives.iter();
    results.find(|one| one.objective == *objective)?.value
}

/// The mean of values with weights; `None` where nothing weighs.
fn weighted(parts: &[(f64, f64)]) -> Option<f64> {
    let weight: f64 = parts.iter().map(|(_, weight)| weight).sum();
    let sum: f64 = parts.iter().map(|(value, weight)| value * weight).sum();
    (weight > 0.0).then(|| sum / weight)
}
