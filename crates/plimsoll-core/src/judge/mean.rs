//! A bounded mean: batch means and Student's t, at looks that grow (statistics.md §2.3.7).

use super::batches::{Batches, FEWEST};
use super::{Decision, Errors, Judged};
use crate::slo::{Objective, Op};
use crate::stats::{mean, student_t_upper, variance};

/// A level's error is spent over about so many looks.
const LOOKS: f64 = 5.0;
/// Before there are batches, requests are taken as correlated by this many: enough to screen a level,
/// not to decide one. All that were in flight in one pause of the server are one observation.
const EARLY: f64 = 3.0;
/// A screened level breaks when its excess is this unlikely.
const SCREEN: f64 = 0.02;

pub(super) fn judge(objective: &Objective, batches: &Batches<'_>, errors: Errors) -> Judged {
    let values = batches.values();
    let early = Estimate::of(&values, EARLY).filter(|_| !batches.are_draws());
    let batch_means = batches.means();
    let sound = if batch_means.len() >= FEWEST {
        Estimate::of(&batch_means, 1.0)
    } else {
        None
    };
    let excess = |estimate: &Estimate| match objective.op {
        Op::AtMost => (estimate.mean - objective.bound) / estimate.standard_error,
        Op::AtLeast => (objective.bound - estimate.mean) / estimate.standard_error,
    };
    let tail = |estimate: &Estimate| student_t_upper(excess(estimate), estimate.df);
    let decision = match &sound {
        Some(estimate) if tail(estimate) < errors.fail / LOOKS => Decision::Fail,
        Some(estimate) if 1.0 - tail(estimate) < errors.pass / LOOKS => Decision::Pass,
        _ => Decision::Undecided,
    };
    let best = sound.as_ref().or(early.as_ref());
    Judged {
        decision,
        screen_breaks: best.is_some_and(|estimate| tail(estimate) < SCREEN),
        autocorrelation: 1.0,
        standard_error: best.map(|estimate| estimate.standard_error),
    }
}

struct Estimate {
    mean: f64,
    standard_error: f64,
    df: f64,
}

impl Estimate {
    /// `None` below [`FEWEST`] values. A sample without any spread gets a tiny one, so that the
    /// ratio exists.
    fn of(values: &[f64], correlated: f64) -> Option<Self> {
        if values.len() < FEWEST {
            return None;
        }
        let mean = mean(values)?;
        let standard_error = (variance(values)? * correlated / values.len() as f64).sqrt();
        Some(Self {
            mean,
            standard_error: standard_error.max(mean.abs() * 1e-9 + 1e-12),
            df: values.len() as f64 / correlated - 1.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::judge::{Confidence, Observation};
    use crate::time::Offset;

    fn decide(value: impl Fn(u64) -> f64, n: u64) -> Judged {
        let all: Vec<Observation> = (0..n)
            .map(|i| Observation {
                at: Offset::from_nanos(i * 1_000_000),
                value: Some(value(i)),
                over: false,
            })
            .collect();
        let batches = Batches::cut(
            &all,
            Offset::ZERO,
            Offset::from_nanos(n * 1_000_000),
            Duration::from_millis(20),
        );
        judge(
            &"ttft mean <= 100ms".parse().unwrap(),
            &batches,
            Errors::of_one_among(1, Confidence::default()),
        )
    }

    #[test]
    fn a_mean_is_decided_by_its_distance_in_standard_errors() {
        let noise = |i: u64| (i * 7_919 % 41) as f64 - 20.0;
        assert_eq!(decide(|i| 60.0 + noise(i), 400).decision, Decision::Pass);
        assert_eq!(decide(|i| 140.0 + noise(i), 400).decision, Decision::Fail);
        assert_eq!(
            decide(|i| 100.2 + noise(i), 400).decision,
            Decision::Undecided
        );
    }

    #[test]
    fn a_short_level_is_screened_and_not_decided() {
        let noise = |i: u64| (i * 7 % 5) as f64;
        assert_eq!(
            decide(|i| 500.0 + noise(i), 30).decision,
            Decision::Undecided
        );
        assert_eq!(decide(|i| 5.0 + noise(i), 30).decision, Decision::Undecided);
        assert!(!decide(|i| 5.0 + noise(i), 30).screen_breaks);
        assert!(decide(|i| 500.0 + noise(i), 30).screen_breaks);
    }
}
