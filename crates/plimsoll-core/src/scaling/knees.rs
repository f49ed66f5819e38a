//! Where more load stops bringing more throughput. There is no one definition of a knee, so each
//! that has an answer is given with its name.

use serde::{Deserialize, Serialize};

use super::curve::CurvePoint;
use super::kneedle::kneedle;
use super::usl::UslFit;

/// The share of the highest throughput that marks a knee.
const SHARE: f64 = 0.95;
/// Throughput has levelled off where the last doubling of the load brought less than this: the
/// guide's rule.
const LEVELLED: f64 = 0.2;

/// How a knee is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KneeKind {
    /// `X_max·R₀`: the streams that the highest throughput would take if a request took as long as
    /// at one stream (Little's law).
    SaturationTimesService,
    /// The load at which throughput first reaches 95 % of the highest one measured.
    PeakShare,
    /// Kneedle, Satopaa et al. 2011.
    Kneedle,
    /// The load at which the Universal Scalability Law peaks: √((1−α)/β).
    UslPeak,
}

/// Where more load stops bringing more throughput, by one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Knee {
    /// Concurrent streams.
    pub streams: u32,
    /// Which definition.
    pub kind: KneeKind,
}

/// The knees that exist, in the order of [`KneeKind`].
///
/// The first two rest on the highest throughput, so they exist only if throughput has levelled
/// off; the peak of the law only if it lies within the loads tested.
pub(super) fn knees(curve: &[CurvePoint], usl: Option<&UslFit>) -> Vec<Knee> {
    let highest = highest_if_levelled(curve);
    let points: Vec<(f64, f64)> = curve
        .iter()
        .map(|point| (f64::from(point.streams), point.request_per_s))
        .collect();
    let last = points.last().map_or(0.0, |point| point.0);
    let peak = usl
        .and_then(|fit| fit.peak_streams)
        .filter(|peak| (1.0..=last).contains(peak));
    let found = [
        (
            KneeKind::SaturationTimesService,
            highest.zip(service_time_s(curve)).map(|(x, r)| x * r),
        ),
        (
            KneeKind::PeakShare,
            highest.and_then(|x| first_crossing(&points, SHARE * x)),
        ),
        (KneeKind::Kneedle, kneedle(&points)),
        (KneeKind::UslPeak, peak),
    ];
    found
        .into_iter()
        .filter_map(|(kind, streams)| Some(knee(kind, streams?)))
        .collect()
}

fn knee(kind: KneeKind, streams: f64) -> Knee {
    Knee {
        streams: streams.round().max(1.0) as u32,
        kind,
    }
}

/// Mean time of a request at one stream, s.
fn service_time_s(curve: &[CurvePoint]) -> Option<f64> {
    curve
        .iter()
        .find(|point| point.streams == 1)?
        .request_time_s
}

/// The highest throughput, if half of the highest load already brought all but a fifth of it.
fn highest_if_levelled(curve: &[CurvePoint]) -> Option<f64> {
    let points: Vec<(f64, f64)> = curve
        .iter()
        .map(|point| (f64::from(point.streams), point.request_per_s))
        .collect();
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let half = points.last()?.0 / 2.0;
    let at_half = interpolated(&points, half)?;
    (highest < at_half * (1.0 + LEVELLED)).then_some(highest)
}

/// The curve at `load`, interpolated in log load; `None` outside of it.
fn interpolated(points: &[(f64, f64)], load: f64) -> Option<f64> {
    let after = points.iter().position(|point| point.0 >= load)?;
    let (x2, y2) = points[after];
    if x2 <= load {
        return Some(y2);
    }
    let (x1, y1) = points[after.checked_sub(1)?];
    Some(y1 + (y2 - y1) * (load / x1).ln() / (x2 / x1).ln())
}

/// The load at which the curve first reaches `wanted`, interpolated in log load.
fn first_crossing(points: &[(f64, f64)], wanted: f64) -> Option<f64> {
    let reached = points.iter().position(|point| point.1 >= wanted)?;
    let (load, rate) = points[reached];
    let Some((load_before, rate_before)) = reached.checked_sub(1).map(|before| points[before])
    else {
        return Some(load);
    };
    let part = (wanted - rate_before) / (rate - rate_before);
    Some((load_before.ln() + part * (load / load_before).ln()).exp())
}
