//! The judge: what one level says of one objective, and of all of them together.
//!
//! A share of requests over a bound: two one-sided mixtures, of which a decision needs both
//! (Robbins 1970; Howard et al. 2021; statistics.md §2.3). One divides the sample size by an upper
//! bound of the autocorrelation time from batches, the other takes the series for a chain with an
//! unknown one. A mean: batch means. Decisions are *calibrated* for autocorrelated data, not
//! guaranteed: `cargo xtask evidence` measures how often they are false.

mod batches;
mod clumping;
mod confidence;
mod doubt;
mod mean;
mod observe;
mod proportion;
mod slices;

use serde::{Deserialize, Serialize};

pub use confidence::Confidence;
pub use doubt::{InDoubt, ReadAs, at_both_ends};
pub use observe::{HangsAfter, LevelSample, Observation, Reading, observe};
pub use proportion::least_requests_for_a_pass;
pub use slices::Slice;

use crate::slo::{Objective, Op, Slo, Stat};
use batches::Batches;

/// The errors that a decision on one objective may make. A conjunction passes when all objectives
/// pass, so each has the whole of it (Berger 1982); it fails when any fails, so they share it.
#[derive(Clone, Copy)]
struct Errors {
    pass: f64,
    fail: f64,
}

impl Errors {
    fn of_one_among(objectives: usize, confidence: Confidence) -> Self {
        let side = confidence.side();
        Self {
            pass: side,
            fail: side / objectives.max(1) as f64,
        }
    }
}

/// What a level says of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The objective is met.
    Pass,
    /// The objective is broken.
    Fail,
    /// The data do not decide.
    Undecided,
}

/// One objective on one level: the decision and all that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ObjectiveResult {
    /// What was asked.
    pub objective: Objective,
    /// The decision at the run's confidence.
    pub decision: Decision,
    /// Whether the observed excess is significant at 2 %: what stops a screened ramp level.
    pub screen_breaks: bool,
    /// Observations.
    pub n: usize,
    /// Observations over the bound; `None` for means.
    pub over: Option<usize>,
    /// The statistic itself: a share for success and goodput, else in the metric's unit.
    pub value: Option<f64>,
    /// Upper bound of the autocorrelation time that n was divided by, in observations.
    pub autocorrelation: f64,
    /// Standard error of the mean; `None` for shares.
    pub standard_error: Option<f64>,
    /// Requests for which the metric does not exist (TPOT of one-token answers).
    pub absent: usize,
    /// The window in slices of about two mean request times.
    pub slices: Vec<Slice>,
    /// What it comes to at both ends of the stamps; `None` where the client knew them well enough
    /// that it makes no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<InDoubt>,
}

impl ObjectiveResult {
    /// Whether the statistic as observed is within the bound by more than a third of it, with
    /// nothing over it.
    pub fn is_far_within(&self) -> bool {
        let is_far = |value: f64| match self.objective.op {
            Op::AtMost => value < self.objective.bound * (2.0 / 3.0),
            Op::AtLeast => value > self.objective.bound * 1.5,
        };
        let is_clean = self.over == Some(0);
        match self.objective.stat {
            Stat::Ratio => is_clean,
            _ => self.over.is_none_or(|over| over == 0) && self.value.is_some_and(is_far),
        }
    }

    /// Whether the statistic as observed breaks the bound; `None` without observations. Shares are
    /// compared as shares: a quantile that falls among failures has no value to compare.
    pub fn looks_broken(&self) -> Option<bool> {
        if let Some(allowed) = self.objective.allowed_share()
            && let Some((over, n)) = self.counts_beyond_doubt()
        {
            return (n > 0).then(|| over as f64 / n as f64 > allowed + 1e-12);
        }
        let broken = |value| self.objective.is_over(value);
        let doubt = self.doubt.as_ref();
        let ends = doubt.and_then(|doubt| doubt.best.value.zip(doubt.worst.value));
        let tells = ends.is_none_or(|(best, worst)| broken(best) == broken(worst));
        self.value.map(broken).filter(|_| tells)
    }
}

/// Judges every objective of a level: as its stamps say, and at both ends of them where the client
/// was too late to know them exactly.
pub fn judge(slo: &Slo, sample: &LevelSample<'_>) -> Vec<ObjectiveResult> {
    let is_in_doubt = sample.is_in_doubt();
    let both = |objective: &Objective| {
        let mut result = judge_one(objective, slo, sample);
        if is_in_doubt {
            let [best, worst] = [Reading::Best, Reading::Worst]
                .map(|reading| judge_one(objective, slo, &sample.read(reading)));
            result.doubt = InDoubt::between(&best, &worst);
        }
        result
    };
    slo.0.iter().map(both).collect()
}

fn judge_one(objective: &Objective, slo: &Slo, sample: &LevelSample<'_>) -> ObjectiveResult {
    let mut observed = observe(objective, slo, sample);
    let counts = |one: &Observation| sample.draws.iter().any(|draw| draw.contains(one.at));
    observed
        .observations
        .retain(|one| sample.draws.is_empty() || counts(one));
    let batches = Batches::of(&observed.observations, sample);
    let errors = Errors::of_one_among(slo.0.len(), sample.confidence);
    let judged = match objective.allowed_share() {
        Some(allowed) => proportion::judge(objective, allowed, &batches, errors),
        None => mean::judge(objective, &batches, errors),
    };
    ObjectiveResult {
        objective: *objective,
        decision: judged.decision,
        screen_breaks: judged.screen_breaks,
        n: observed.observations.len(),
        over: objective
            .allowed_share()
            .map(|_| observed.observations.iter().filter(|one| one.over).count()),
        value: statistic(objective, &observed.observations),
        autocorrelation: judged.autocorrelation,
        standard_error: judged.standard_error,
        absent: observed.absent,
        slices: if sample.draws.is_empty() {
            slices::slices(
                &observed.observations,
                sample.from,
                sample.to,
                sample.request_time,
            )
        } else {
            slices::of_draws(&observed.observations, sample.draws)
        },
        doubt: None,
    }
}

/// What a test says, before it is put beside its objective.
struct Judged {
    decision: Decision,
    screen_breaks: bool,
    autocorrelation: f64,
    standard_error: Option<f64>,
}

/// The statistic as observed. Failures have no value; they enter quantiles as the worst there is.
fn statistic(objective: &Objective, observations: &[Observation]) -> Option<f64> {
    if observations.is_empty() {
        return None;
    }
    match objective.stat {
        Stat::Ratio => {
            let over = observations.iter().filter(|one| one.over).count();
            Some(1.0 - over as f64 / observations.len() as f64)
        }
        Stat::Mean => {
            let values: Vec<f64> = observations.iter().filter_map(|one| one.value).collect();
            crate::stats::mean(&values)
        }
        Stat::Quantile(q) => {
            let worst = if objective.is_over(f64::INFINITY) {
                f64::INFINITY
            } else {
                0.0
            };
            let mut values: Vec<f64> = observations
                .iter()
                .map(|one| one.value.unwrap_or(worst))
                .collect();
            values.sort_by(f64::total_cmp);
            crate::stats::quantile(&values, q).filter(|value| value.is_finite())
        }
    }
}

/// The conjunction: fails when any objective fails, passes when all pass (Berger 1982).
pub fn conjunction(results: &[ObjectiveResult]) -> Decision {
    if results
        .iter()
        .any(|result| result.decision == Decision::Fail)
    {
        Decision::Fail
    } else if !results.is_empty()
        && results
            .iter()
            .all(|result| result.decision == Decision::Pass)
    {
        Decision::Pass
    } else {
        Decision::Undecided
    }
}
