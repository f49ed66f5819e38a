//! The true capacity of an engine: long holds around the edge, by none of the code they judge and
//! with other seeds.
//!
//! First a bisection by holds of [`COARSE`] requests. Then the share of bad requests at loads around
//! the edge, [`FINE`] requests each, until the neighbours of the edge are told apart or the local
//! line through logit p over ln N says where it crosses and how surely.

use plimsoll_sim::fast::{Ask, HoldCounts, hold};
use serde::{Deserialize, Serialize};

use super::population::Subject;

/// Largest load considered, streams.
pub(super) const MOST_STREAMS: u32 = 1_024;
/// Allowed share of bad requests.
pub(super) const ALLOWED: f64 = 0.05;
/// Requests of a coarse hold, and of one batch of a fine one.
const COARSE: u64 = 4_000;
const FINE: u64 = 5_000;
const BATCHES: usize = 12;

/// What is known of one engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Truth {
    /// Largest load such that every load up to it meets the SLO in the long run; 0 if none does.
    pub(super) streams: u32,
    /// Standard error, streams.
    pub(super) error_streams: f64,
    /// d ln(share over the bound as logit) / d ln N at the edge: how steep it is.
    pub(super) steepness: f64,
    /// Which objective binds: 0 TTFT, 1 TPOT.
    pub(super) binding: usize,
}

impl Truth {
    /// An edge that one or two streams decide.
    pub(super) fn is_cliff(&self) -> bool {
        self.steepness > 20.0
    }
}

/// The shares of bad requests at one load, in the long run.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) streams: u32,
    /// Share and its standard error, one pair an objective.
    pub(super) shares: Vec<(f64, f64)>,
}

impl Point {
    /// The worst objective's share, its standard error, and which it is.
    fn worst(&self) -> (f64, f64, usize) {
        let all = self.shares.iter().zip(0..);
        all.map(|((share, error), index)| (*share, *error, index))
            .fold((0.0, 1.0, 0), |a, b| if b.0 >= a.0 { b } else { a })
    }
}

/// A long hold: `batches` of `each` requests, judged by both objectives with bounds scaled by
/// `slack`.
pub(super) fn long_hold(
    subject: &Subject,
    streams: u32,
    seed: u64,
    (batches, each): (usize, u64),
    slack: f64,
) -> Point {
    let (ttft, tpot) = (subject.ttft_p95_ms * slack, subject.tpot_p95_ms * slack);
    let ttft_is_bad =
        move |failed: bool, ttft_ms: f64, _: Option<f64>| Some(failed || ttft_ms > ttft);
    let tpot_is_bad = move |failed: bool, _: f64, tpot_ms: Option<f64>| {
        if failed {
            Some(true)
        } else {
            tpot_ms.map(|value| value > tpot)
        }
    };
    let questions: [Ask<'_>; 2] = [&ttft_is_bad, &tpot_is_bad];
    let engine = subject.engine(seed);
    let holds = hold(
        engine,
        &subject.lengths,
        seed,
        streams,
        2_000_000_000,
        (batches, each),
        &questions,
    );
    Point {
        streams,
        shares: holds.iter().map(share).collect(),
    }
}

/// Share of bad requests and its standard error by batch means.
fn share(hold: &HoldCounts) -> (f64, f64) {
    let (asked, bad): (u32, u32) = (hold.asked.iter().sum(), hold.bad.iter().sum());
    let share = f64::from(bad) / f64::from(asked.max(1));
    let count = hold.asked.len() as f64;
    let spread: f64 = hold
        .asked
        .iter()
        .zip(&hold.bad)
        .map(|(asked, bad)| (f64::from(*bad) / f64::from(*asked).max(1.0) - share).powi(2))
        .sum();
    let by_batches = (spread / (count * (count - 1.0)).max(1.0)).sqrt();
    let independent = (ALLOWED * (1.0 - ALLOWED) / f64::from(asked.max(1))).sqrt();
    (share, by_batches.max(independent))
}

/// Finds the truth.
pub(super) fn truth(subject: &Subject, seed: u64) -> Truth {
    let coarse = |streams: u32| {
        long_hold(
            subject,
            streams,
            seed + u64::from(streams),
            (4, COARSE / 4),
            1.0,
        )
        .worst()
        .0 > ALLOWED
    };
    let (mut low, mut high) = (0, 1);
    while high <= MOST_STREAMS && !coarse(high) {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 && f64::from(high) > f64::from(low) * 1.03 {
        let middle = low.midpoint(high);
        if coarse(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    fine(subject, seed, low, high)
}

/// Long holds around the edge, outward from it, until both sides are sure.
fn fine(subject: &Subject, seed: u64, low: u32, high: u32) -> Truth {
    let mut points: Vec<Point> = Vec::new();
    let mut visit = |streams: u32| {
        if streams > 0 && !points.iter().any(|point| point.streams == streams) {
            let seed = seed + 7_919 * u64::from(streams);
            points.push(long_hold(subject, streams, seed, (BATCHES, FINE), 1.0));
        }
        points
            .iter()
            .find(|point| point.streams == streams)
            .map(Point::worst)
    };
    let step = (f64::from(high) * 0.02).round().max(1.0) as u32;
    let (mut from, mut to) = (low, high);
    let sure =
        |worst: Option<(f64, f64, usize)>| worst.map(|(share, error, _)| (share - ALLOWED) / error);
    for _ in 0..6 {
        let (z_low, z_high) = (sure(visit(from)), sure(visit(to)));
        let low_is_sure = from == 0 || z_low.is_some_and(|z| z < -4.0);
        let high_is_sure = z_high.is_none_or(|z| z > 4.0);
        match (low_is_sure, high_is_sure) {
            (true, true) if to - from > 1 && f64::from(to) > f64::from(from) * 1.01 => {
                let middle = from.midpoint(to);
                match sure(visit(middle)) {
                    Some(z) if z < -4.0 => from = middle,
                    Some(z) if z > 4.0 => to = middle,
                    _ => break,
                }
            }
            (true, true) => break,
            _ => {
                if !low_is_sure {
                    from = from.saturating_sub(step).max(1);
                }
                if !high_is_sure {
                    to += step;
                }
            }
        }
    }
    points.sort_by_key(|point| point.streams);
    crossing(&points, from, to)
}

/// Where the share crosses the allowed one: between neighbours that are sure, or on the line
/// through logit p over ln N.
fn crossing(points: &[Point], from: u32, to: u32) -> Truth {
    let clip = |share: f64| share.clamp(1e-5, 1.0 - 1e-5);
    let logit = |share: f64| (clip(share) / (1.0 - clip(share))).ln();
    let near: Vec<(f64, f64, f64, usize)> = points
        .iter()
        .filter(|point| point.streams > 0)
        .map(|point| {
            let (share, error, index) = point.worst();
            let spread = error / (clip(share) * (1.0 - clip(share)));
            (
                f64::from(point.streams).ln(),
                logit(share) - logit(ALLOWED),
                spread.max(0.02),
                index,
            )
        })
        .collect();
    let binding = near
        .iter()
        .find(|one| one.1 > 0.0)
        .or(near.last())
        .map_or(0, |one| one.3);
    let (slope, at, error) = line(&near);
    if to - from <= 1 {
        return Truth {
            streams: from,
            error_streams: 0.0,
            steepness: slope,
            binding,
        };
    }
    let crossing = at.exp().clamp(f64::from(from.max(1)), f64::from(to));
    Truth {
        streams: crossing.floor() as u32,
        error_streams: (error * crossing).min(f64::from(to - from) / 2.0),
        steepness: slope,
        binding,
    }
}

/// Weighted line y = slope·(x − at); returns slope, at, and the standard error of `at`.
fn line(points: &[(f64, f64, f64, usize)]) -> (f64, f64, f64) {
    let weight = |spread: f64| 1.0 / (spread * spread);
    let total: f64 = points.iter().map(|p| weight(p.2)).sum();
    let mean = |of: fn(&(f64, f64, f64, usize)) -> f64| -> f64 {
        points.iter().map(|p| of(p) * weight(p.2)).sum::<f64>() / total
    };
    let (x0, y0) = (mean(|p| p.0), mean(|p| p.1));
    let sxx: f64 = points
        .iter()
        .map(|p| weight(p.2) * (p.0 - x0).powi(2))
        .sum();
    let sxy: f64 = points
        .iter()
        .map(|p| weight(p.2) * (p.0 - x0) * (p.1 - y0))
        .sum();
    if sxx <= 0.0 || sxy <= 0.0 {
        return (f64::NAN, x0, f64::NAN);
    }
    let slope = sxy / sxx;
    (slope, x0 - y0 / slope, (1.0 / total).sqrt() / slope)
}
