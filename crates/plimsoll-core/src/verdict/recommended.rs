//! What to set in production, and what to plan for.

use serde::{Deserialize, Serialize};

use super::planned::PlannedMean;
use super::request_times::RequestTimes;
use crate::level::Load;

/// What to set in production.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recommended {
    /// Beyond it, queue or shed: requests in flight for a gateway, or arrivals per second. The lower
    /// end of the interval.
    pub cap: Load,
    /// Mean load to plan for, in the unit of the cap.
    pub mean_amount: f64,
    /// The mean as a share of the cap, 0..1.
    pub mean_cap_ratio: f64,
    /// Arrivals per second of independent users that make that mean; `None` where the request time
    /// there is not known.
    pub request_per_s: Option<f64>,
    /// Share of the time that in-flight exceeds the cap at that mean, if users arrive like Poisson,
    /// 0..1; `None` of a rate, which says nothing of what is in flight.
    pub exceeds_cap_ratio: Option<f64>,
}

impl Recommended {
    /// By the headroom, and for requests in flight by how they scatter and by the throughput that
    /// was measured: more than the cap for a share `exceed` of the time at most. `cap` is some load.
    pub fn within(cap: Load, headroom_ratio: f64, exceed: f64, times: &RequestTimes) -> Self {
        match cap {
            Load::Streams(streams) => Self::of_streams(streams, headroom_ratio, exceed, times),
            Load::RatePerS(rate) => {
                let mean = cap.axis().rounded_down(rate * headroom_ratio);
                Self {
                    cap,
                    mean_amount: mean,
                    mean_cap_ratio: mean / rate,
                    request_per_s: Some(mean),
                    exceeds_cap_ratio: None,
                }
            }
        }
    }

    fn of_streams(cap: u32, headroom_ratio: f64, exceed: f64, times: &RequestTimes) -> Self {
        let planned = PlannedMean::within(cap, headroom_ratio, exceed);
        let operating = times.operating(cap, headroom_ratio, exceed);
        let mean = operating.map_or(planned.streams, |at| at.mean_streams);
        let exceeds = operating.map_or(planned.exceeds_cap_ratio, |at| at.exceeds_cap_ratio);
        Self {
            cap: Load::Streams(cap),
            mean_amount: mean,
            mean_cap_ratio: mean / f64::from(cap),
            request_per_s: operating.map(|at| at.request_per_s),
            exceeds_cap_ratio: Some(exceeds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::LevelSummary;
    use crate::load::LoadUnit;
    use crate::search::tests::level;
    use crate::verdict::EXCEED;

    /// Levels of a server with so many places, a second for each request.
    fn queueing(places: u32) -> RequestTimes {
        let of = |streams: u32| {
            let mut summary = level(streams, 0, 300);
            let in_service = f64::from(streams.min(places));
            summary.e2e_ms.mean = Some(f64::from(streams) / in_service * 1e3);
            summary
        };
        let levels: Vec<LevelSummary> = (1..=64).map(of).collect();
        RequestTimes::of(&levels, LoadUnit::Streams)
    }

    #[test]
    fn a_rate_is_planned_with_headroom_and_says_nothing_of_what_is_in_flight() {
        let times = RequestTimes::default();
        let advice = Recommended::within(Load::RatePerS(20.0), 0.75, EXCEED, &times);
        assert!(
            advice.mean_amount <= 15.0 && advice.mean_amount > 14.8,
            "{advice:?}"
        );
        assert!((advice.mean_cap_ratio - advice.mean_amount / 20.0).abs() < 1e-12);
        assert_eq!(advice.request_per_s, Some(advice.mean_amount));
        assert_eq!(advice.exceeds_cap_ratio, None);
    }

    /// Where throughput grows up to the cap, the number of users alone decides: 34 of 48, which
    /// take a second each. Where it ends at 24 of 46, the number in flight is that of M/M/24: above
    /// 46 for 1 % of the time at 20.53 arrivals a second, which 20.53 streams bring.
    #[test]
    fn a_server_that_queues_below_its_cap_is_planned_for_less() {
        let users = Recommended::within(Load::Streams(48), 0.75, EXCEED, &queueing(64));
        assert!((users.mean_amount - 34.0).abs() < 1e-9, "{users:?}");
        assert!((users.request_per_s.unwrap() - 34.0).abs() < 1e-9);
        let queue = Recommended::within(Load::Streams(46), 0.75, EXCEED, &queueing(24));
        assert!((queue.mean_amount - 20.0).abs() < 1e-9, "{queue:?}");
        assert!((queue.request_per_s.unwrap() - 20.0).abs() < 1e-9);
        assert!(queue.exceeds_cap_ratio.unwrap() < 0.01);
        // Without levels nothing is known of its throughput.
        let unknown = RequestTimes::default();
        let poisson = Recommended::within(Load::Streams(46), 0.75, EXCEED, &unknown);
        assert_eq!((poisson.mean_amount, poisson.request_per_s), (32.0, None));
    }
}
