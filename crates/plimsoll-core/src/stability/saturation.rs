//! The rate at which a server is saturated, from a closed-loop level with a standing queue, and what
//! it says of a rate of arrivals (statistics.md §8).
//!
//! Some requests are longer than others, and what completes in a batch says as much of its lengths as
//! of the server. The lengths are known, and so is their mean: regressing on them takes that part of
//! the noise away (control variates).

use serde::{Deserialize, Serialize};

use crate::record::RequestRecord;
use crate::stats::{mean, student_t_quantile, variance};
use crate::time::Offset;

/// Above this share of the saturation rate neither stability nor the SLO is decided in minutes.
const UNDECIDABLE: f64 = 0.97;
/// Fewer batches give no standard error worth its name.
const FEWEST: usize = 5;
/// One-sided error of each bound.
const SIDE: f64 = 0.025;
/// Controls: prompt and answer.
const CONTROLS: usize = 2;

/// What completed within a part of the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Batch {
    /// Completed requests.
    pub completions: u64,
    /// Length of the part, s, above 0.
    pub seconds: f64,
    /// By how much the completed requests' mean prompt and answer were longer than those of the
    /// workload, in tokens.
    pub excess_tokens: [f64; CONTROLS],
}

/// The rate at which a server is saturated, for the workload's mean lengths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Saturation {
    /// Completed requests per second.
    pub request_per_s: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower 97.5 % bound.
    pub lower_per_s: f64,
    /// Upper 97.5 % bound.
    pub upper_per_s: f64,
}

/// What the saturation rate says of a rate of arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be carried, and a level can tell.
    Open,
    /// It is too close to the saturation rate: no level of some minutes can tell.
    Undecidable,
    /// It is above what the server carries, and need not be tried.
    Unstable,
}

impl Batch {
    /// Cuts a window into `count` parts of one length; `mean_tokens` are those of the workload.
    /// A standing queue must be there throughout, and each part should be longer than a request.
    pub fn cut(
        ended: &[RequestRecord],
        (from, to): (Offset, Offset),
        count: usize,
        mean_tokens: [f64; CONTROLS],
    ) -> Vec<Self> {
        let part = to.since(from).as_secs_f64() / count as f64;
        let mut sums = vec![(0u64, [0.0; CONTROLS]); count];
        for record in ended {
            let at = record.done.since(from).as_secs_f64() / part;
            let is_within = record.done >= from && record.outcome.is_completed();
            if let Some(sum) = sums.get_mut(at as usize).filter(|_| is_within) {
                sum.0 += 1;
                sum.1[0] += f64::from(record.asked_prompt_tokens) - mean_tokens[0];
                sum.1[1] += f64::from(record.asked_output_tokens) - mean_tokens[1];
            }
        }
        sums.into_iter()
            .map(|(completions, excess)| Self {
                completions,
                seconds: part,
                excess_tokens: excess.map(|sum| sum / completions.max(1) as f64),
            })
            .collect()
    }
}

impl Saturation {
    /// From the batches of a window; `None` below five of them.
    pub fn of(batches: &[Batch]) -> Option<Self> {
        let rates: Vec<f64> = batches
            .iter()
            .map(|batch| batch.completions as f64 / batch.seconds)
            .collect();
        if rates.len() < FEWEST {
            return None;
        }
        let (request_per_s, standard_error, df) =
            regressed(&rates, batches).or_else(|| plain(&rates))?;
        let reach = student_t_quantile(1.0 - SIDE, df) * standard_error;
        Some(Self {
            request_per_s,
            standard_error,
            lower_per_s: (request_per_s - reach).max(0.0),
            upper_per_s: request_per_s + reach,
        })
    }

    /// What it says of `rate_per_s` arrivals per second.
    pub fn standing(&self, rate_per_s: f64) -> Standing {
        if rate_per_s > self.upper_per_s {
            Standing::Unstable
        } else if rate_per_s > UNDECIDABLE * self.request_per_s {
            Standing::Undecidable
        } else {
            Standing::Open
        }
    }

    /// The highest rate that may be stated as carried, whatever its latencies.
    pub fn highest_per_s(&self) -> f64 {
        UNDECIDABLE * self.lower_per_s
    }
}

/// An estimate, its standard error and its degrees of freedom.
type Estimate = (f64, f64, f64);

fn plain(rates: &[f64]) -> Option<Estimate> {
    let n = rates.len() as f64;
    Some((mean(rates)?, (variance(rates)? / n).sqrt(), n - 1.0))
}

/// Least squares of the rates on the lengths' excess: the rate where there is none. `None` where
/// the lengths do not vary, or fewer batches than it takes.
fn regressed(rates: &[f64], batches: &[Batch]) -> Option<Estimate> {
    const TERMS: usize = CONTROLS + 1;
    let df = rates.len().checked_sub(TERMS).filter(|df| *df >= FEWEST)? as f64;
    let row = |batch: &Batch| [1.0, batch.excess_tokens[0], batch.excess_tokens[1]];
    let mut normal = [[0.0; TERMS]; TERMS];
    let mut right = [0.0; TERMS];
    for (rate, batch) in rates.iter().zip(batches) {
        let row = row(batch);
        for i in 0..TERMS {
            right[i] += row[i] * rate;
            for j in 0..TERMS {
                normal[i][j] += row[i] * row[j];
            }
        }
    }
    let found = solve(normal, right)?;
    let unit = solve(normal, [1.0, 0.0, 0.0])?;
    let squares: f64 = rates
        .iter()
        .zip(batches)
        .map(|(rate, batch)| {
            let fitted: f64 = row(batch).iter().zip(found).map(|(a, b)| a * b).sum();
            (rate - fitted).powi(2)
        })
        .sum();
    Some((found[0], (squares / df * unit[0]).sqrt(), df))
}

/// Solves a symmetric positive definite system by elimination; `None` if it is singular.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    let scale: [f64; N] = std::array::from_fn(|i| matrix[i][i]);
    for i in 0..N {
        if matrix[i][i] <= scale[i] * 1e-9 {
            return None;
        }
        for row in i + 1..N {
            let factor = matrix[row][i] / matrix[i][i];
            let pivot = matrix[i];
            for (cell, above) in matrix[row].iter_mut().zip(pivot) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[i];
        }
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|j| matrix[i][j] * right[j]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::outcome::Outcome;
    use crate::record::tests::record;

    /// Batches of a server that does 1 000 tokens of answer a second, 100 to a request on average.
    fn batches(seed: u64, spread: f64) -> Vec<Batch> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut noise = move |size: f64| (rng.random::<f64>() - 0.5) * size;
        (0..20)
            .map(|_| {
                let excess = noise(spread);
                let completions = (60_000.0 / (100.0 + excess) + noise(4.0)).round();
                Batch {
                    completions: completions as u64,
                    seconds: 60.0,
                    excess_tokens: [noise(spread), excess],
                }
            })
            .collect()
    }

    #[test]
    fn lengths_that_are_known_are_no_noise() {
        let batches = batches(1, 20.0);
        let regressed = Saturation::of(&batches).unwrap();
        let without: Vec<Batch> = batches
            .iter()
            .map(|batch| Batch {
                excess_tokens: [0.0; 2],
                ..*batch
            })
            .collect();
        let plain = Saturation::of(&without).unwrap();
        assert!(regressed.standard_error < plain.standard_error / 3.0);
        assert!(
            (regressed.request_per_s - 10.0).abs() < 0.05,
            "{regressed:?}"
        );
    }

    #[test]
    fn the_interval_has_the_truth_in_95_of_100() {
        let covers = |seed: &u64| {
            let found = Saturation::of(&batches(*seed, 2.0)).unwrap();
            found.lower_per_s <= 10.0 && 10.0 <= found.upper_per_s
        };
        let covered = (0..400).filter(covers).count();
        // 95 % of 400, within three standard deviations.
        assert!((367..=393).contains(&covered), "{covered}");
    }

    #[test]
    fn a_window_is_cut_by_when_requests_end() {
        let at = |s: u64| Offset::from_nanos(s * 1_000_000_000);
        let ended = |s: u64, output| {
            let mut one = record(0, &[]);
            (one.done, one.asked_output_tokens) = (at(s), output);
            (one.asked_prompt_tokens, one.outcome) = (10, Outcome::Completed);
            one
        };
        let mut failed = ended(12, 100);
        failed.outcome = Outcome::Reset;
        let all = [
            ended(9, 100),
            ended(10, 110),
            ended(14, 130),
            failed,
            ended(16, 90),
            ended(20, 1),
        ];
        let batches = Batch::cut(&all, (at(10), at(20)), 2, [10.0, 100.0]);
        let batch = |completions, excess| Batch {
            completions,
            seconds: 5.0,
            excess_tokens: [0.0, excess],
        };
        assert_eq!(batches, [batch(2, 20.0), batch(1, -10.0)]);
    }

    #[test]
    fn few_batches_say_nothing() {
        assert_eq!(Saturation::of(&batches(1, 2.0)[..4]), None);
        assert!(Saturation::of(&batches(1, 2.0)[..5]).is_some());
    }

    #[test]
    fn a_rate_stands_below_at_or_above_saturation() {
        let found = Saturation {
            request_per_s: 10.0,
            standard_error: 0.1,
            lower_per_s: 9.8,
            upper_per_s: 10.2,
        };
        let table = [
            (9.6, Standing::Open),
            (9.8, Standing::Undecidable),
            (10.1, Standing::Undecidable),
            (10.3, Standing::Unstable),
        ];
        for (rate, standing) in table {
            assert_eq!(found.standing(rate), standing, "{rate}");
        }
        assert!((found.highest_per_s() - 9.506).abs() < 1e-9);
    }
}
