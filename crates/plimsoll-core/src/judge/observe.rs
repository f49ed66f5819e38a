//! From requests to observations, each at the moment that decides it (statistics.md §2.3.1).
//!
//! A request is over a TTFT bound the moment the bound passes without a token, even if it is cut
//! later; TPOT is known when the answer is done; a failure is over every latency bound.
//!
//! What counts is the deciding event, whenever the request was sent: leaving out those sent before
//! the window would leave out the slow ones (statistics.md §5, informative censoring).

use std::time::Duration;

use super::Confidence;
use crate::outcome::Outcome;
use crate::record::{Ends, InFlight, LEAST_DOUBT, RequestRecord};
use crate::schedule::Stretch;
use crate::slo::{Metric, Objective, Slo, Stat};
use crate::time::Offset;

/// What a level has seen, within the window that counts.
#[derive(Debug)]
pub struct LevelSample<'a> {
    /// Requests that ended on this level.
    pub ended: &'a [RequestRecord],
    /// Requests still in flight at `to`.
    pub in_flight: &'a [InFlight],
    /// Start of the window.
    pub from: Offset,
    /// End of the window.
    pub to: Offset,
    /// Mean request time of the level.
    pub request_time: Duration,
    /// Where the phases of the streams are redrawn: what counts of each draw. Nothing else counts
    /// then, and each is one batch. Empty where they are not redrawn.
    pub draws: &'a [Stretch],
    /// How sure a decision is.
    pub confidence: Confidence,
    /// Which end of the stamps is read.
    pub reading: Reading,
    /// What came this long before `to` may not have been read yet: how late the client was.
    pub unread: Duration,
    /// When a request in flight hangs; `None` if that is not looked at.
    pub hangs_after: Option<HangsAfter>,
}

/// For how long a request in flight is silent when it hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HangsAfter {
    /// Since it was sent, without any output.
    pub sent: Duration,
    /// Since its latest output.
    pub heard: Duration,
    /// The longest latency bound that a wait alone can break.
    pub bound: Duration,
}

/// Which end of the stamps is read, where the client was too late to know better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// The stamps as they are.
    #[default]
    Stamped,
    /// Every doubt in favour of the server.
    Best,
    /// Every doubt against it.
    Worst,
}

impl Reading {
    fn of(self, stamped: Option<f64>, ends: impl FnOnce() -> Option<Ends>) -> Option<f64> {
        match self {
            Self::Stamped => stamped,
            Self::Best => ends().map(|ends| ends.best),
            Self::Worst => ends().map(|ends| ends.worst),
        }
    }
}

impl LevelSample<'_> {
    /// Whether what it says may depend on how late the client was.
    pub fn is_in_doubt(&self) -> bool {
        let mut ended = self.ended.iter().filter(|one| one.done >= self.from);
        self.unread > LEAST_DOUBT
            || ended.any(RequestRecord::is_in_doubt)
            || self.in_flight.iter().any(InFlight::is_in_doubt)
    }

    /// The same requests, of which another end is read.
    pub(crate) fn read(&self, reading: Reading) -> Self {
        Self { reading, ..*self }
    }

    /// Until when all that came is known to have been read, by the end that is looked at.
    pub(crate) fn read_until(&self) -> Offset {
        match self.reading {
            Reading::Best => self.to - self.unread,
            Reading::Stamped | Reading::Worst => self.to,
        }
    }

    /// From when on a request in flight hangs; `None` if it does not.
    pub(crate) fn hangs_since(&self, request: &InFlight) -> Option<Offset> {
        let after = self.hangs_after?;
        let since = match request.first {
            None => request.sent? + after.sent,
            Some(_) => request.heard? + after.heard,
        };
        (since <= self.read_until()).then_some(since)
    }
}

/// One observation of an objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// When it was decided.
    pub at: Offset,
    /// The metric's value; `None` for a failure, or where the bound passed without one.
    pub value: Option<f64>,
    /// Whether it breaks the bound.
    pub over: bool,
}

/// The observations of one objective, in the order of their deciding events.
#[derive(Debug, Default)]
pub struct Observed {
    /// Within the window.
    pub observations: Vec<Observation>,
    /// Completed requests for which the metric does not exist.
    pub absent: usize,
}

/// Collects the observations of `objective` from a level.
pub fn observe(objective: &Objective, slo: &Slo, sample: &LevelSample<'_>) -> Observed {
    let mut observed = Observed::default();
    for record in sample.ended {
        match record.outcome {
            // What is known of a cut request is what was known when it was cut.
            Outcome::CutAtEnd | Outcome::NeverSent => {
                let known = observe_in_flight(objective, sample, &record.as_in_flight());
                observed
                    .observations
                    .extend(known.filter(|one| one.at <= record.done));
            }
            _ => observe_ended(objective, slo, sample, record, &mut observed),
        }
    }
    for request in sample.in_flight {
        observed
            .observations
            .extend(observe_in_flight(objective, sample, request));
    }
    observed
        .observations
        .retain(|one| one.at >= sample.from && one.at <= sample.to);
    observed.observations.sort_by_key(|one| one.at);
    observed
}

/// A request of a stream that could not be sent, for want of a connection, waited since it was due.
fn start_of(record: &RequestRecord) -> Offset {
    record.start().unwrap_or(record.due)
}

fn observe_ended(
    objective: &Objective,
    slo: &Slo,
    sample: &LevelSample<'_>,
    record: &RequestRecord,
    observed: &mut Observed,
) {
    let start = start_of(record);
    if record.outcome.is_failure() {
        // The bound may have passed before the failure was known. A mean has no value for it.
        if objective.stat != Stat::Mean {
            let at = bound_passes_at(objective, start)
                .filter(|at| *at < record.done && first_is_late(objective, record, *at))
                .unwrap_or(record.done);
            observed.observations.push(Observation {
                at,
                value: None,
                over: true,
            });
        }
        return;
    }
    let value = match objective.metric {
        Metric::Success => Some(1.0),
        Metric::Goodput => Some(f64::from(u8::from(meets_all(slo, record, sample.reading)))),
        Metric::Itl => {
            return observe_gaps(objective, sample.reading, record, observed);
        }
        _ => value_of(objective.metric, record, sample.reading),
    };
    let Some(value) = value else {
        observed.absent += usize::from(record.done >= sample.from && record.done <= sample.to);
        return;
    };
    let over = match objective.metric {
        Metric::Success => false,
        Metric::Goodput => value < 1.0,
        _ => objective.is_over(value),
    };
    let known_at = if objective.metric == Metric::Ttft {
        record.first()
    } else {
        None
    }
    .unwrap_or(record.done);
    let at = decided_at(objective, start, known_at, over);
    observed.observations.push(Observation {
        at,
        value: Some(value),
        over,
    });
}

fn observe_gaps(
    objective: &Objective,
    reading: Reading,
    record: &RequestRecord,
    observed: &mut Observed,
) {
    let mut see = |(at, gap): (Offset, f64)| {
        observed.observations.push(Observation {
            at,
            value: Some(gap),
            over: objective.is_over(gap),
        });
    };
    let seen = match reading {
        Reading::Stamped => record.gaps().map(|gaps| gaps.for_each(see)),
        Reading::Best => record
            .gap_ends_ms()
            .map(|gaps| gaps.for_each(|(at, ends)| see((at, ends.best)))),
        Reading::Worst => record
            .gap_ends_ms()
            .map(|gaps| gaps.for_each(|(at, ends)| see((at, ends.worst)))),
    };
    debug_assert!(
        seen.is_some(),
        "a level under such an objective keeps the stamps"
    );
    observed.absent += usize::from(seen.is_none());
}

/// What is already known of a request that has not ended.
fn observe_in_flight(
    objective: &Objective,
    sample: &LevelSample<'_>,
    request: &InFlight,
) -> Option<Observation> {
    if let Some(since) = sample.hangs_since(request) {
        return observe_hanging(objective, sample, request, since);
    }
    let start = request.start()?;
    let start_doubt = match sample.reading {
        Reading::Best => request.start_doubt(),
        Reading::Stamped | Reading::Worst => Duration::ZERO,
    };
    let start = start + start_doubt;
    if objective.metric == Metric::Ttft
        && let Some(first) = request.first
    {
        let early = match sample.reading {
            Reading::Best => request.doubt.first.unwrap_or_default(),
            Reading::Stamped | Reading::Worst => Duration::ZERO,
        };
        let value = (first - early).ms_since(start).max(0.0);
        let over = objective.is_over(value);
        let at = decided_at(objective, start, first, over);
        return Some(Observation {
            at,
            value: Some(value),
            over,
        });
    }
    let at = bound_passes_at(objective, start)?;
    (objective.stat != Stat::Mean && at <= sample.read_until()).then_some(Observation {
        at,
        value: None,
        over: true,
    })
}

/// A request that hangs is a failure that has not ended: over every bound that is judged as a share.
/// It counts in every window in which it hangs, since its stream sends nothing else meanwhile.
fn observe_hanging(
    objective: &Objective,
    sample: &LevelSample<'_>,
    request: &InFlight,
    since: Offset,
) -> Option<Observation> {
    let passed = request
        .start()
        .and_then(|start| bound_passes_at(objective, start));
    let at = passed.map_or(since, |at| at.min(since));
    (objective.stat != Stat::Mean).then_some(Observation {
        at: at.max(sample.from),
        value: None,
        over: true,
    })
}

/// When a value that is known at `known_at` was decided: a share's bound may have passed before.
fn decided_at(objective: &Objective, start: Offset, known_at: Offset, over: bool) -> Offset {
    match bound_passes_at(objective, start) {
        Some(passed_at) if over && objective.stat != Stat::Mean => passed_at.min(known_at),
        _ => known_at,
    }
}

/// When the elapsed time alone breaks the bound, for the metrics where it can.
fn bound_passes_at(objective: &Objective, start: Offset) -> Option<Offset> {
    matches!(objective.metric, Metric::Ttft | Metric::E2e)
        .then(|| start + Duration::from_secs_f64(objective.bound / 1e3))
}

/// Whether a failed request had already broken the bound at `at`.
fn first_is_late(objective: &Objective, record: &RequestRecord, at: Offset) -> bool {
    objective.metric == Metric::E2e || record.first().is_none_or(|first| first > at)
}

/// The value as `reading` has it. A completed request has a start: it was sent.
fn value_of(metric: Metric, record: &RequestRecord, reading: Reading) -> Option<f64> {
    let tpot = || reading.of(record.tpot_ms(), || record.tpot_ends_ms());
    match metric {
        Metric::Ttft => reading.of(record.ttft_ms(), || record.ttft_ends_ms()),
        Metric::E2e => reading.of(record.e2e_ms(), || record.e2e_ends_ms()),
        Metric::Tpot => tpot(),
        Metric::Speed if reading == Reading::Stamped => record.speed_tok_per_s(),
        Metric::Speed => tpot().filter(|tpot| *tpot > 0.0).map(|tpot| 1e3 / tpot),
        Metric::Itl | Metric::Success | Metric::Goodput => None,
    }
}

fn meets_all(slo: &Slo, record: &RequestRecord, reading: Reading) -> bool {
    slo.per_request().all(|objective| {
        value_of(objective.metric, record, reading).is_none_or(|value| !objective.is_over(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;
    use crate::record::{Doubt, ON_SCHEDULE};

    fn at(ms: u64) -> Offset {
        Offset::from_nanos(ms * 1_000_000)
    }

    fn seen(objective: &str, ended: &[RequestRecord], in_flight: &[InFlight]) -> Observed {
        let slo: Slo = "ttft p95 <= 100ms, tpot p95 <= 50ms".parse().unwrap();
        let sample = LevelSample {
            ended,
            in_flight,
            from: at(50),
            to: at(1_000),
            request_time: Duration::from_millis(100),
            draws: &[],
            confidence: Confidence::default(),
            reading: Reading::Stamped,
            unread: Duration::ZERO,
            hangs_after: None,
        };
        observe(&objective.parse().unwrap(), &slo, &sample)
    }

    #[test]
    fn a_late_first_token_is_over_when_the_bound_passes() {
        let observed = seen(
            "ttft p95 <= 100ms",
            &[record(100, &[350, 360]), record(100, &[150, 160])],
            &[],
        );
        let found: Vec<_> = observed
            .observations
            .iter()
            .map(|one| (one.at, one.over))
            .collect();
        assert_eq!(found, vec![(at(150), false), (at(200), true)]);
    }

    #[test]
    fn a_request_cut_or_in_flight_past_its_bound_is_over() {
        let waiting = InFlight {
            id: 1,
            level: 0,
            stream: 0,
            due: at(100),
            ready: at(100),
            sent: Some(at(100)),
            first: None,
            heard: None,
            doubt: Doubt::default(),
        };
        let fresh = InFlight {
            id: 2,
            level: 0,
            stream: 1,
            due: at(950),
            ready: at(950),
            sent: Some(at(950)),
            first: None,
            heard: None,
            doubt: Doubt::default(),
        };
        let observed = seen("ttft p95 <= 100ms", &[], &[waiting, fresh]);
        assert_eq!(
            observed.observations,
            vec![Observation {
                at: at(200),
                value: None,
                over: true
            }]
        );
    }

    #[test]
    fn an_arrival_counts_from_its_due_time_also_where_the_client_held_it() {
        let mut late = record(150, &[220, 230]);
        (late.due, late.stream) = (at(100), ON_SCHEDULE);
        let mut never = record(150, &[]);
        (never.sent, never.outcome, never.stream) = (None, Outcome::NeverSent, ON_SCHEDULE);
        (never.due, never.done) = (at(300), at(900));
        let waiting = InFlight {
            due: at(500),
            sent: None,
            ..late.as_in_flight()
        };
        let waiting = InFlight {
            first: None,
            ..waiting
        };
        let observed = seen("ttft p95 <= 100ms", &[late, never], &[waiting]);
        let found: Vec<_> = observed
            .observations
            .iter()
            .map(|one| (one.at, one.value, one.over))
            .collect();
        let over = |ms, value| (at(ms), value, true);
        assert_eq!(
            found,
            [over(200, Some(120.0)), over(400, None), over(600, None)]
        );
    }

    #[test]
    fn a_failure_is_over_every_latency_bound_and_no_value_of_a_mean() {
        let mut failed = record(100, &[110]);
        failed.outcome = Outcome::Reset;
        failed.done = at(400);
        for objective in [
            "ttft p95 <= 100ms",
            "tpot p95 <= 50ms",
            "e2e p95 <= 1s",
            "itl p95 <= 1s",
            "success >= 99%",
        ] {
            let observed = seen(objective, std::slice::from_ref(&failed), &[]);
            assert_eq!(
                observed.observations,
                vec![Observation {
                    at: at(400),
                    value: None,
                    over: true
                }],
                "{objective}"
            );
        }
        assert!(
            seen("ttft mean <= 1s", &[failed], &[])
                .observations
                .is_empty()
        );
    }

    #[test]
    fn a_cut_request_says_nothing_of_success() {
        let mut cut = record(100, &[]);
        cut.outcome = Outcome::CutAtEnd;
        assert!(seen("success >= 99%", &[cut], &[]).observations.is_empty());
    }

    #[test]
    fn a_cut_request_is_over_if_its_bound_had_passed() {
        let mut late = record(100, &[]);
        late.outcome = Outcome::CutAtEnd;
        late.done = at(300);
        let mut early = late.clone();
        early.done = at(150);
        let observed = seen("ttft p95 <= 100ms", &[late, early], &[]);
        assert_eq!(
            observed.observations,
            vec![Observation {
                at: at(200),
                value: None,
                over: true
            }]
        );
    }

    #[test]
    fn one_token_answers_have_no_tpot_and_are_counted_as_absent() {
        let observed = seen("tpot p95 <= 50ms", &[record(100, &[150])], &[]);
        assert_eq!((observed.observations.len(), observed.absent), (0, 1));
    }

    #[test]
    fn gaps_are_pooled_at_their_own_times() {
        let observed = seen("itl p95 <= 50ms", &[record(100, &[150, 160, 300])], &[]);
        let found: Vec<_> = observed
            .observations
            .iter()
            .map(|one| (one.at, one.over))
            .collect();
        assert_eq!(found, vec![(at(160), false), (at(300), true)]);
    }

    #[test]
    fn goodput_needs_every_bound() {
        let good = record(100, &[150, 160]);
        let slow = record(100, &[150, 260]);
        let observed = seen("goodput >= 95%", &[good, slow], &[]);
        assert_eq!(
            observed.observations.iter().filter(|one| one.over).count(),
            1
        );
    }

    #[test]
    fn what_is_decided_outside_of_the_window_does_not_count() {
        let observed = seen(
            "ttft p95 <= 1s",
            &[record(10, &[40, 60]), record(990, &[1_100])],
            &[],
        );
        assert!(observed.observations.is_empty());
        // Sent before the window, decided within it: slow requests are not left out.
        assert_eq!(
            seen("ttft p95 <= 1s", &[record(10, &[300])], &[])
                .observations
                .len(),
            1
        );
    }

    #[test]
    fn a_connection_that_cannot_be_made_is_a_failure_of_every_objective() {
        let mut refused = record(100, &[]);
        refused.sent = None;
        refused.outcome = Outcome::Connect;
        for objective in ["success >= 99%", "ttft p95 <= 1s", "e2e p95 <= 1s"] {
            let observed = seen(objective, std::slice::from_ref(&refused), &[]);
            assert_eq!(observed.observations.len(), 1, "{objective}");
            assert!(observed.observations[0].over);
        }
    }
}
