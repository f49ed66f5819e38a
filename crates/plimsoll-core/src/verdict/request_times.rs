//! What the levels of a run say of a server's throughput, and the mean load that follows from it:
//! the one model behind the planned mean of `find` and of `plan --from`.

use std::collections::BTreeMap;

use super::in_flight::{at_largest_rate, at_rate};
use super::planned::{PlannedMean, rounded_down};
use super::waiting::Queue;
use crate::level::LevelSummary;
use crate::load::LoadUnit;

/// Halvings of the number in flight: to a billionth of the cap.
const HALVINGS: u32 = 30;

/// The mean load that a server is planned to work at, under arrivals of independent users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operating {
    /// Mean number in flight.
    pub mean_streams: f64,
    /// Arrivals per second that make it: by Little's law, with the request time there.
    pub request_per_s: f64,
    /// Share of the time that more than the cap are in flight, 0..1.
    pub exceeds_cap_ratio: f64,
    /// Whether the mean is lower than by the number of users alone, since requests queue.
    pub queues: bool,
}

/// Mean request time by load, and what arrivals that wait may take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestTimes {
    /// Streams and seconds.
    by_load: BTreeMap<u32, f64>,
    /// `None` without levels.
    queue: Option<Queue>,
}

impl RequestTimes {
    /// Of all levels of streams that say something; all visits of a load count, each by its
    /// requests. Where the loads of a run are users, who think, there are none.
    pub fn of(levels: &[LevelSummary], unit: LoadUnit) -> Self {
        let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        let telling = || {
            let said = levels.iter().filter(|level| !level.says_nothing());
            said.filter(|_| unit != LoadUnit::Users)
        };
        for level in telling() {
            let (Some(streams), Some(mean_ms)) = (level.load.streams(), level.e2e_ms.mean) else {
                continue;
            };
            // A mean of a level read from elsewhere may lack its count.
            let n = level.e2e_ms.n.max(1) as f64;
            let sum = sums.entry(streams).or_default();
            *sum = (sum.0 + n, sum.1 + n * mean_ms / 1e3);
        }
        let times = sums.into_iter().filter(|(_, (_, sum))| *sum > 0.0);
        let by_load: BTreeMap<u32, f64> = times.map(|(load, (n, sum))| (load, sum / n)).collect();
        let throughputs = by_load
            .iter()
            .map(|(load, time_s)| f64::from(*load) / time_s);
        let most_per_s = throughputs.fold(0.0, f64::max);
        let queue = by_load.first_key_value().and_then(|(lowest, time_s)| {
            let mut levels = telling();
            let level = levels.find(|level| level.load.streams() == Some(*lowest))?;
            Some(Queue::of(level, *time_s, most_per_s))
        });
        Self { by_load, queue }
    }

    /// Where a server with this cap works: at its planned mean, or below it where its throughput
    /// grows too little for that. More than the cap is in flight for a share `exceed` of the time
    /// at most, and no more arrivals wait too long than the objectives allow. `None` where the run
    /// has not tested loads up to the cap.
    pub fn operating(
        &self,
        cap_streams: u32,
        headroom_ratio: f64,
        exceed: f64,
    ) -> Option<Operating> {
        let planned = PlannedMean::within(cap_streams, headroom_ratio, exceed);
        let _ = self.at(f64::from(cap_streams))?;
        let completions = |n: u32| self.throughput(f64::from(n)).unwrap_or(f64::MIN_POSITIVE);
        let safe = at_largest_rate(cap_streams, exceed, &completions)?;
        let patient = self.queue.as_ref()?.largest_rate_per_s();
        let rate = safe.request_per_s.min(patient);
        let in_flight = self.streams_at(rate, cap_streams);
        let queues = in_flight < planned.streams;
        let mean_streams = if queues {
            rounded_down(in_flight)
        } else {
            planned.streams
        };
        let request_per_s = self.throughput(mean_streams)?;
        let exceeds_cap_ratio = if queues {
            at_rate(cap_streams, request_per_s, &completions)?.exceeds_cap_ratio
        } else {
            planned.exceeds_cap_ratio
        };
        (mean_streams > 0.0).then_some(Operating {
            mean_streams,
            request_per_s,
            exceeds_cap_ratio,
            queues,
        })
    }

    /// Completions per second with so many in flight, by Little's law; `None` above the loads tested.
    fn throughput(&self, streams: f64) -> Option<f64> {
        self.at(streams).map(|(time_s, _)| streams / time_s)
    }

    /// The most in flight, up to the cap, at which no more complete than `request_per_s`.
    fn streams_at(&self, request_per_s: f64, cap_streams: u32) -> f64 {
        let (mut low, mut high) = (0.0, f64::from(cap_streams));
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self
                .throughput(middle)
                .is_some_and(|per_s| per_s <= request_per_s)
            {
                low = middle;
            } else {
                high = middle;
            }
        }
        // What is left of the halving is no difference.
        high
    }

    /// The mean request time at a mean number in flight, on the line between the loads next to it,
    /// and these; `None` above the loads tested. Request times bend upwards with the load, so the
    /// line lies above them: the plan errs on the safe side. Below the lowest load stands its own.
    pub fn at(&self, streams: f64) -> Option<(f64, (u32, u32))> {
        let lowest = self.by_load.first_key_value()?;
        let streams = streams.max(f64::from(*lowest.0));
        let (below, below_s) = self
            .by_load
            .iter()
            .rfind(|(load, _)| f64::from(**load) <= streams)?;
        let (above, above_s) = self
            .by_load
            .iter()
            .find(|(load, _)| f64::from(**load) >= streams)?;
        let share = if above == below {
            0.0
        } else {
            (streams - f64::from(*below)) / f64::from(above - below)
        };
        Some((below_s + (above_s - below_s) * share, (*below, *above)))
    }
}
