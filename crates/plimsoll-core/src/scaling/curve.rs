//! Throughput by load: all visits of a load together, with the standard error.

use std::collections::BTreeMap;

use crate::level::{LevelSummary, LevelVerdict};

/// The variance of a level's throughput, relative and times its completions, is at most
/// 0.15 + 1.1·cv², where cv is the variation of the answers' lengths. On ramps over model engines
/// it was 0.08 at most with lengths of ±10 %, and 0.38 with ±90 % (cv² = 0.27), in both cases near
/// a KV limit; windows of a few request times were off by up to 10 % besides, which 0.15 covers.
/// `plimsoll-sim/tests/growth.rs` checks what comes of it.
const DISPERSION: (f64, f64) = (0.15, 1.1);
/// cv² where it is not known: that of lengths which spread over ±90 %.
const UNKNOWN_VARIATION: f64 = 0.27;

/// Throughput at one load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Concurrent streams.
    pub streams: u32,
    /// Completed requests per second, over all visits.
    pub request_per_s: f64,
    /// Standard error of it as a share of it.
    pub error_ratio: f64,
    /// Mean time of a request over all visits, s.
    pub request_time_s: Option<f64>,
}

/// The throughput of each load by rising load. Void levels, levels at which nothing completed, and levels of an open loop are
/// left out.
pub fn curve(levels: &[LevelSummary]) -> Vec<CurvePoint> {
    let mut visits: BTreeMap<u32, Vec<&LevelSummary>> = BTreeMap::new();
    for level in levels {
        let is_sound = level.verdict != LevelVerdict::Void
            && error_ratio(level).is_some()
            && level.request_per_s.is_some_and(|rate| rate > 0.0);
        if let Some(streams) = level.load.streams().filter(|_| is_sound) {
            visits.entry(streams).or_default().push(level);
        }
    }
    visits
        .into_iter()
        .map(|(streams, levels)| point(streams, &levels))
        .collect()
}

/// Rates and times of the visits of one load, each weighted by its completions.
fn point(streams: u32, levels: &[&LevelSummary]) -> CurvePoint {
    let mean = |value: fn(&LevelSummary) -> Option<f64>| {
        let known = levels
            .iter()
            .filter_map(|level| Some((level.requests.completed_in_window as f64, value(level)?)));
        let (count, sum) = known.fold((0.0, 0.0), |(count, sum), (n, value)| {
            (count + n, sum + n * value)
        });
        (count > 0.0).then(|| sum / count)
    };
    let errors = levels.iter().filter_map(|level| error_ratio(level));
    let weight: f64 = errors.map(|error| error.powi(-2)).sum();
    CurvePoint {
        streams,
        request_per_s: mean(|level| level.request_per_s).unwrap_or(0.0),
        error_ratio: weight.sqrt().recip(),
        request_time_s: mean(|level| level.e2e_ms.mean).map(|ms| ms / 1e3),
    }
}

/// Standard error of a level's throughput as a share of it; `None` without a completion.
pub(super) fn error_ratio(level: &LevelSummary) -> Option<f64> {
    let completed = level.requests.completed_in_window as f64;
    let variation = level
        .output_tokens_cv_ratio
        .map_or(UNKNOWN_VARIATION, |cv| cv * cv);
    let dispersion = DISPERSION.0 + DISPERSION.1 * variation;
    (completed > 0.0).then(|| (dispersion / completed).sqrt())
}
