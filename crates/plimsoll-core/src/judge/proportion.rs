//! A bounded share: two one-sided mixtures, and a decision needs both.
//!
//! One is the beta-binomial of statistics.md §2.3.4, its sample size divided by an upper bound of
//! the autocorrelation time from batches: it sees slow changes of any kind, once there are enough
//! requests over the bound. The other is a two-state chain ([`super::clumping`]): it knows what few
//! clumps, or none, are worth.

use super::batches::Batches;
use super::clumping::{Mixture, Turns};
use super::{Confidence, Decision, Errors, Judged};
use crate::slo::{Metric, Objective};
use crate::stats::{beta_inc, ln_beta};

/// Weight of the prior, in observations, centred on the allowed share.
pub(super) const PRIOR: f64 = 20.0;
/// The longest autocorrelation time of a latency that is reckoned with, in requests: near a KV limit
/// it reaches 20 to 50 (statistics.md §1.1), and a shorter one would pass falsely in more than one of
/// ten levels at 30. It is what a pass costs: about 960 requests without a bad one …
const LONGEST_CLUMP_REQUESTS: f64 = 25.0;
/// … gaps share a step with those of all other streams: for them it grows with what a request time
/// holds, by this factor …
const LONGEST_CLUMP_REQUEST_TIMES: f64 = 0.8;
/// … and failures share no step of an engine.
const LONGEST_CLUMP_OF_FAILURES: f64 = 6.5;
/// Autocorrelation time assumed before there are batches, for the shortcut that fails a hopeless
/// level early; there is none for a pass.
const EARLY: f64 = 3.0;
/// A screened level breaks when its excess is this unlikely (one-sided binomial).
const SCREEN: f64 = 0.02;

pub(super) fn judge(
    objective: &Objective,
    allowed: f64,
    batches: &Batches<'_>,
    errors: Errors,
) -> Judged {
    let (k, n) = (batches.over() as f64, batches.n() as f64);
    let autocorrelation = batches.autocorrelation();
    let divisor = if batches.suffice() {
        batches.dispersion().unwrap_or(1.0)
    } else if batches.are_draws() {
        batches.batch_size().max(EARLY)
    } else {
        EARLY
    };
    let longest = longest_clump(objective, batches.per_request_time());
    let evidence = Evidence::of(k / divisor, n / divisor, allowed)
        .least(&Mixture::new(allowed, longest).evidence(&Turns::of(batches.all())));
    let decision = if batches.suffice() && evidence.pass > (1.0 / errors.pass).ln() {
        Decision::Pass
    } else if evidence.fail > (1.0 / errors.fail).ln() {
        Decision::Fail
    } else {
        Decision::Undecided
    };
    Judged {
        decision,
        screen_breaks: excess_is_significant(k / autocorrelation, n / autocorrelation, allowed),
        autocorrelation,
        standard_error: None,
    }
}

/// The longest autocorrelation time that is reckoned with, in observations. Failures share no step
/// of an engine; gaps share it with those of all other streams.
fn longest_clump(objective: &Objective, per_request_time: f64) -> f64 {
    match objective.metric {
        Metric::Success => LONGEST_CLUMP_OF_FAILURES,
        Metric::Itl => (LONGEST_CLUMP_REQUEST_TIMES * per_request_time).max(LONGEST_CLUMP_REQUESTS),
        _ => LONGEST_CLUMP_REQUESTS,
    }
}

/// How many requests a pass of an objective takes at least, at `streams`: with none over its bound.
/// `None` where it is no share of requests.
pub fn least_requests_for_a_pass(
    objective: &Objective,
    streams: u32,
    confidence: Confidence,
) -> Option<u64> {
    let allowed = objective
        .allowed_share()
        .filter(|_| objective.metric != Metric::Itl)?;
    let mixture = Mixture::new(allowed, longest_clump(objective, f64::from(streams)));
    let passes = |n: u64| mixture.evidence(&Turns::clean(n)).pass > (1.0 / confidence.side()).ln();
    let most = (0..40)
        .map(|doubling| 1u64 << doubling)
        .find(|n| passes(*n))?;
    let (mut low, mut high) = (most / 2, most);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if passes(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// P(K ≥ k) of a binomial with n trials at the allowed share, continued to real k and n.
fn excess_is_significant(k: f64, n: f64, allowed: f64) -> bool {
    k > n * allowed && beta_inc(k.max(1e-9), n - k + 1.0, allowed) < SCREEN
}

/// Log evidence for a pass and for a fail.
pub(super) struct Evidence {
    pub(super) pass: f64,
    pub(super) fail: f64,
}

impl Evidence {
    /// What both say.
    fn least(self, other: &Self) -> Self {
        Self {
            pass: self.pass.min(other.pass),
            fail: self.fail.min(other.fail),
        }
    }

    /// The beta-binomial mixture of k of n, both real numbers.
    pub(super) fn of(k: f64, n: f64, allowed: f64) -> Self {
        let (a, b) = (PRIOR * allowed, PRIOR * (1.0 - allowed));
        let mixture = ln_beta(k + a, n - k + b)
            - ln_beta(a, b)
            - k * allowed.ln()
            - (n - k) * (1.0 - allowed).ln();
        let (below, below_prior) = (beta_inc(k + a, n - k + b, allowed), beta_inc(a, b, allowed));
        // By symmetry, so that a tail far from the bound keeps its digits.
        let above = beta_inc(n - k + b, k + a, 1.0 - allowed);
        Self {
            pass: mixture + below.ln() - below_prior.ln(),
            fail: mixture + above.ln() - (1.0 - below_prior).ln(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::RngExt;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::judge::Observation;
    use crate::time::Offset;

    /// The log evidence that 95 % ask for: ln 40.
    const SURE: f64 = 3.688_879_454;

    fn least_n(bad: f64, allowed: f64) -> u32 {
        (1..5_000)
            .find(|n| Evidence::of(bad, f64::from(*n), allowed).pass > SURE)
            .unwrap()
    }

    /// statistics.md §1.4: what a pass costs with 0, 1, 2, 5 bad requests.
    #[test]
    fn a_pass_costs_what_was_computed_beforehand() {
        for (bad, p95, one_percent) in [
            (0.0, 99, 402),
            (1.0, 148, 783),
            (2.0, 189, 1_032),
            (5.0, 298, 1_633),
        ] {
            assert_eq!(least_n(bad, 0.05), p95, "p95, {bad} bad");
            assert_eq!(least_n(bad, 0.01), one_percent, "1 %, {bad} bad");
        }
    }

    /// statistics.md §1.4: a fail is cheap.
    #[test]
    fn a_fail_is_cheap() {
        for (k, n, allowed) in [
            (5.0, 5.0, 0.05),
            (6.0, 20.0, 0.05),
            (13.0, 100.0, 0.05),
            (3.0, 20.0, 0.01),
            (6.0, 100.0, 0.01),
        ] {
            assert!(
                Evidence::of(k, n, allowed).fail > SURE,
                "{k} of {n} at {allowed}"
            );
        }
    }

    /// The prices of 99 and 402 requests rise with the clumps that are reckoned with. A chain with
    /// autocorrelation time τ at the bound stays clean for n requests with probability
    /// (1−α)(1−2α/(τ+1))ⁿ: at the price of a pass that is below 5 % for τ = 30.
    #[test]
    fn a_pass_costs_what_a_clump_could_hide() {
        let cost = |objective: &str, streams: u32| {
            least_requests_for_a_pass(&objective.parse().unwrap(), streams, Confidence::default())
        };
        let one = cost("ttft p95 <= 1s", 1).unwrap();
        let clean = 0.95 * (1.0 - 0.1 / 31.0_f64).powf(one as f64);
        assert!((0.02..0.05).contains(&clean), "{one}");
        assert_eq!(cost("ttft p95 <= 1s", 200), Some(one));
        let failures = cost("success >= 95%", 64).unwrap();
        assert!((250..=297).contains(&failures), "{failures}");
        assert_eq!(cost("success >= 99%", 1), cost("success >= 99%", 64));
        assert_eq!(cost("ttft mean <= 1s", 8), None);
    }

    /// The first decision on a two-state chain of 60 request times with a known autocorrelation
    /// time (1+λ)/(1−λ), at the bound itself: there every decision is a false one.
    fn decides_falsely(time: f64, per_request_time: usize, seed: u64) -> bool {
        let stickiness = (time - 1.0) / (time + 1.0);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut over = rng.random_bool(0.05);
        let all: Vec<Observation> = (0..60 * per_request_time as u64)
            .map(|i| {
                if !rng.random_bool(stickiness) {
                    over = rng.random_bool(0.05);
                }
                Observation {
                    at: Offset::from_nanos(i * 1_000_000),
                    value: Some(0.0),
                    over,
                }
            })
            .collect();
        let objective = "ttft p95 <= 1s".parse().unwrap();
        let request_time = Duration::from_millis(per_request_time as u64);
        let decision = |n: usize| {
            let to = Offset::from_nanos(n as u64 * 1_000_000);
            let batches = Batches::cut(&all[..n], Offset::ZERO, to, request_time);
            judge(
                &objective,
                0.05,
                &batches,
                Errors::of_one_among(1, Confidence::default()),
            )
            .decision
        };
        let looks = std::iter::successors(Some(8 * per_request_time), |n| Some(n * 115 / 100));
        looks
            .take_while(|n| *n <= all.len())
            .any(|n| decision(n) != Decision::Undecided)
    }

    /// The goal is 5 % of all and 10 % of the worst kind; to both come two standard errors.
    #[test]
    fn false_decisions_stay_rare_under_autocorrelation() {
        let kinds = [
            (1.0, 8),
            (3.0, 16),
            (10.0, 16),
            (10.0, 32),
            (30.0, 32),
            (30.0, 64),
        ];
        let mut all = 0;
        for (time, per_request_time) in kinds {
            let count = (0..150)
                .filter(|seed| decides_falsely(time, per_request_time, *seed))
                .count();
            assert!(count <= 22, "τ {time}: {count} of 150");
            all += count;
        }
        assert!(all <= 58, "{all} of 900");
    }

    #[test]
    fn a_screened_level_breaks_on_a_significant_excess_only() {
        assert!(!excess_is_significant(1.0, 8.0, 0.05));
        assert!(excess_is_significant(4.0, 8.0, 0.05));
        assert!(!excess_is_significant(0.0, 100.0, 0.05));
    }
}
