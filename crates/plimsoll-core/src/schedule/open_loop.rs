//! The due times of a level of arrivals: first those that fill the server, then the schedule.

use std::time::Duration;

use super::gaps::{Gaps, varies};
use super::scatter;

/// Due times of an open loop from the level's start, ascending and without end.
///
/// A server that is empty takes one request time to fill, and what is measured meanwhile is
/// biased (statistics.md §8.5). So rate × request time requests come first, scattered over one
/// request time as new streams are; then arrivals follow their law.
#[derive(Clone, Debug)]
pub struct OpenLoopDues {
    fill: std::vec::IntoIter<Duration>,
    gaps: Gaps,
    mean_gap_s: f64,
    at_s: f64,
}

/// Starts the schedule of `rate_per_s` arrivals per second, above 0; `burstiness` is the gamma
/// shape of the gaps: 1 is Poisson, infinity is constant.
pub fn open_loop(
    rate_per_s: f64,
    request_time: Duration,
    burstiness: f64,
    seed: u64,
) -> OpenLoopDues {
    let in_flight = (rate_per_s * request_time.as_secs_f64()).round() as u32;
    let mut fill: Vec<Duration> = (0..in_flight).map(|i| scatter(i, request_time)).collect();
    fill.sort_unstable();
    let mean = if varies(burstiness) { burstiness } else { 1.0 };
    OpenLoopDues {
        fill: fill.into_iter(),
        gaps: Gaps::new(burstiness, seed),
        mean_gap_s: 1.0 / (mean * rate_per_s),
        at_s: request_time.as_secs_f64(),
    }
}

impl Iterator for OpenLoopDues {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.fill.next().or_else(|| {
            self.at_s += self.gaps.next()? * self.mean_gap_s;
            Duration::try_from_secs_f64(self.at_s).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{mean, variance};

    const R: Duration = Duration::from_secs(2);

    #[test]
    fn the_fill_is_what_the_rate_keeps_in_flight() {
        let dues: Vec<Duration> = open_loop(10.0, R, 1.0, 1).take(200).collect();
        assert_eq!(dues.iter().filter(|due| **due < R).count(), 20);
        assert!(dues.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn arrivals_keep_the_rate_and_the_spread_of_their_law() {
        for (burstiness, spread) in [(1.0, 1.0), (4.0, 0.5), (1e308, 0.0), (f64::INFINITY, 0.0)] {
            let dues = open_loop(50.0, R, burstiness, 3).skip(100).take(4_000);
            let at_s: Vec<f64> = dues.map(|due| due.as_secs_f64()).collect();
            let gaps: Vec<f64> = at_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let gap = mean(&gaps).unwrap();
            // Five standard errors of the mean of 4 000 gaps.
            assert!(
                (gap * 50.0 - 1.0).abs() < 5.0 * spread / 63.0 + 1e-6,
                "{gap}"
            );
            let found = variance(&gaps).unwrap().sqrt() / gap;
            assert!((found - spread).abs() < 0.08, "{burstiness}: {found}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals() {
        let dues = |seed| open_loop(9.0, R, 1.0, seed).take(50).collect::<Vec<_>>();
        assert_eq!(dues(4), dues(4));
        assert_ne!(dues(4), dues(5));
    }

    #[test]
    fn a_slow_rate_needs_no_fill() {
        let first = open_loop(0.1, R, f64::INFINITY, 0).next();
        assert_eq!(first, Some(Duration::from_secs(12)));
    }
}
