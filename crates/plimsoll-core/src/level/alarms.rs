//! What the series of a level say against it. Alarms decide nothing: they are said beside the
//! verdict, and a decision that the later part of a level contradicts is held once more
//! (statistics.md §3.1).

use serde::{Deserialize, Serialize};

use crate::judge::Decision;
use crate::record::{InFlight, RequestRecord};
use crate::schedule::Stretch;
use crate::slo::Metric;
use crate::stats::{Drift, Start, drift, quantile, unlike_start};
use crate::time::Offset;

/// A start that is cut off makes a level not steady if it is more than this share of it.
const LEAST_START: f64 = 0.2;
/// Differences below this share of a mean are of no use to know of, however sure they are.
const LEAST_CHANGE: f64 = 0.05;

/// Something in a level that its figures do not show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Alarm {
    /// The beginning of the window is not like the rest (MSER-5).
    NotSteady {
        /// Of which series.
        metric: Metric,
        /// How much of the window the beginning is, 0..=0.5.
        start_ratio: f64,
        /// Its mean, ms.
        start_mean_ms: f64,
        /// Mean of the rest, ms.
        rest_mean_ms: f64,
    },
    /// The end of the window is not like its beginning, both 30 % of it (Geweke 1992).
    Drifting {
        /// Of which series.
        metric: Metric,
        /// Mean of the first 30 %, ms.
        first_mean_ms: f64,
        /// Mean of the last 30 %, ms.
        last_mean_ms: f64,
    },
    /// All requests are of one length, so the streams keep the phases of their start: the level
    /// says as much as it has draws of the phases, and no more.
    Lockstep {
        /// Draws.
        draws: u32,
        /// The least p95 TTFT of a draw, ms.
        least_ttft_p95_ms: f64,
        /// The largest p95 TTFT of a draw, ms.
        most_ttft_p95_ms: f64,
    },
    /// Requests hang: without a first token for longer than every latency bound, and far longer than
    /// their peers.
    Unanswered {
        /// Requests that hang.
        requests: usize,
        /// Requests that were sent on the level, or in flight when it began.
        of: usize,
        /// How long the first of them has waited, s.
        longest_s: f64,
    },
}

/// The series of a window: moments and values in the order of the events that decide them.
pub(super) struct Series {
    all: [(Metric, Vec<Offset>, Vec<f64>); 3],
    /// Length of the window in mean request times.
    request_times: f64,
}

impl Series {
    pub(super) fn of(
        ended: &[RequestRecord],
        in_flight: &[InFlight],
        (from, to): (Offset, Offset),
        request_times: f64,
    ) -> Self {
        let within = |at: Offset| at >= from && at <= to;
        let completed = || ended.iter().filter(|record| record.outcome.is_completed());
        let first_of_ended = completed().filter_map(|one| Some((one.first()?, one.ttft_ms()?)));
        let first_of_flying = in_flight.iter().filter_map(|one| {
            let first = one.first?;
            Some((first, first.ms_since(one.start()?)))
        });
        let done = |value: fn(&RequestRecord) -> Option<f64>| {
            completed().filter_map(move |one| Some((one.done, value(one)?)))
        };
        let ordered = |metric, values: &mut dyn Iterator<Item = (Offset, f64)>| {
            let mut kept: Vec<(Offset, f64)> = values.filter(|(at, _)| within(*at)).collect();
            kept.sort_by_key(|(at, _)| *at);
            let (at, values) = kept.into_iter().unzip();
            (metric, at, values)
        };
        Self {
            all: [
                ordered(Metric::Ttft, &mut first_of_ended.chain(first_of_flying)),
                ordered(Metric::Tpot, &mut done(RequestRecord::tpot_ms)),
                ordered(Metric::E2e, &mut done(RequestRecord::e2e_ms)),
            ],
            request_times,
        }
    }

    /// At most one alarm of each kind for a metric.
    pub(super) fn alarms(&self) -> Vec<Alarm> {
        let not_steady = self.starts().map(|(metric, start)| Alarm::NotSteady {
            metric,
            start_ratio: start.share,
            start_mean_ms: start.start_mean,
            rest_mean_ms: start.rest_mean,
        });
        let drifting = self.drifts().map(|(metric, drift)| Alarm::Drifting {
            metric,
            first_mean_ms: drift.first_mean,
            last_mean_ms: drift.last_mean,
        });
        not_steady.chain(drifting).collect()
    }

    /// The alarm of a level whose streams keep the phases that they are given.
    pub(super) fn lockstep(&self, draws: &[Stretch]) -> Option<Alarm> {
        let (_, at, values) = &self.all[0];
        let p95s: Vec<f64> = draws
            .iter()
            .filter_map(|draw| {
                let first = at.partition_point(|at| *at < draw.from);
                let count = draw.among(at, |at| *at).len();
                let mut values = values[first..first + count].to_vec();
                values.sort_by(f64::total_cmp);
                quantile(&values, 0.95)
            })
            .collect();
        (!p95s.is_empty()).then(|| Alarm::Lockstep {
            draws: p95s.len() as u32,
            least_ttft_p95_ms: p95s.iter().copied().fold(f64::INFINITY, f64::min),
            most_ttft_p95_ms: p95s.iter().copied().fold(0.0, f64::max),
        })
    }

    /// Whether what follows the start speaks against a decision: a pass that gets worse, a fail that
    /// gets better.
    pub(super) fn contradict(&self, decision: Decision) -> bool {
        self.starts().any(|(_, start)| match decision {
            Decision::Pass => start.rest_mean > start.start_mean,
            Decision::Fail => start.rest_mean < start.start_mean,
            Decision::Undecided => false,
        })
    }

    fn starts(&self) -> impl Iterator<Item = (Metric, Start)> + '_ {
        self.all
            .iter()
            .filter_map(|(metric, _, values)| Some((*metric, unlike_start(values)?)))
            .filter(|(_, start)| start.share > LEAST_START)
            .filter(|(_, start)| matters(start.start_mean, start.rest_mean))
    }

    fn drifts(&self) -> impl Iterator<Item = (Metric, Drift)> + '_ {
        let independent = self.request_times.max(0.0) as usize;
        self.all
            .iter()
            .filter_map(move |(metric, _, values)| Some((*metric, drift(values, independent)?)))
            .filter(|(_, drift)| matters(drift.first_mean, drift.last_mean))
    }
}

fn matters(one: f64, other: f64) -> bool {
    (one - other).abs() > LEAST_CHANGE * one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;

    /// Requests one after another, 10 ms apart, with the TTFT that `ttft_ms` says.
    fn series(n: u64, ttft_ms: impl Fn(u64) -> u64) -> Series {
        let records: Vec<RequestRecord> = (0..n)
            .map(|i| {
                let first = 1_000 + i * 10;
                let mut one = record(first - ttft_ms(i), &[first, first + 1]);
                one.id = i;
                one
            })
            .collect();
        let end = Offset::from_nanos((1_000 + n * 10) * 1_000_000);
        Series::of(&records, &[], (Offset::ZERO, end), 20.0)
    }

    fn noise(i: u64) -> u64 {
        i * 7_919 % 11
    }

    #[test]
    fn a_steady_level_raises_none() {
        assert!(series(400, |i| 50 + noise(i)).alarms().is_empty());
    }

    #[test]
    fn a_bad_beginning_is_not_steady_and_contradicts_a_fail() {
        let level = series(400, |i| if i < 120 { 150 } else { 50 } + noise(i));
        assert!(level.alarms().iter().any(|alarm| matches!(
            alarm,
            Alarm::NotSteady {
                metric: Metric::Ttft,
                start_mean_ms,
                rest_mean_ms,
                ..
            } if start_mean_ms > rest_mean_ms
        )));
        assert!(level.contradict(Decision::Fail));
        assert!(!level.contradict(Decision::Pass));
        assert!(!level.contradict(Decision::Undecided));
    }

    #[test]
    fn a_level_that_gets_worse_is_drifting_and_contradicts_a_pass() {
        let level = series(400, |i| 50 + i / 4 + noise(i));
        assert!(level.alarms().iter().any(|alarm| matches!(
            alarm,
            Alarm::Drifting {
                metric: Metric::Ttft,
                first_mean_ms,
                last_mean_ms,
            } if last_mean_ms > first_mean_ms
        )));
        assert!(level.contradict(Decision::Pass));
    }

    #[test]
    fn changes_that_are_sure_but_small_are_no_alarm() {
        let level = series(400, |i| 1_000 + u64::from(i > 200) * 20 + i % 2);
        assert!(level.alarms().is_empty());
    }
}
