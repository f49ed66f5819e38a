//! Think time: how long a stream waits before its next request, as a user does who reads an answer.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::schedule::scatter;

/// Beside the streams of lengths and of prompts, which are two for each request.
const STREAM: u64 = 1 << 63;

/// The law of the think time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThinkTime {
    /// Mean.
    pub mean: Duration,
    /// Whether each wait is the mean; else they are exponential, as those of independent users.
    pub is_fixed: bool,
    /// Seed of the waits.
    pub seed: u64,
}

impl ThinkTime {
    /// The wait after request `index`.
    pub fn after(&self, index: u64) -> Duration {
        if self.is_fixed {
            return self.mean;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(STREAM | index);
        self.mean.mul_f64(exponential(rng.random()))
    }

    /// When the `i`-th new user sends first, after its level began. The whole cycle of request and
    /// thought is spread out, by the law of the waits, so that the rate is at once that of a level
    /// that has long been running.
    pub fn join(&self, i: u32, request_time: Duration) -> Duration {
        let cycle = request_time + self.mean;
        if self.is_fixed {
            scatter(i, cycle)
        } else {
            let share = scatter(i, Duration::from_secs(1)).as_secs_f64();
            cycle.mul_f64(exponential(share))
        }
    }
}

/// The quantile of the exponential law of mean 1.
fn exponential(share: f64) -> f64 {
    -(-share).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: ThinkTime = ThinkTime {
        mean: Duration::from_secs(60),
        is_fixed: false,
        seed: 4,
    };

    #[test]
    fn waits_have_the_mean_and_the_spread_of_an_exponential_law() {
        let waits: Vec<f64> = (0..20_000).map(|i| MINUTE.after(i).as_secs_f64()).collect();
        let mean = crate::stats::mean(&waits).unwrap();
        let deviation = crate::stats::variance(&waits).unwrap().sqrt();
        assert!((mean - 60.0).abs() < 1.3, "{mean}");
        assert!((deviation - 60.0).abs() < 2.5, "{deviation}");
        assert_eq!(MINUTE.after(7), MINUTE.after(7));
        let fixed = ThinkTime {
            is_fixed: true,
            ..MINUTE
        };
        assert_eq!(fixed.after(7), Duration::from_secs(60));
    }

    /// In each minute of a cycle of two, as many of a thousand users come as of a steady state:
    /// 1 − 1/e of them within the first cycle, or all of them evenly with fixed waits.
    #[test]
    fn new_users_come_as_if_they_had_long_been_there() {
        let within = |think: ThinkTime, s: u64| {
            let request_time = Duration::from_secs(60);
            let come = |i: &u32| think.join(*i, request_time) < Duration::from_secs(s);
            (0..1_000).filter(come).count()
        };
        assert!(within(MINUTE, 120).abs_diff(632) < 5);
        assert!(within(MINUTE, 12).abs_diff(95) < 5);
        let fixed = ThinkTime {
            is_fixed: true,
            ..MINUTE
        };
        assert_eq!(within(fixed, 120), 1_000);
        assert!(within(fixed, 60).abs_diff(500) < 5);
    }
}
