//! A bounded share of requests that break it in clumps: the evidence of a two-state chain.
//!
//! Whether a request is over the bound is taken as a stationary Markov chain with share p and
//! autocorrelation time τ = (1+λ)/(1−λ). Both hypotheses are mixtures over the same τ, from 1 to the
//! longest clump that a level of this length of requests may have, evenly in ln τ; the alternative
//! is a mixture over p as well: below the bound with the Beta prior of statistics.md §2.3.4 cut off
//! there, above it half of that and half even in ln p.
//! The ratio of the two is a Bayes factor: at the bound it exceeds 1/0.025 at any time in no more
//! than 2.5 % of chains drawn from that mixture (Robbins 1970; Ville's inequality).
//!
//! Against dividing n by an estimate of τ it has this: a stretch with few requests over the bound
//! says little of τ, and then the long clumps of the mixture hold a pass back.

use super::Observation;
use super::proportion::{Evidence, PRIOR};

/// Points of the integral over p on each side of the bound.
const SHARES: u32 = 64;
/// Neighbours among the autocorrelation times differ by no more than this factor.
const STEP: f64 = 1.5;

/// Both sides' weighted shares, and the autocorrelation times.
pub(super) struct Mixture {
    allowed: f64,
    stickiness: Vec<f64>,
    below: Vec<Weighted>,
    above: Vec<Weighted>,
}

struct Weighted {
    share: f64,
    log_weight: f64,
}

/// How often the series stayed good, turned bad, turned good and stayed bad, after its first.
#[derive(Default)]
pub(super) struct Turns {
    starts_over: bool,
    stays_good: u64,
    to_over: u64,
    to_good: u64,
    stays_over: u64,
}

impl Turns {
    pub(super) fn of(series: &[Observation]) -> Self {
        let mut turns = Self {
            starts_over: series.first().is_some_and(|one| one.over),
            ..Self::default()
        };
        for pair in series.windows(2) {
            *match (pair[0].over, pair[1].over) {
                (false, false) => &mut turns.stays_good,
                (false, true) => &mut turns.to_over,
                (true, false) => &mut turns.to_good,
                (true, true) => &mut turns.stays_over,
            } += 1;
        }
        turns
    }

    /// A series of n requests of which none is over.
    pub(super) fn clean(n: u64) -> Self {
        Self {
            stays_good: n.saturating_sub(1),
            ..Self::default()
        }
    }

    /// Log likelihood of a stationary chain with this share and this λ.
    fn log_likelihood(&self, share: f64, stickiness: f64) -> f64 {
        let (over, good) = (
            (1.0 - stickiness) * share,
            (1.0 - stickiness) * (1.0 - share),
        );
        let first = if self.starts_over { share } else { 1.0 - share };
        first.ln()
            + self.stays_good as f64 * (1.0 - over).ln()
            + self.to_over as f64 * over.ln()
            + self.to_good as f64 * good.ln()
            + self.stays_over as f64 * (1.0 - good).ln()
    }
}

impl Mixture {
    /// `longest` is the largest autocorrelation time, in requests; at least 1.
    pub(super) fn new(allowed: f64, longest: f64) -> Self {
        let steps = (longest.ln() / STEP.ln()).ceil().max(0.0) as u32;
        let stickiness = (0..=steps)
            .map(|i| longest.powf(f64::from(i) / f64::from(steps.max(1))))
            .map(|time| (time - 1.0) / (time + 1.0))
            .collect();
        let (a, b) = (PRIOR * allowed, PRIOR * (1.0 - allowed));
        // In equal steps of pᵃ, so that the prior's pole at 0 needs no care: what is left of its
        // density is the weight.
        let below = weighted(|step| {
            let share = allowed * step.powf(1.0 / a);
            (share, (b - 1.0) * (1.0 - share).ln())
        });
        // In equal steps of ln p, the density by the share itself is the weight. Half of the prior
        // is even in ln p: a level that is all over must not be beyond belief.
        let mut above = weighted(|step| {
            let share = allowed.powf(1.0 - step);
            (share, a * share.ln() + (b - 1.0) * (1.0 - share).ln())
        });
        for one in &mut above {
            one.log_weight = f64::midpoint(one.log_weight.exp(), 1.0 / f64::from(SHARES)).ln();
        }
        Self {
            allowed,
            stickiness,
            below,
            above,
        }
    }

    pub(super) fn evidence(&self, turns: &Turns) -> Evidence {
        let bound = [Weighted {
            share: self.allowed,
            log_weight: 0.0,
        }];
        let at_the_bound = self.log_likelihood(turns, &bound);
        Evidence {
            pass: self.log_likelihood(turns, &self.below) - at_the_bound,
            fail: self.log_likelihood(turns, &self.above) - at_the_bound,
        }
    }

    fn log_likelihood(&self, turns: &Turns, shares: &[Weighted]) -> f64 {
        let terms: Vec<f64> = shares
            .iter()
            .flat_map(|one| {
                self.stickiness
                    .iter()
                    .map(|stickiness| one.log_weight + turns.log_likelihood(one.share, *stickiness))
            })
            .collect();
        log_sum(&terms)
    }
}

/// Points at the middles of equal steps, with weights that add up to one.
fn weighted(at: impl Fn(f64) -> (f64, f64)) -> Vec<Weighted> {
    let mut points: Vec<Weighted> = (0..SHARES)
        .map(|i| at((f64::from(i) + 0.5) / f64::from(SHARES)))
        .map(|(share, log_weight)| Weighted { share, log_weight })
        .collect();
    let weights: Vec<f64> = points.iter().map(|one| one.log_weight).collect();
    let total = log_sum(&weights);
    for one in &mut points {
        one.log_weight -= total;
    }
    points
}

/// ln Σ exp.
fn log_sum(terms: &[f64]) -> f64 {
    let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + terms
        .iter()
        .map(|term| (term - most).exp())
        .sum::<f64>()
        .ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without stickiness a pass has the evidence of the beta-binomial mixture in closed form; a
    /// fail has at least half of its odds.
    #[test]
    fn independent_requests_have_the_evidence_of_the_closed_form() {
        for (allowed, over, n) in [
            (0.05, 0, 99),
            (0.05, 4, 200),
            (0.05, 30, 200),
            (0.01, 5, 100),
        ] {
            // Single requests over, none beside another.
            let turns = Turns {
                stays_good: n - 1 - 2 * over,
                to_over: over,
                to_good: over,
                ..Turns::default()
            };
            let found = Mixture::new(allowed, 1.0).evidence(&turns);
            let known = Evidence::of(f64::from(over as u32), f64::from(n as u32), allowed);
            assert!((found.pass - known.pass).abs() < 0.1, "{over} of {n}");
            assert!(found.fail > known.fail - 0.8, "{over} of {n}");
        }
    }

    #[test]
    fn all_over_is_a_fail() {
        let turns = Turns {
            starts_over: true,
            stays_over: 40,
            ..Turns::default()
        };
        assert!(Mixture::new(0.05, 7.0).evidence(&turns).fail > 40.0_f64.ln());
    }

    #[test]
    fn one_clump_says_less_than_as_many_single_requests() {
        let single = Turns {
            stays_good: 79,
            to_over: 10,
            to_good: 10,
            ..Turns::default()
        };
        let clump = Turns {
            stays_good: 88,
            to_over: 1,
            to_good: 1,
            stays_over: 9,
            ..Turns::default()
        };
        let mixture = Mixture::new(0.05, 30.0);
        assert!(mixture.evidence(&clump).fail < mixture.evidence(&single).fail);
    }

    #[test]
    fn the_series_is_counted_by_its_turns() {
        let series: Vec<Observation> = [true, true, false, false, false, true]
            .map(|over| Observation {
                at: crate::time::Offset::ZERO,
                value: None,
                over,
            })
            .to_vec();
        let turns = Turns::of(&series);
        assert!(turns.starts_over);
        assert_eq!(
            [
                turns.stays_good,
                turns.to_over,
                turns.to_good,
                turns.stays_over
            ],
            [2, 1, 1, 1]
        );
    }
}
