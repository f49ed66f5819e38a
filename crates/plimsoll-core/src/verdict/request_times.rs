//! What the levels of a run say of a server's throughput, and the mean load that follows from it:
//! the one model behind the planned mean of `find` and of `plan --from`.

use std::collections::BTreeMap;

use super::in_flight::at_largest_rate;
use super::planned::{PlannedMean, rounded_down};
use crate::level::LevelSummary;
use crate::load::LoadUnit;

/// The mean load that a server is planned to work at, under arrivals of independent users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operating {
    /// Mean number in flight.
    pub mean_streams: f64,
    /// Arrivals per second that make it.
    pub request_per_s: f64,
    /// Share of the time that more than the cap are in flight, 0..1.
    pub exceeds_cap_ratio: f64,
    /// Whether the mean is lower than by the number of users alone, since requests queue.
    pub queues: bool,
}

/// Mean request time by load, s.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestTimes(BTreeMap<u32, f64>);

impl RequestTimes {
    /// Of all levels of streams that say something; all visits of a load count, each by its
    /// requests. Where the loads of a run are users, who think, there are none.
    pub fn of(levels: &[LevelSummary], unit: LoadUnit) -> Self {
        let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        let telling = levels
            .iter()
            .filter(|level| unit != LoadUnit::Users && !level.says_nothing());
        for level in telling {
            let (Some(streams), Some(mean_ms)) = (level.load.streams(), level.e2e_ms.mean) else {
                continue;
            };
            // A mean of a level read from elsewhere may lack its count.
            let n = level.e2e_ms.n.max(1) as f64;
            let sum = sums.entry(streams).or_default();
            *sum = (sum.0 + n, sum.1 + n * mean_ms / 1e3);
        }
        let times = sums.into_iter().filter(|(_, (_, sum))| *sum > 0.0);
        Self(times.map(|(load, (n, sum))| (load, sum / n)).collect())
    }

    /// Where a server with this cap works: at its planned mean, or below it where its throughput
    /// grows too little for that. More than the cap is in flight for a share `exceed` of the time
    /// at most. `None` where the run has not tested loads up to the cap.
    pub fn operating(
        &self,
        cap_streams: u32,
        headroom_ratio: f64,
        exceed: f64,
    ) -> Option<Operating> {
        let planned = PlannedMean::within(cap_streams, headroom_ratio, exceed);
        let _ = self.at(f64::from(cap_streams))?;
        let completions = |n: u32| {
            let streams = f64::from(n);
            self.at(streams)
                .map_or(f64::MIN_POSITIVE, |(time_s, _)| streams / time_s)
        };
        let safe = at_largest_rate(cap_streams, exceed, &completions)?;
        let (time_s, _) = self.at(planned.streams)?;
        if safe.mean_streams >= planned.streams {
            return Some(Operating {
                mean_streams: planned.streams,
                request_per_s: planned.streams / time_s,
                exceeds_cap_ratio: planned.exceeds_cap_ratio,
                queues: false,
            });
        }
        let mean_streams = rounded_down(safe.mean_streams);
        Some(Operating {
            mean_streams,
            request_per_s: safe.request_per_s * mean_streams / safe.mean_streams,
            exceeds_cap_ratio: safe.exceeds_cap_ratio,
            queues: true,
        })
    }

    /// The mean request time at a mean number in flight, on the line between the loads next to it,
    /// and these; `None` above the loads tested. Request times bend upwards with the load, so the
    /// line lies above them: the plan errs on the safe side. Below the lowest load stands its own.
    pub fn at(&self, streams: f64) -> Option<(f64, (u32, u32))> {
        let lowest = self.0.first_key_value()?;
        let streams = streams.max(f64::from(*lowest.0));
        let (below, below_s) = self
            .0
            .iter()
            .rfind(|(load, _)| f64::from(**load) <= streams)?;
        let (above, above_s) = self
            .0
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
