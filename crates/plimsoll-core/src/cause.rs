//! Why it broke: rules on the server's signals, and on the latencies alone where it has none.

use crate::judge::Decision;
use crate::level::{LevelSummary, LevelVerdict};
use crate::outcome::Outcome;
use crate::slo::Metric;
use crate::verdict::{Cause, CauseDetail, CauseKind};

/// KV-cache use from which on it is full; block rounding keeps engines just below 1.
pub(crate) const KV_FULL: f64 = 0.98;

/// The limit that binds at the level that broke; `good` is the highest level that did not, if there
/// is one.
pub(crate) fn cause_of(good: Option<&LevelSummary>, broken: &LevelSummary) -> Option<Cause> {
    if broken.verdict == LevelVerdict::Void {
        return Some(Cause {
            kind: CauseKind::Client,
            detail: broken.reason.map(|reason| CauseDetail::Void { reason }),
            from_metrics: false,
        });
    }
    let counts = Counts::of(broken);
    if counts.is_many(counts.refused) {
        return Some(Cause {
            kind: CauseKind::RateLimit,
            detail: Some(CauseDetail::Refused {
                refused: counts.refused,
                of: counts.ended,
            }),
            from_metrics: false,
        });
    }
    if let Some(detail) = counts.failures() {
        return Some(Cause {
            kind: CauseKind::Failures,
            detail: Some(detail),
            from_metrics: false,
        });
    }
    by_metrics(broken).or_else(|| by_latencies(good?, broken))
}

/// How the requests of a level ended, all of them from its start to its end.
struct Counts<'a> {
    refused: u64,
    failed: u64,
    /// Failed or completed; what the client cut or never sent says nothing.
    ended: u64,
    /// The commonest way to fail.
    most: Option<(&'a str, u64)>,
}

impl<'a> Counts<'a> {
    fn of(level: &'a LevelSummary) -> Self {
        let outcomes = &level.requests.outcomes;
        let count = |key: &str| outcomes.get(key).copied().unwrap_or(0);
        let failures = || {
            let all = outcomes.iter().map(|(key, count)| (key.as_str(), *count));
            all.filter(|(key, _)| Outcome::is_failure_key(key))
        };
        let failed = failures().map(|(_, count)| count).sum();
        Self {
            refused: count("http_429"),
            failed,
            ended: failed + count("completed"),
            most: failures().max_by_key(|(_, count)| *count),
        }
    }

    /// More than one request in twenty.
    fn is_many(&self, count: u64) -> bool {
        count * 20 > self.ended
    }

    /// The commonest way to fail, where many failed.
    fn failures(&self) -> Option<CauseDetail> {
        let (most_by, most) = self.most?;
        self.is_many(self.failed).then(|| CauseDetail::Failed {
            failed: self.failed,
            of: self.ended,
            most_by: most_by.to_owned(),
            most,
        })
    }
}

fn by_metrics(broken: &LevelSummary) -> Option<Cause> {
    let server = broken.server.as_ref().filter(|server| server.samples > 0)?;
    let named = |kind, detail| {
        Some(Cause {
            kind,
            detail: Some(detail),
            from_metrics: true,
        })
    };
    let preemptions = server.preemptions.unwrap_or(0.0);
    if preemptions > 0.0 && server.kv_used_ratio_max.is_none_or(|used| used >= KV_FULL) {
        let span_s = broken
            .window
            .map_or(broken.duration_s, |window| window.to_s - window.from_s);
        let per_min = preemptions / span_s.max(1e-9) * 60.0;
        return named(CauseKind::KvCache, CauseDetail::Preemptions { per_min });
    }
    let (waiting, running) = (server.waiting_mean?, server.running_max?);
    if server.kv_used_ratio_max.is_some_and(|used| used >= KV_FULL) && waiting > 1.0 {
        return named(CauseKind::KvCache, CauseDetail::WaitForCache { waiting });
    }
    // Between two steps a few requests always wait. Where the pace of the tokens broke, a larger
    // batch did it, and no cap on it.
    if waiting >= 1.0 && running < in_flight(broken) && !breaks_pace(broken) {
        return named(
            CauseKind::SequenceCap,
            CauseDetail::Queue { running, waiting },
        );
    }
    None
}

/// Requests in flight: the streams asked for, or what the arrivals made.
fn in_flight(level: &LevelSummary) -> f64 {
    level
        .load
        .streams()
        .map(f64::from)
        .or(level.client.achieved_concurrency)
        .unwrap_or(0.0)
}

/// Whether what broke is the pace of the tokens and not the wait for the first one.
fn breaks_pace(broken: &LevelSummary) -> bool {
    let of_pace = |metric| matches!(metric, Metric::Tpot | Metric::Itl | Metric::Speed);
    broken
        .objectives
        .iter()
        .find(|result| result.decision == Decision::Fail || result.looks_broken() == Some(true))
        .is_some_and(|result| of_pace(result.objective.metric))
}

/// Growth of TTFT and TPOT from the good to the broken level tells what happens before the first
/// token from what happens after it. Whether a request waits for a slot or for its prefill, the
/// latencies cannot tell.
fn by_latencies(good: &LevelSummary, broken: &LevelSummary) -> Option<Cause> {
    let ttft = Growth::between(good, broken, ttft_p95)?;
    let tpot = Growth::between(good, broken, tpot_mean);
    let load = broken.load.amount() / good.load.amount();
    let kind = match (
        ttft.is_told(load),
        tpot.is_some_and(|tpot| tpot.is_told(load)),
    ) {
        (true, false) => CauseKind::QueueOrPrefill,
        (_, true) => CauseKind::Decode,
        (false, false) => return None,
    };
    let detail = tpot.map(|tpot| CauseDetail::Latencies {
        ttft_p95_ratio: ttft.ratio,
        tpot_ratio: tpot.ratio,
        load_ratio: load,
    });
    Some(Cause {
        kind,
        detail,
        from_metrics: false,
    })
}

/// How a statistic grew from one level to another.
#[derive(Clone, Copy)]
struct Growth {
    ratio: f64,
    /// Its standard error, relative.
    error: f64,
}

/// A growth of less than this part of the load's own is none.
const LEAST_PART: f64 = 0.2;
/// … nor is one within so many of its standard errors (95 %, one-sided, twice).
const SURE: f64 = 2.0;
/// Variance inflation of neighbouring requests: upper values of statistics.md §1.1.
const TTFT_CORRELATION: f64 = 3.0;
const TPOT_CORRELATION: f64 = 10.0;
/// Deviations between the median and the 90 % quantile of a normal distribution.
const P90: f64 = 1.281_6;

impl Growth {
    /// `None` where a level lacks the statistic or its error, or the ratio is to nothing.
    fn between(
        good: &LevelSummary,
        broken: &LevelSummary,
        of: fn(&LevelSummary) -> Option<(f64, f64)>,
    ) -> Option<Self> {
        let ((before, its_error), (after, error)) = (of(good)?, of(broken)?);
        let growth = Self {
            ratio: after / before,
            error: (its_error / before).hypot(error / after),
        };
        (growth.ratio.is_finite() && growth.error.is_finite()).then_some(growth)
    }

    fn is_told(self, load_ratio: f64) -> bool {
        let rise = self.ratio - 1.0;
        rise > (load_ratio - 1.0) * LEAST_PART && rise > SURE * self.error * self.ratio
    }
}

/// The p95 of TTFT and its standard error: √(q(1−q)·τ/n) over the density there, as the quantiles
/// on both sides of it show that.
fn ttft_p95(level: &LevelSummary) -> Option<(f64, f64)> {
    let ttft = &level.ttft_ms;
    let width = (ttft.p99? - ttft.p90?) / 0.09;
    let shares = 0.95 * 0.05 * TTFT_CORRELATION / ttft.n as f64;
    Some((ttft.p95?, shares.sqrt() * width))
}

/// The mean TPOT and its standard error, with the deviation as the upper quantiles show it.
fn tpot_mean(level: &LevelSummary) -> Option<(f64, f64)> {
    let tpot = &level.tpot_ms;
    let deviation = (tpot.p90? - tpot.p50?) / P90;
    Some((
        tpot.mean?,
        deviation * (TPOT_CORRELATION / tpot.n as f64).sqrt(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::tests::level;
    use crate::stats::Summary;
    use crate::telemetry::ServerWindow;

    fn broken(mut server: ServerWindow) -> LevelSummary {
        server.samples = 9;
        LevelSummary {
            server: Some(server),
            ..level(64, 300, 300)
        }
    }

    /// A sample of `n` values, evenly spread by ±20 % around its mean.
    fn around(mean: f64, n: usize) -> Summary {
        let spread = |i: usize| 0.8 + 0.4 * i as f64 / (n - 1) as f64;
        Summary::of((0..n).map(|i| mean * spread(i)).collect())
    }

    fn seen(streams: u32, ttft_ms: f64, tpot_ms: f64, n: usize) -> LevelSummary {
        LevelSummary {
            ttft_ms: around(ttft_ms, n),
            tpot_ms: around(tpot_ms, n),
            ..level(streams, 300, 300)
        }
    }

    fn kind(broken: &LevelSummary) -> Option<CauseKind> {
        cause_of(Some(&seen(32, 100.0, 20.0, 400)), broken).map(|cause| cause.kind)
    }

    #[test]
    fn the_servers_signals_name_the_limit() {
        let queue = ServerWindow {
            running_max: Some(48.0),
            waiting_mean: Some(16.0),
            ..ServerWindow::default()
        };
        assert_eq!(kind(&broken(queue)), Some(CauseKind::SequenceCap));
        let cache = ServerWindow {
            kv_used_ratio_max: Some(0.995),
            preemptions: Some(14.0),
            samples_disbelieved: 0,
            ..ServerWindow::default()
        };
        assert_eq!(kind(&broken(cache)), Some(CauseKind::KvCache));
    }

    #[test]
    fn a_slower_pace_is_no_cap_on_the_batch() {
        let queue = ServerWindow {
            running_max: Some(62.0),
            waiting_mean: Some(2.0),
            ..ServerWindow::default()
        };
        let mut slow = broken(queue);
        slow.objectives[0].objective = "tpot p95 <= 50ms".parse().unwrap();
        slow.ttft_ms = around(150.0, 400);
        slow.tpot_ms = around(55.0, 400);
        assert_eq!(kind(&slow), Some(CauseKind::Decode));
    }

    #[test]
    fn refusals_and_failures_are_named() {
        let outcomes = |key: &str| {
            let mut broken = level(64, 300, 300);
            broken.requests.failed_in_window = 100;
            broken.requests.outcomes =
                [(key.to_owned(), 100), ("completed".to_owned(), 300)].into();
            broken
        };
        assert_eq!(kind(&outcomes("http_429")), Some(CauseKind::RateLimit));
        assert_eq!(kind(&outcomes("http_500")), Some(CauseKind::Failures));
    }

    #[test]
    fn without_metrics_the_latencies_speak() {
        let queue = seen(64, 900.0, 21.0, 400);
        assert_eq!(kind(&queue), Some(CauseKind::QueueOrPrefill));
        assert_eq!(kind(&seen(64, 900.0, 40.0, 400)), Some(CauseKind::Decode));
        let unknown = LevelSummary {
            ttft_ms: Summary::default(),
            ..queue
        };
        assert_eq!(kind(&unknown), None);
    }

    #[test]
    fn a_growth_within_its_noise_is_no_cause() {
        // One stream more, and 1 %: also where that is more than a fifth of the load's growth.
        assert_eq!(kind(&seen(33, 101.0, 20.2, 400)), None);
        // A quarter more may be chance where twelve requests show it.
        assert_eq!(kind(&seen(64, 105.0, 25.0, 12)), None);
        assert_eq!(kind(&seen(64, 105.0, 25.0, 4_000)), Some(CauseKind::Decode));
    }

    /// The counts of a failure's sentence are of one stretch of time: the whole level.
    #[test]
    fn failures_are_counted_over_the_same_requests() {
        let mut broken = level(64, 4, 4);
        broken.requests.failed_in_window = 4;
        broken.requests.completed_in_window = 0;
        broken.requests.outcomes = [
            ("completed".to_owned(), 1),
            ("error_event".to_owned(), 5),
            ("reset".to_owned(), 1),
            ("cut_at_end".to_owned(), 30),
        ]
        .into();
        let cause = cause_of(None, &broken).unwrap();
        assert_eq!(
            cause.detail,
            Some(CauseDetail::Failed {
                failed: 6,
                of: 7,
                most_by: "error_event".to_owned(),
                most: 5,
            })
        );
    }
}
