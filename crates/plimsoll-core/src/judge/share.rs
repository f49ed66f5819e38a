//! A bounded share: the one-sided beta-binomial mixture (statistics.md §2.3.4).

use super::batches::Batches;
use super::{Decision, Errors, Judged};
use crate::stats::{beta_inc, ln_beta};

/// Weight of the prior, in observations, centred on the allowed share.
const PRIOR: f64 = 20.0;
/// Autocorrelation time assumed before there are batches, for the shortcut that fails a hopeless
/// level early; there is none for a pass.
const EARLY: f64 = 3.0;
/// A screened level breaks when its excess is this unlikely (one-sided binomial).
const SCREEN: f64 = 0.02;

pub(super) fn judge(batches: &Batches<'_>, allowed: f64, errors: Errors) -> Judged {
    let (k, n) = (batches.over() as f64, batches.n() as f64);
    let autocorrelation = batches.autocorrelation();
    let (passes, fails) = ((1.0 / errors.pass).ln(), (1.0 / errors.fail).ln());
    let decision = if batches.suffice() {
        let evidence = Evidence::of(k / autocorrelation, n / autocorrelation, allowed);
        if evidence.pass > passes {
            Decision::Pass
        } else if evidence.fail > fails {
            Decision::Fail
        } else {
            Decision::Undecided
        }
    } else if Evidence::of(k / EARLY, n / EARLY, allowed).fail > fails {
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

/// P(K ≥ k) of a binomial with n trials at the allowed share, continued to real k and n.
fn excess_is_significant(k: f64, n: f64, allowed: f64) -> bool {
    k > n * allowed && beta_inc(k.max(1e-9), n - k + 1.0, allowed) < SCREEN
}

/// Log evidence for a pass and for a fail.
struct Evidence {
    pass: f64,
    fail: f64,
}

impl Evidence {
    fn of(k: f64, n: f64, allowed: f64) -> Self {
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
    use crate::judge::SIDE;
    use crate::time::Offset;

    fn least_n(bad: f64, allowed: f64) -> u32 {
        (1..5_000)
            .find(|n| Evidence::of(bad, f64::from(*n), allowed).pass > (1.0 / SIDE).ln())
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
                Evidence::of(k, n, allowed).fail > (1.0 / SIDE).ln(),
                "{k} of {n} at {allowed}"
            );
        }
    }

    /// A two-state chain with a known autocorrelation time τ = (1+λ)/(1−λ), at the bound itself:
    /// there every decision is a false one.
    fn false_decisions(lambda: f64, seed: u64) -> (u32, u32) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut over = rng.random_bool(0.05);
        let all: Vec<Observation> = (0..3_000u64)
            .map(|i| {
                if !rng.random_bool(lambda) {
                    over = rng.random_bool(0.05);
                }
                Observation {
                    at: Offset::from_nanos(i * 1_000_000),
                    value: Some(0.0),
                    over,
                }
            })
            .collect();
        let mut n = 240usize;
        while n <= all.len() {
            let to = Offset::from_nanos(n as u64 * 1_000_000);
            let batches = Batches::cut(&all[..n], Offset::ZERO, to, Duration::from_millis(30));
            match judge(&batches, 0.05, Errors::of_one_among(1)).decision {
                Decision::Pass => return (1, 0),
                Decision::Fail => return (0, 1),
                Decision::Undecided => n = n * 115 / 100,
            }
        }
        (0, 0)
    }

    /// At 5 % two-sided, 200 runs, three standard errors of their count: 19. At τ = 9 this recipe
    /// errs in 15 % of such chains, which `docs/metrics.md` says; the judge's evidence is to mend it.
    #[test]
    fn false_decisions_stay_rare_under_autocorrelation() {
        for lambda in [0.0, 0.5] {
            let (passes, fails) = (0..200)
                .map(|seed| false_decisions(lambda, seed))
                .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            assert!(
                passes + fails <= 19,
                "λ {lambda}: {passes} passes, {fails} fails of 200"
            );
        }
    }

    #[test]
    fn a_screened_level_breaks_on_a_significant_excess_only() {
        assert!(!excess_is_significant(1.0, 8.0, 0.05));
        assert!(excess_is_significant(4.0, 8.0, 0.05));
        assert!(!excess_is_significant(0.0, 100.0, 0.05));
    }
}
