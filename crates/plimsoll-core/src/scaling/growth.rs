//! Growth of throughput per doubling of the load, with its interval (statistics.md §7).

use serde::{Deserialize, Serialize};

use super::curve::error_ratio;
use crate::level::LevelSummary;

/// Two-sided 95 % of a normal variable.
const Z: f64 = 1.96;

/// Growth of throughput between two levels, as a ratio per doubling of the load: 0.2 is 20 % more
/// throughput for twice the streams.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Growth {
    /// Concurrent streams of the lower level.
    pub from_streams: u32,
    /// Concurrent streams of the upper level.
    pub to_streams: u32,
    /// As observed: (X₂/X₁)^(ln 2/ln(N₂/N₁)) − 1.
    pub per_doubling_ratio: f64,
    /// Lower end of its 95 % interval.
    pub lower_ratio: f64,
    /// Upper end of its 95 % interval.
    pub upper_ratio: f64,
}

/// Growth per doubling from one level to one of higher load; `None` where a throughput is missing,
/// the second load is not higher, or one of them is a rate of arrivals.
///
/// Of output tokens per second where both levels have them, else of requests per second: a stretch
/// of long answers lowers the requests alone.
pub fn growth(lower: &LevelSummary, upper: &LevelSummary) -> Option<Growth> {
    let tokens = lower.output_tokens_per_s.zip(upper.output_tokens_per_s);
    let (x1, x2) = tokens
        .filter(|(x1, x2)| *x1 > 0.0 && *x2 > 0.0)
        .or_else(|| lower.request_per_s.zip(upper.request_per_s))?;
    let (from_streams, to_streams) = lower.load.streams().zip(upper.load.streams())?;
    let ratio = f64::from(to_streams) / f64::from(from_streams);
    if x1 <= 0.0 || x2 <= 0.0 || ratio <= 1.0 {
        return None;
    }
    let doublings = ratio.log2();
    let log_growth = (x2 / x1).ln() / doublings;
    let error = error_ratio(lower)?.hypot(error_ratio(upper)?) / doublings;
    Some(Growth {
        from_streams,
        to_streams,
        per_doubling_ratio: log_growth.exp_m1(),
        lower_ratio: (log_growth - Z * error).exp_m1(),
        upper_ratio: (log_growth + Z * error).exp_m1(),
    })
}
