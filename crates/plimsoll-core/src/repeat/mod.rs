//! Several searches of one server side by side: whether their answers differ by more than each is
//! uncertain.
//!
//! That two intervals overlap does not say that there is no difference, and that they do not is no
//! test either (statistics.md §9.6). So the difference itself is tested: by Cochran's Q, the
//! weighted sum of squares around the common value, against χ² (Cochran 1954).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::level::Load;
use crate::stats::chi2_upper;
use crate::verdict::{Capacity, VerdictKind};

/// A difference is told below this probability of one as large by chance.
const RARE: f64 = 0.05;
/// 95 % of a normal distribution lie within so many standard deviations.
const WITHIN: f64 = 1.96;
/// No rate is known better than this: neighbours that are searched for lie 1 % apart.
const LEAST_WIDTH: f64 = 1.01;

/// One search of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    /// Its folder, below that of all of them.
    pub folder: String,
    /// Its seed: each has its own, so that no cache knows the prompts of the one before.
    pub seed: u64,
    /// UTC time of its start, RFC 3339.
    pub started_utc: String,
    /// Time under load, s.
    pub load_time_s: f64,
    /// What kind of answer it has.
    pub kind: VerdictKind,
    /// What the server carried by it; `None` where it found none to state.
    pub capacity: Option<Capacity>,
}

/// The answers of several searches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many were asked for.
    pub asked: u32,
    /// Those that have an answer, in the order run.
    pub runs: Vec<Repetition>,
    /// The smallest and the largest capacity; `None` where no run has one.
    pub range: Option<(Load, Load)>,
    /// Whether they differ; `None` with fewer than two intervals that are closed.
    pub difference: Option<Difference>,
    /// Where one search broke nothing and so has no upper end: that it carried more than the whole
    /// interval of another one.
    pub beyond: Option<Beyond>,
}

/// A search that carried more than another one's interval holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    /// The one carried at least so much.
    pub at_least: Load,
    /// The other's interval ends here.
    pub upper: Load,
}

/// Whether capacities differ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Runs compared: those with a capacity whose interval is closed.
    pub runs: u32,
    /// Cochran's Q.
    pub chi2: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: u32,
    /// Probability of a difference at least as large where there is none, 0..1.
    pub probability: f64,
    /// Whether that is below 5 %.
    pub differ: bool,
    /// A difference between two of the runs below this share would hardly show, as a ratio.
    pub resolution_ratio: f64,
}

impl Repeats {
    /// Puts answers side by side.
    pub fn of(asked: u32, runs: Vec<Repetition>) -> Self {
        let found = || runs.iter().filter_map(|run| Some(run.capacity?.at));
        let compared: Vec<Estimate> = runs.iter().filter_map(estimate).collect();
        Self {
            asked,
            range: found().min_by(by_amount).zip(found().max_by(by_amount)),
            difference: difference(&compared),
            beyond: beyond(&runs),
            runs,
        }
    }
}

fn by_amount(one: &Load, other: &Load) -> Ordering {
    one.amount().total_cmp(&other.amount())
}

fn beyond(runs: &[Repetition]) -> Option<Beyond> {
    let of_kind = |kind| {
        let of_kind = runs.iter().filter(move |run| run.kind == kind);
        of_kind.filter_map(|run| run.capacity)
    };
    let open = of_kind(VerdictKind::AboveLast).map(|answer| answer.lower);
    let closed = of_kind(VerdictKind::Capacity).filter_map(|answer| answer.upper);
    let (at_least, upper) = open.max_by(by_amount).zip(closed.min_by(by_amount))?;
    (at_least.amount() > upper.amount()).then_some(Beyond { at_least, upper })
}

/// The logarithm of a capacity: errors of a capacity are in proportion to it.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    ln: f64,
    standard_error: f64,
}

/// The middle of an interval, and the standard error that its width says. The capacity found is the
/// lower end of what was tested, so the middle is nearer to the truth.
///
/// An interval from 47 to 48 means that the edge lies between 47 and 49. Where the gap between two
/// tested loads makes the width the edge is anywhere in it, of which the deviation is the width by
/// √12; where noise does, it is the width by 2 · 1.96. The first is the larger one.
fn estimate(run: &Repetition) -> Option<Estimate> {
    if run.kind != VerdictKind::Capacity {
        return None;
    }
    let answer = run.capacity.filter(|answer| answer.lower.amount() > 0.0)?;
    let upper = match answer.upper? {
        Load::Streams(streams) => f64::from(streams.saturating_add(1)),
        Load::RatePerS(rate) => rate.max(answer.lower.amount() * LEAST_WIDTH),
    };
    let (lower, upper) = (answer.lower.amount().ln(), upper.ln());
    Some(Estimate {
        ln: f64::midpoint(lower, upper),
        standard_error: (upper - lower) / 12f64.sqrt(),
    })
}

fn difference(all: &[Estimate]) -> Option<Difference> {
    let degrees_of_freedom = u32::try_from(all.len()).ok()?.checked_sub(1)?;
    if degrees_of_freedom == 0 {
        return None;
    }
    let weight = |one: &Estimate| one.standard_error.powi(-2);
    let weights: f64 = all.iter().map(weight).sum();
    let common = all.iter().map(|one| weight(one) * one.ln).sum::<f64>() / weights;
    let chi2 = all
        .iter()
        .map(|one| weight(one) * (one.ln - common).powi(2))
        .sum();
    let probability = chi2_upper(chi2, f64::from(degrees_of_freedom));
    let squares: f64 = all.iter().map(|one| one.standard_error.powi(2)).sum();
    let of_a_pair = (2.0 * squares / all.len() as f64).sqrt();
    Some(Difference {
        runs: degrees_of_freedom + 1,
        chi2,
        degrees_of_freedom,
        probability,
        differ: probability < RARE,
        resolution_ratio: (WITHIN * of_a_pair).exp_m1(),
    })
}

#[cfg(test)]
mod tests;
