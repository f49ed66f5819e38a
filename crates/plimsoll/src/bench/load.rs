//! When requests are due: rate, burstiness, cap, ramp-up.

use std::time::Duration;

use plimsoll_core::schedule::{Arrivals, arrivals};

use super::args::Parsed;
use super::failure::{BenchFault, Failure};
use super::fault::{needs, not_above_0, out_of_bounds};
use crate::machine;

/// How the rate rises from the first request to the last, by the request's index and not by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Along a straight line.
    Linear,
    /// By a constant factor.
    Exponential,
}

/// A rising rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RampUp {
    /// How it rises.
    pub(crate) strategy: Strategy,
    /// Requests per second of the first request.
    pub(crate) start_rps: u32,
    /// Requests per second of the last request.
    pub(crate) end_rps: u32,
}

impl RampUp {
    /// The strategy's name.
    pub(crate) fn name(self) -> &'static str {
        match self.strategy {
            Strategy::Linear => "linear",
            Strategy::Exponential => "exponential",
        }
    }

    /// The rate of request `index` of `count`.
    fn rate(self, index: usize, count: usize) -> f64 {
        let progress = index as f64 / (count.saturating_sub(1)).max(1) as f64;
        let (start, end) = (f64::from(self.start_rps), f64::from(self.end_rps));
        match self.strategy {
            Strategy::Linear => start + (end - start) * progress,
            Strategy::Exponential => start * (end / start).powf(progress),
        }
    }
}

/// The load to put on the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    /// Requests per second; infinite sends all at once.
    pub(crate) rate_per_s: f64,
    /// Gamma shape of the gaps.
    pub(crate) burstiness: f64,
    /// Most requests in flight.
    pub(crate) max_concurrency: Option<u32>,
    /// A rising rate instead of the constant one.
    pub(crate) ramp_up: Option<RampUp>,
    /// Seed of the gaps.
    pub(crate) seed: u64,
}

/// Least requests per second and least burstiness: a request in a quarter of an hour, and gaps of which
/// nearly all are 0.
const LEAST: f64 = 0.001;
/// Highest rate of a ramp, requests per second: none is sent faster, and each is an entry of the
/// result.
const MOST_RPS: u32 = 1_000_000;

impl Load {
    /// Reads the flags of the load.
    pub(crate) fn read(parsed: &Parsed) -> Result<Self, Failure> {
        let rate_per_s = parsed.float("request-rate").unwrap_or(f64::INFINITY);
        let burstiness = parsed.float("burstiness").unwrap_or(1.0);
        for (name, value) in [("request-rate", rate_per_s), ("burstiness", burstiness)] {
            if value.is_nan() || value <= 0.0 {
                return Err(not_above_0(&format!("--{name}"), value).into());
            }
            if value < LEAST {
                return Err(BenchFault::TooSmall {
                    name: format!("--{name}"),
                    least: LEAST,
                    got: value,
                }
                .into());
            }
        }
        let max_concurrency = parsed.int("max-concurrency").map(|cap| {
            u32::try_from(cap)
                .ok()
                .filter(|cap| *cap > 0)
                .ok_or_else(|| not_above_0("--max-concurrency", cap))
        });
        Ok(Self {
            rate_per_s,
            burstiness,
            max_concurrency: max_concurrency.transpose()?,
            ramp_up: ramp_up(parsed)?,
            // A negative seed is as good as any.
            seed: parsed.int("seed").unwrap_or(0).cast_unsigned(),
        })
    }

    /// Whether requests arrive one after another and not all at once.
    pub(crate) fn is_finite(&self) -> bool {
        self.ramp_up.is_none() && self.rate_per_s.is_finite()
    }

    /// Most requests in flight out of `count`, as far as it is known before the run: at a finite
    /// rate without a cap they are few, unless the server is far behind.
    pub(crate) fn most_in_flight(&self, count: usize) -> u32 {
        let all = u32::try_from(count).unwrap_or(u32::MAX);
        match self.max_concurrency {
            Some(cap) => cap.min(all),
            None if self.is_finite() || self.ramp_up.is_some() => 1,
            None => all,
        }
    }

    /// Worker threads for `count` requests.
    pub(crate) fn workers(&self, count: usize) -> u32 {
        machine::workers(self.most_in_flight(count), self.rate_per_s)
    }

    /// When each of `count` requests is due.
    pub(crate) fn dues(&self, count: usize) -> Result<Vec<Duration>, Failure> {
        let plan = |rate_per_s| Arrivals {
            count,
            rate_per_s,
            burstiness: self.burstiness,
            seed: self.seed,
        };
        let made = |plan: Arrivals| arrivals(&plan).map_err(Failure::from);
        match self.ramp_up {
            None => made(plan(self.rate_per_s)),
            Some(ramp_up) => Ok(ramped(&made(plan(1.0))?, ramp_up)),
        }
    }
}

/// Stretches arrivals at 1/s to the rising rate: each gap is divided by the rate of its request.
/// A request whose rate is 0, the first of a ramp from 0, is due at once; vLLM stops with an error
/// there.
fn ramped(unit: &[Duration], ramp_up: RampUp) -> Vec<Duration> {
    let mut before = Duration::ZERO;
    let mut due = Duration::ZERO;
    unit.iter()
        .enumerate()
        .map(|(index, at)| {
            let rate = ramp_up.rate(index, unit.len());
            if rate > 0.0 {
                due += at.saturating_sub(before).div_f64(rate);
            }
            before = *at;
            due
        })
        .collect()
}

/// When the rate first reached each whole number of requests per second: (rate, due time).
pub(crate) fn rate_changes(ramp_up: RampUp, dues: &[Duration]) -> Vec<(u32, Duration)> {
    let mut changes = Vec::new();
    let mut next = ramp_up.start_rps;
    for (index, due) in dues.iter().enumerate() {
        // Rounding must not hide that the last request has the final rate.
        let reached = (ramp_up.rate(index, dues.len()) + 1e-9).floor() as u32;
        while next <= reached {
            changes.push((next, *due));
            next += 1;
        }
    }
    changes
}

fn ramp_up(parsed: &Parsed) -> Result<Option<RampUp>, Failure> {
    let strategy = match parsed.text("ramp-up-strategy") {
        None if parsed.given("ramp-up-start-rps") || parsed.given("ramp-up-end-rps") => {
            let rates = "--ramp-up-start-rps, --ramp-up-end-rps";
            return Err(needs(rates, "--ramp-up-strategy").into());
        }
        None => return Ok(None),
        Some("linear") => Strategy::Linear,
        Some("exponential") => Strategy::Exponential,
        Some(other) => {
            return Err(BenchFault::NoneOf {
                name: "--ramp-up-strategy",
                value: other.to_owned(),
                known: "linear, exponential".to_owned(),
            }
            .into());
        }
    };
    if parsed.given("request-rate") {
        return Err(BenchFault::RampWithRate.into());
    }
    let rps = |name: &str| {
        let value = parsed
            .int(name)
            .ok_or_else(|| needs("--ramp-up-strategy", &format!("--{name}")))?;
        let within = u32::try_from(value).ok().filter(|rps| *rps <= MOST_RPS);
        within.ok_or_else(|| out_of_bounds(name, (0, i64::from(MOST_RPS)), value))
    };
    let (start_rps, end_rps) = (rps("ramp-up-start-rps")?, rps("ramp-up-end-rps")?);
    if start_rps > end_rps || end_rps == 0 {
        return Err(BenchFault::RampFalls {
            from: start_rps,
            to: end_rps,
        }
        .into());
    }
    if strategy == Strategy::Exponential && start_rps == 0 {
        return Err(BenchFault::RampFrom0.into());
    }
    Ok(Some(RampUp {
        strategy,
        start_rps,
        end_rps,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, parse};
    use super::*;

    fn read(line: &str) -> Result<Load, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match parse(&words)? {
            Command::Run(parsed) => Load::read(&parsed),
            Command::Help => panic!("help"),
        }
    }

    fn seconds(line: &str, count: usize) -> Vec<f64> {
        let dues = read(line).unwrap().dues(count).unwrap();
        dues.iter().map(Duration::as_secs_f64).collect()
    }

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn without_a_rate_all_are_due_at_once() {
        close(&seconds("", 3), &[0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_rate_ends_at_n_over_rate() {
        let dues = seconds("--request-rate 20 --burstiness 0.5", 100);
        assert!((dues[99] - 5.0).abs() < 1e-6);
        close(
            &seconds("--request-rate 4 --burstiness inf", 2),
            &[0.25, 0.5],
        );
    }

    #[test]
    fn a_linear_ramp_from_zero_starts_at_once() {
        // Rates 0, 2, 4: gaps none, 1/2, 1/4.
        let line = "--ramp-up-strategy linear --ramp-up-start-rps 0 --ramp-up-end-rps 4 \
                    --burstiness inf";
        close(&seconds(line, 3), &[0.0, 0.5, 0.75]);
        close(&seconds(line, 1), &[0.0]);
    }

    #[test]
    fn an_exponential_ramp_rises_by_a_factor() {
        // Rates 1, 2, 4: gaps 1, 1/2, 1/4.
        let line = "--ramp-up-strategy exponential --ramp-up-start-rps 1 --ramp-up-end-rps 4 \
                    --burstiness inf";
        close(&seconds(line, 3), &[1.0, 1.5, 1.75]);
        let ramp_up = read(line).unwrap().ramp_up.unwrap();
        let dues = [1000, 1500, 1750].map(Duration::from_millis);
        let reached: Vec<u32> = rate_changes(ramp_up, &dues)
            .iter()
            .map(|(rps, _)| *rps)
            .collect();
        assert_eq!(reached, [1, 2, 3, 4]);
        assert_eq!(rate_changes(ramp_up, &dues)[2].1, dues[2]);
    }

    #[test]
    fn loads_that_are_none_are_refused() {
        for line in [
            "--request-rate 0",
            "--request-rate nan",
            "--burstiness 0",
            "--max-concurrency 0",
            "--ramp-up-strategy linear --ramp-up-start-rps 1",
            "--ramp-up-strategy linear --ramp-up-start-rps 5 --ramp-up-end-rps 1",
            "--ramp-up-strategy linear --ramp-up-start-rps 0 --ramp-up-end-rps 0",
            "--ramp-up-strategy exponential --ramp-up-start-rps 0 --ramp-up-end-rps 1",
            "--ramp-up-strategy linear --ramp-up-start-rps 1 --ramp-up-end-rps 2 --request-rate 1",
            "--ramp-up-start-rps 1",
        ] {
            assert_eq!(read(line).unwrap_err().code, 2, "{line}");
        }
    }
}
