//! Why it broke: rules on the server's signals, and on the latencies alone where it has none.

use crate::judge::Decision;
use crate::level::{LevelSummary, LevelVerdict};
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
    let rejected: u64 = broken
        .requests
        .outcomes
        .get("http_429")
        .copied()
        .unwrap_or(0);
    let ended: u64 = broken.requests.outcomes.values().sum();
    if rejected * 20 > ended {
        return Some(Cause {
            kind: CauseKind::RateLimit,
            detail: Some(CauseDetail::Refused {
                refused: rejected,
                of: ended,
            }),
            from_metrics: false,
        });
    }
    if let Some(detail) = failures(broken) {
        return Some(Cause {
            kind: CauseKind::Failures,
            detail: Some(detail),
            from_metrics: false,
        });
    }
    by_metrics(broken).or_else(|| by_latencies(good?, broken))
}

/// The commonest way to fail, where more than one request in twenty failed.
fn failures(broken: &LevelSummary) -> Option<CauseDetail> {
    let failed = broken.requests.failed_in_window;
    let ended = failed + broken.requests.completed_in_window;
    let blameless = ["completed", "cut_at_end", "never_sent"];
    let outcomes = broken
        .requests
        .outcomes
        .iter()
        .filter(|(key, _)| !blameless.contains(&key.as_str()));
    let (key, count) = outcomes.max_by_key(|(_, count)| **count)?;
    (failed * 20 > ended).then(|| CauseDetail::Failed {
        failed,
        of: ended,
        most_by: key.clone(),
        most: *count,
    })
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
    let growth = |of: fn(&LevelSummary) -> Option<f64>| Some(of(broken)? / of(good)?);
    let ttft = growth(|level| level.ttft_ms.p95)?;
    let tpot = growth(|level| level.tpot_ms.mean);
    let load = broken.load.amount() / good.load.amount();
    let grew = |ratio: f64| ratio > 1.0 + (load - 1.0) * 0.2;
    let kind = match (grew(ttft), tpot.is_some_and(grew)) {
        (true, false) => CauseKind::QueueOrPrefill,
        (_, true) => CauseKind::Decode,
        (false, false) => return None,
    };
    // A ratio to nothing is no number.
    let tpot = tpot.filter(|tpot| tpot.is_finite() && ttft.is_finite());
    let detail = tpot.map(|tpot| CauseDetail::Latencies {
        ttft_p95_ratio: ttft,
        tpot_ratio: tpot,
        load_ratio: load,
    });
    Some(Cause {
        kind,
        detail,
        from_metrics: false,
    })
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

    fn kind(broken: &LevelSummary) -> Option<CauseKind> {
        let means = |ttft, tpot| LevelSummary {
            ttft_ms: Summary {
                p95: Some(ttft),
                ..Summary::default()
            },
            tpot_ms: Summary {
                mean: Some(tpot),
                ..Summary::default()
            },
            ..level(32, 0, 300)
        };
        cause_of(Some(&means(100.0, 20.0)), broken).map(|cause| cause.kind)
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
        slow.ttft_ms.p95 = Some(150.0);
        slow.tpot_ms.mean = Some(55.0);
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
        let mut broken = level(64, 300, 300);
        broken.ttft_ms.p95 = Some(900.0);
        broken.tpot_ms.mean = Some(21.0);
        assert_eq!(kind(&broken), Some(CauseKind::QueueOrPrefill));
        broken.ttft_ms.p95 = None;
        assert_eq!(kind(&broken), None);
    }
}
