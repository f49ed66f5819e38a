//! How the requests of a window went through the server: how many at a time, for how long, and
//! whether the end of the window was like its beginning.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::level::{FinishedLevel, Window};
use crate::record::RequestRecord;
use crate::stability::{Arrived, Spread, assess};
use crate::stats::mean;
use crate::time::Offset;

/// Little's law holds for the averages of one window but for its edges: 3 R/T, and 2 % for what
/// rounding and stamps add (method.md §8).
const EDGES: f64 = 3.0;
const SLACK: f64 = 0.02;

/// The requests of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Flow {
    /// Requests that became due, per second.
    pub due_per_s: f64,
    /// Requests that ended, in whichever way, per second.
    pub ended_per_s: f64,
    /// Mean time from the send of a request to its end, s.
    pub request_time_s: Option<f64>,
    /// Requests in flight, over time: the streams that this load takes.
    pub in_flight: Spread,
    /// Requests that waited in the client, over time.
    pub waiting: Spread,
    /// Little's law beside what was measured.
    pub little: Option<Little>,
    /// The guide's formula for arrivals: min(cap, rate × mean time).
    pub guide_concurrency: Option<f64>,
    /// The first third of the window, and its last.
    pub thirds: [Thirds; 2],
}

/// Little's law: the mean number in flight is the rate times the mean time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Little {
    /// Ended requests per second times their mean time.
    pub by_law: f64,
    /// Mean number in flight, as measured.
    pub measured: f64,
    /// How far the two may be apart, as a share of the measured.
    pub tolerance_ratio: f64,
    /// Whether they are as near as that.
    pub agrees: bool,
}

/// Means of a third of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Thirds {
    /// Completed requests.
    pub n: usize,
    /// Mean time to first token, ms.
    pub ttft_mean_ms: Option<f64>,
    /// Mean time per output token, ms.
    pub tpot_mean_ms: Option<f64>,
    /// Mean of whole requests, ms.
    pub e2e_mean_ms: Option<f64>,
}

impl Flow {
    /// From a level that is over; `None` if its window never began.
    pub(super) fn of(finished: &FinishedLevel, cap: Option<u32>) -> Option<Self> {
        let level = &finished.summary;
        let (from, to) = bounds(level.window?);
        let seconds = to.since(from).as_secs_f64();
        let seen = assess(&Arrived {
            ended: &finished.records,
            in_flight: &finished.in_flight,
            from,
            to,
            request_time: Duration::from_secs_f64(level.e2e_ms.mean.unwrap_or(1e3).max(1e-3) / 1e3),
            dispersion: 1.0,
        })?;
        let within: Vec<&RequestRecord> = finished
            .records
            .iter()
            .filter(|one| one.done >= from && one.done < to && one.sent.is_some())
            .collect();
        let times: Vec<f64> = within
            .iter()
            .filter_map(|one| Some(one.done.since(one.sent?).as_secs_f64()))
            .collect();
        let request_time_s = mean(&times);
        let by_rate = level.load.rate_per_s().zip(request_time_s);
        Some(Self {
            due_per_s: seen.arrivals as f64 / seconds,
            ended_per_s: seen.ended as f64 / seconds,
            request_time_s,
            in_flight: seen.in_flight,
            waiting: seen.waiting,
            little: request_time_s.map(|time| {
                Little::of(times.len() as f64 / seconds, time, seconds, &seen.in_flight)
            }),
            guide_concurrency: by_rate.map(|(rate, time)| {
                let cap = cap.map_or(f64::INFINITY, f64::from);
                (rate * time).min(cap)
            }),
            thirds: [(0, 1), (2, 3)].map(|(begin, end)| {
                let at = |part: u32| from + to.since(from) * part / 3;
                Thirds::of(&within, at(begin), at(end))
            }),
        })
    }
}

impl Little {
    fn of(rate_per_s: f64, time_s: f64, window_s: f64, in_flight: &Spread) -> Self {
        let (by_law, measured) = (rate_per_s * time_s, in_flight.mean);
        let tolerance_ratio = EDGES * time_s / window_s + SLACK;
        Self {
            by_law,
            measured,
            tolerance_ratio,
            agrees: (by_law - measured).abs() <= tolerance_ratio * measured,
        }
    }
}

impl Thirds {
    fn of(within: &[&RequestRecord], from: Offset, to: Offset) -> Self {
        let ended = || {
            let is_in = |one: &&&RequestRecord| one.done >= from && one.done < to;
            let completed = within.iter().filter(|one| one.outcome.is_completed());
            completed.filter(is_in)
        };
        let mean_of = |value: fn(&RequestRecord) -> Option<f64>| {
            mean(&ended().filter_map(|one| value(one)).collect::<Vec<_>>())
        };
        Self {
            n: ended().count(),
            ttft_mean_ms: mean_of(RequestRecord::ttft_ms),
            tpot_mean_ms: mean_of(RequestRecord::tpot_ms),
            e2e_mean_ms: mean_of(RequestRecord::e2e_ms),
        }
    }
}

fn bounds(window: Window) -> (Offset, Offset) {
    let at = |s: f64| Offset::from_duration(Duration::from_secs_f64(s.max(0.0)));
    (at(window.from_s), at(window.to_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(mean: f64) -> Spread {
        Spread {
            mean,
            ..Spread::default()
        }
    }

    #[test]
    fn littles_law_has_the_edges_of_its_window() {
        // 10 a second of 2 s each, over 60 s: 20, within 3 · 2 / 60 + 2 %.
        let table = [
            (20.0, true),
            (22.5, true),
            (17.9, true),
            (17.8, false),
            (22.8, false),
        ];
        for (measured, agrees) in table {
            let little = Little::of(10.0, 2.0, 60.0, &spread(measured));
            assert!((little.tolerance_ratio - 0.12).abs() < 1e-9);
            assert_eq!((little.by_law, little.agrees), (20.0, agrees), "{measured}");
        }
    }
}
