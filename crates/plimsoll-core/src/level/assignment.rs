//! What a worker has to carry on a level. It is plain data, and all that the worker does follows from
//! it: which streams are its own and when they start, which arrivals and when they are due, and how
//! many of them may be in flight.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::LevelPlan;
use crate::schedule::{Share, scatter};
use crate::time::Offset;

/// After a failure a stream waits one request time, within these bounds.
const BACK_OFF: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(10);

/// A level, and a worker's share of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// What all workers carry together.
    pub plan: LevelPlan,
    /// When it starts, on the run's clock.
    #[serde(rename = "from_ns")]
    pub from: Offset,
    /// The worker among all.
    pub share: Share,
}

impl Assignment {
    /// A level that starts at `from`, split over `workers`.
    pub fn split(plan: &LevelPlan, from: Offset, workers: u32) -> impl Iterator<Item = Self> {
        Share::split(workers).map(move |share| Self {
            plan: plan.clone(),
            from,
            share,
        })
    }

    /// The worker's streams; none where the load is a rate.
    pub fn streams(&self) -> impl Iterator<Item = u32> + use<> {
        self.share.of(0..self.plan.closed_streams())
    }

    /// When a stream sends first that is new on this level, where the level before had
    /// `streams_before`.
    pub fn start_of(&self, stream: u32, streams_before: u32) -> Offset {
        let plan = &self.plan;
        self.from
            + plan.settings.think.map_or_else(
                || scatter(stream, plan.handover(streams_before)),
                |think| think.join(stream, plan.request_time),
            )
    }

    /// When the worker's arrivals are due, without end; `None` where the load is no rate, or where
    /// others carry all of them.
    pub fn due_times(&self) -> Option<impl Iterator<Item = Offset> + use<>> {
        let (dues, from) = (self.plan.dues()?, self.from);
        Some(self.carries()?.of(dues).map(move |due| from + due))
    }

    /// The most of the worker's arrivals that may be in flight: its part of the level's cap. `None`
    /// without a cap.
    pub fn cap(&self) -> Option<u32> {
        let most = self.plan.open_loop.most_in_flight?;
        Some(self.carries().map_or(0, |share| share.part(most)))
    }

    /// How long a stream waits after a failure.
    pub fn back_off(&self) -> Duration {
        self.plan
            .request_time
            .clamp(*BACK_OFF.start(), *BACK_OFF.end())
    }

    /// The worker among those who carry arrivals. Under a cap that has fewer places than there are
    /// workers, those without a place carry none: what they took would never be sent.
    fn carries(&self) -> Option<Share> {
        let places = self.plan.open_loop.most_in_flight.unwrap_or(u32::MAX);
        let count = self.share.count.min(places.max(1));
        (self.share.index < count).then_some(Share {
            count,
            ..self.share
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{Hold, LevelSettings, Load, OpenLoop, Purpose};
    use crate::workload::ThinkTime;

    const FROM: Offset = Offset::from_nanos(7_000_000_000);
    const WORKERS: [u32; 4] = [1, 2, 3, 7];

    fn plan(load: Load, most_in_flight: Option<u32>) -> LevelPlan {
        LevelPlan {
            index: 3,
            purpose: Purpose::Ramp,
            load,
            open_loop: OpenLoop {
                most_in_flight,
                seed: 11,
                ..OpenLoop::default()
            },
            hold: Hold::Screen,
            request_time: Duration::from_millis(1_500),
            longest_hold: Duration::from_secs(60),
            longest: Duration::from_secs(90),
            settings: LevelSettings::default(),
        }
    }

    /// All due times of the first minute, in order.
    fn due_times(plan: &LevelPlan, workers: u32) -> Vec<Offset> {
        let end = FROM + Duration::from_secs(60);
        let mut due: Vec<Offset> = Assignment::split(plan, FROM, workers)
            .filter_map(|one| Some(one.due_times()?.take_while(|due| *due < end).collect()))
            .flat_map(|due: Vec<Offset>| due)
            .collect();
        due.sort_unstable();
        due
    }

    #[test]
    fn any_number_of_workers_has_the_same_arrivals() {
        for cap in [None, Some(2), Some(100)] {
            let plan = plan(Load::RatePerS(30.0), cap);
            let dues = plan.dues().unwrap().map(|due| FROM + due);
            let alone = due_times(&plan, 1);
            assert!(alone.iter().copied().eq(dues.take(alone.len())));
            for workers in WORKERS {
                assert_eq!(due_times(&plan, workers), alone, "{workers} {cap:?}");
            }
        }
    }

    #[test]
    fn any_number_of_workers_has_the_same_streams_and_starts() {
        let think = Some(ThinkTime {
            mean: Duration::from_secs(20),
            is_fixed: false,
            seed: 1,
        });
        for think in [None, think] {
            let mut plan = plan(Load::Streams(50), None);
            plan.settings.think = think;
            let starts = |workers| {
                let mut starts: Vec<(u32, Offset)> = Assignment::split(&plan, FROM, workers)
                    .flat_map(|one| {
                        let start = |stream| (stream, one.start_of(stream, 20));
                        one.streams().map(start).collect::<Vec<_>>()
                    })
                    .collect();
                starts.sort_unstable();
                starts
            };
            let streams: Vec<u32> = starts(1).iter().map(|(stream, _)| *stream).collect();
            assert_eq!(streams, (0..50).collect::<Vec<_>>());
            for workers in WORKERS {
                assert_eq!(starts(workers), starts(1), "{workers}");
            }
        }
    }

    #[test]
    fn the_caps_of_the_workers_add_up_and_who_has_none_carries_nothing() {
        for workers in WORKERS {
            for cap in [1, 2, 5, 7, 100] {
                let plan = plan(Load::RatePerS(30.0), Some(cap));
                let all: Vec<Assignment> = Assignment::split(&plan, FROM, workers).collect();
                let caps: u32 = all.iter().filter_map(Assignment::cap).sum();
                assert_eq!(caps, cap, "{workers}");
                assert!(
                    all.iter()
                        .all(|one| (one.cap() == Some(0)) == one.due_times().is_none()),
                    "{workers} {cap}"
                );
            }
            let free = plan(Load::RatePerS(30.0), None);
            assert!(Assignment::split(&free, FROM, workers).all(|one| one.cap().is_none()));
        }
    }

    #[test]
    fn an_assignment_goes_through_json() {
        let mut constant = plan(Load::RatePerS(30.0), Some(9));
        constant.open_loop.burstiness = f64::INFINITY;
        for plan in [constant, plan(Load::Streams(4), None)] {
            for one in Assignment::split(&plan, FROM, 2) {
                let text = serde_json::to_string(&one).unwrap();
                let read: Assignment = serde_json::from_str(&text).unwrap();
                assert_eq!(read, one);
            }
        }
    }
}
