//! The interval on the capacity: isotonic likelihood ratio over all levels (statistics.md §4.3,
//! after Banerjee & Wellner 2001). No slope and no shape is assumed: only that more streams do not
//! make an objective better. Counts are divided by each level's own upper bound of the
//! autocorrelation time before they enter.

use super::load_of;
use crate::judge::ObjectiveResult;
use crate::level::{LevelSummary, LevelVerdict};
use crate::slo::Op;

/// 95 % quantile of χ² with one degree of freedom.
const THRESHOLD: f64 = 3.84;

/// A range of loads; `upper` is `None` where nothing bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) lower: u32,
    pub(super) upper: Option<u32>,
}

/// One level's evidence on one objective.
struct Evidence {
    load: u32,
    /// How far over the bound, in whatever scale: the isotonic fit acts on this.
    excess: f64,
    weight: f64,
    /// Deviance against the bound of a pooled excess.
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// k of n over, allowed share.
    Share { allowed: f64 },
    /// (mean − bound), weight = 1 / standard error².
    Mean,
}

/// The interval of the conjunction: the smallest of the objectives' ends.
pub(super) fn interval(levels: &[LevelSummary]) -> Option<Interval> {
    let count = levels.first()?.objectives.len();
    let mut all: Option<Interval> = None;
    for index in 0..count {
        let one = of_objective(levels, index)?;
        all = Some(match all {
            None => one,
            Some(sum) => Interval {
                lower: sum.lower.min(one.lower),
                upper: match (sum.upper, one.upper) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                },
            },
        });
    }
    all
}

fn of_objective(levels: &[LevelSummary], index: usize) -> Option<Interval> {
    let mut evidence: Vec<Evidence> = levels
        .iter()
        .filter(|level| level.verdict != LevelVerdict::Void)
        .filter_map(|level| evidence(load_of(level), level.objectives.get(index)?))
        .collect();
    evidence.sort_by_key(|one| one.load);
    let evidence = pooled(evidence);
    let fitted = isotonic(&evidence);
    let loads: Vec<u32> = evidence.iter().map(|one| one.load).collect();
    // D(C) changes only at tested loads: C = 0 stands for "below the first", each load for the
    // stretch from it to the next one.
    let deviance_at = |capacity: u32| -> f64 {
        evidence
            .iter()
            .zip(&fitted)
            .filter(|(one, excess)| {
                if one.load <= capacity {
                    **excess > 0.0
                } else {
                    **excess < 0.0
                }
            })
            .map(|(one, excess)| one.deviance(*excess))
            .sum()
    };
    let mut starts: Vec<u32> = std::iter::once(0).chain(loads.iter().copied()).collect();
    starts.dedup();
    let deviances: Vec<f64> = starts.iter().map(|start| deviance_at(*start)).collect();
    let least = deviances.iter().copied().fold(f64::INFINITY, f64::min);
    let inside = |i: &usize| deviances[*i] <= least + THRESHOLD;
    let lowest = (0..starts.len()).find(inside)?;
    let highest = (0..starts.len()).rev().find(inside)?;
    let upper = starts.get(highest + 1).map(|next| next - 1);
    Some(Interval {
        lower: starts[lowest],
        upper,
    })
}

fn evidence(load: u32, result: &ObjectiveResult) -> Option<Evidence> {
    match (
        result.objective.allowed_share(),
        result.over,
        result.standard_error,
    ) {
        (Some(allowed), Some(over), _) if result.n > 0 => Some(Evidence {
            load,
            excess: over as f64 / result.n as f64 - allowed,
            weight: result.n as f64 / result.autocorrelation,
            kind: Kind::Share { allowed },
        }),
        (None, _, Some(standard_error)) => {
            let distance = result.value? - result.objective.bound;
            let excess = if result.objective.op == Op::AtMost {
                distance
            } else {
                -distance
            };
            Some(Evidence {
                load,
                excess,
                weight: standard_error.powi(-2),
                kind: Kind::Mean,
            })
        }
        _ => None,
    }
}

impl Evidence {
    /// Twice the log likelihood ratio of the fitted excess against none.
    fn deviance(&self, excess: f64) -> f64 {
        match self.kind {
            Kind::Mean => {
                let (own, fitted) = (self.excess, excess);
                self.weight * (own.powi(2) - (own - fitted).powi(2))
            }
            Kind::Share { allowed } => {
                let own = (self.excess + allowed).clamp(0.0, 1.0);
                let fitted = (excess + allowed).clamp(1e-12, 1.0 - 1e-12);
                let over = if own > 0.0 {
                    own * (fitted / allowed).ln()
                } else {
                    0.0
                };
                let good = 1.0 - own;
                let under = if good > 0.0 {
                    good * ((1.0 - fitted) / (1.0 - allowed)).ln()
                } else {
                    0.0
                };
                2.0 * self.weight * (over + under)
            }
        }
    }
}

/// One piece of evidence a load: all its visits together.
fn pooled(evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut pooled: Vec<Evidence> = Vec::new();
    for one in evidence {
        match pooled.last_mut() {
            Some(last) if last.load == one.load => {
                let weight = last.weight + one.weight;
                last.excess = (last.excess * last.weight + one.excess * one.weight) / weight;
                last.weight = weight;
            }
            _ => pooled.push(one),
        }
    }
    pooled
}

/// Pool adjacent violators: the non-decreasing fit of the excess, by weight.
fn isotonic(evidence: &[Evidence]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for one in evidence {
        blocks.push((one.excess, one.weight, 1));
        while let [
            ..,
            (low, low_weight, low_count),
            (high, high_weight, high_count),
        ] = blocks.as_slice()
            && low > high
        {
            let weight = low_weight + high_weight;
            let pooled = (
                (low * low_weight + high * high_weight) / weight,
                weight,
                low_count + high_count,
            );
            blocks.truncate(blocks.len() - 2);
            blocks.push(pooled);
        }
    }
    blocks
        .into_iter()
        .flat_map(|(excess, _, count)| std::iter::repeat_n(excess, count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::level;
    use super::*;

    /// Levels with `over` of `n` requests over a p95 bound.
    fn interval_of(levels: &[(u32, usize, usize)]) -> Interval {
        let levels: Vec<LevelSummary> = levels
            .iter()
            .map(|&(streams, over, n)| level(streams, over, n))
            .collect();
        interval(&levels).unwrap()
    }

    #[test]
    fn a_cliff_between_two_neighbours_leaves_one_answer() {
        let found = interval_of(&[
            (1, 0, 100),
            (32, 0, 300),
            (47, 0, 400),
            (48, 300, 400),
            (64, 400, 400),
        ]);
        assert_eq!(
            found,
            Interval {
                lower: 47,
                upper: Some(47)
            }
        );
    }

    #[test]
    fn doubtful_levels_widen_it() {
        // 200 effective requests: 10 of 300 over lie 1.3 of deviance below the bound and 19 of 300
        // lie 0.7 above it. Neither is excluded, so the interval reaches to the next levels.
        let found = interval_of(&[
            (1, 0, 100),
            (32, 0, 300),
            (44, 10, 300),
            (48, 19, 300),
            (64, 400, 400),
        ]);
        assert_eq!(
            found,
            Interval {
                lower: 32,
                upper: Some(63)
            }
        );
        let found = interval_of(&[
            (1, 0, 100),
            (32, 13, 300),
            (44, 14, 300),
            (48, 16, 300),
            (64, 400, 400),
        ]);
        assert!(found.lower < 32, "{found:?}");
    }

    #[test]
    fn nothing_broken_has_no_upper_end() {
        assert_eq!(interval_of(&[(1, 0, 100), (8, 0, 300)]).upper, None);
        assert_eq!(
            interval_of(&[(1, 90, 100), (8, 300, 300)]),
            Interval {
                lower: 0,
                upper: Some(0)
            }
        );
    }

    #[test]
    fn the_fit_never_falls() {
        let at = |load, excess, weight| Evidence {
            load,
            excess,
            weight,
            kind: Kind::Mean,
        };
        let fitted = isotonic(&[
            at(1, 1.0, 1.0),
            at(2, 3.0, 1.0),
            at(3, 2.0, 3.0),
            at(4, 5.0, 1.0),
        ]);
        assert_eq!(fitted, vec![1.0, 2.25, 2.25, 5.0]);
    }
}
