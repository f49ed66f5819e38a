//! Version 1 wrote reasons, breaks and causes as English text with its numbers rounded. A text that
//! is not known becomes nothing: it is no more than a remark beside a verdict.

use serde_json::{Value, json};

use crate::level::{Reason, Shortfall};
use crate::slo::Objective;
use crate::verdict::{BrokenBy, CauseDetail};

/// Puts the value that a text stands for in its place.
pub(super) fn upgrade<T: serde::Serialize>(text: &mut Value, read: fn(&str) -> Option<T>) {
    if let Some(known) = text.as_str().map(read) {
        *text = json!(known);
    }
}

/// Why a level says what it says.
pub(super) fn reason(text: &str) -> Option<Reason> {
    match text {
        "unstable: the number of requests in flight grows" => Some(Reason::Grows),
        "no request ended within the window" => Some(Reason::NoRequestEnded),
        "it ended before it could be screened" => Some(Reason::NotScreened),
        _ => objective(text)
            .map(Reason::from)
            .or_else(|| metric_absent(text))
            .or_else(|| late(text).map(Reason::from))
            .or_else(|| missing(text).map(Reason::from)),
    }
}

/// What broke first.
pub(super) fn broken_by(text: &str) -> Option<BrokenBy> {
    match text {
        "the batch is full" => Some(BrokenBy::FullBatch),
        "KV cache full with preemptions" => Some(BrokenBy::KvCacheFull),
        "connections are refused" => Some(BrokenBy::ServerGone { silence: None }),
        _ => numbers(text, "throughput growth < {} % per doubling")
            .map(|[percent]| BrokenBy::ThroughputStalls {
                least_growth_ratio: percent / 1e2,
            })
            .or_else(|| reason(text).map(BrokenBy::from)),
    }
}

/// The figures behind a cause.
pub(super) fn detail(text: &str) -> Option<CauseDetail> {
    refused(text)
        .or_else(|| failed(text))
        .or_else(|| by_metrics(text))
        .or_else(|| latencies(text))
        .or_else(|| reason(text).map(|reason| CauseDetail::Void { reason }))
}

fn objective(text: &str) -> Option<Objective> {
    text.parse().ok()
}

fn metric_absent(text: &str) -> Option<Reason> {
    let [of_what, absent, of] = parts(text, "`{}` does not exist for {} of {} requests")?;
    Some(Reason::MetricAbsent {
        objective: objective(of_what)?,
        absent: absent.parse().ok()?,
        of: of.parse().ok()?,
    })
}

fn late(text: &str) -> Option<Shortfall> {
    let send_lag = || {
        numbers(text, "send lag p99 {} ms is over {} ms")
            .map(|[p99_ms, bound_ms]| Shortfall::SendLag { p99_ms, bound_ms })
    };
    let loop_lag = || {
        let pattern = "the client's own loop is {} ms late on the average, over {} ms";
        numbers(text, pattern).map(|[mean_ms, bound_ms]| Shortfall::LoopLag { mean_ms, bound_ms })
    };
    let shared = || {
        let pattern = "{} % of the first tokens may be stamped more than {} ms late";
        numbers(text, pattern).map(|[percent, bound_ms]| Shortfall::SharedStamps {
            late_ratio: percent / 1e2,
            bound_ms,
        })
    };
    let busy = || {
        numbers(text, "a worker used {} % of its core").map(|[percent]| Shortfall::BusyWorker {
            cpu_ratio: percent / 1e2,
        })
    };
    let held = || {
        let pattern = "arrivals waited {} ms for the client itself, over {} ms";
        numbers(text, pattern)
            .map(|[mean_ms, bound_ms]| Shortfall::HeldArrivals { mean_ms, bound_ms })
    };
    send_lag()
        .or_else(loop_lag)
        .or_else(shared)
        .or_else(busy)
        .or_else(held)
}

fn missing(text: &str) -> Option<Shortfall> {
    let users = || {
        numbers(text, "{} of {} users in flight or thinking").map(|[there, of]| {
            Shortfall::MissingUsers {
                there,
                of: of as u32,
            }
        })
    };
    let slow = || {
        let pattern = "{} of {} streams in flight, {} waited for a connection";
        numbers(text, pattern).map(|[in_flight, of, connecting]| Shortfall::SlowToAccept {
            in_flight,
            of: of as u32,
            connecting,
        })
    };
    let streams = || {
        numbers(text, "{} of {} streams in flight").map(|[in_flight, of]| {
            Shortfall::MissingStreams {
                in_flight,
                of: of as u32,
            }
        })
    };
    users().or_else(slow).or_else(streams)
}

fn refused(text: &str) -> Option<CauseDetail> {
    let [refused, of] = parts(text, "{} of {} requests were refused with 429")?;
    Some(CauseDetail::Refused {
        refused: refused.parse().ok()?,
        of: of.parse().ok()?,
    })
}

fn failed(text: &str) -> Option<CauseDetail> {
    let [failed, of, most_by, most] = parts(text, "{} of {} failed, most by {} ({})")?;
    Some(CauseDetail::Failed {
        failed: failed.parse().ok()?,
        of: of.parse().ok()?,
        most_by: most_by.to_owned(),
        most: most.parse().ok()?,
    })
}

fn by_metrics(text: &str) -> Option<CauseDetail> {
    let preemptions =
        numbers(text, "{} preemptions/min").map(|[per_min]| CauseDetail::Preemptions { per_min });
    let cache = || {
        numbers(text, "{} requests waiting for cache")
            .map(|[waiting]| CauseDetail::WaitForCache { waiting })
    };
    let queue = || {
        numbers(text, "{} running, {} waiting")
            .map(|[running, waiting]| CauseDetail::Queue { running, waiting })
    };
    preemptions.or_else(cache).or_else(queue)
}

fn latencies(text: &str) -> Option<CauseDetail> {
    let [ttft_p95_ratio, tpot_ratio, load_ratio] =
        numbers(text, "ttft p95 ×{}, tpot ×{} for {}× the streams")?;
    Some(CauseDetail::Latencies {
        ttft_p95_ratio,
        tpot_ratio,
        load_ratio,
    })
}

/// The numbers that stand for each `{}` of `pattern`.
fn numbers<const N: usize>(text: &str, pattern: &str) -> Option<[f64; N]> {
    let mut numbers = [0.0; N];
    for (number, part) in numbers.iter_mut().zip(parts::<N>(text, pattern)?) {
        *number = part.parse().ok()?;
    }
    Some(numbers)
}

/// What stands for each `{}` of `pattern` in `text`; `None` if it does not match.
fn parts<'a, const N: usize>(text: &'a str, pattern: &str) -> Option<[&'a str; N]> {
    let mut literals = pattern.split("{}");
    let mut rest = text.strip_prefix(literals.next()?)?;
    let mut found = Vec::with_capacity(N);
    let mut literals = literals.peekable();
    while let Some(literal) = literals.next() {
        let part = match literals.peek() {
            Some(_) => rest.split_once(literal)?,
            None => (rest.strip_suffix(literal)?, ""),
        };
        found.push(part.0);
        rest = part.1;
    }
    found.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What version 1 wrote, and the value that it wrote it of.
    #[test]
    fn every_reason_is_read() {
        let tpot: Objective = "tpot p95 <= 50ms".parse().unwrap();
        let (mean_ms, bound_ms) = (7.2, 5.0);
        let table: [(&str, Reason); 13] = [
            ("tpot p95 ≤ 50 ms", tpot.into()),
            (
                "unstable: the number of requests in flight grows",
                Reason::Grows,
            ),
            ("no request ended within the window", Reason::NoRequestEnded),
            ("it ended before it could be screened", Reason::NotScreened),
            (
                "`tpot p95 ≤ 50 ms` does not exist for 30 of 80 requests",
                Reason::MetricAbsent {
                    objective: tpot,
                    absent: 30,
                    of: 80,
                },
            ),
            (
                "send lag p99 8.1 ms is over 5.0 ms",
                Shortfall::SendLag {
                    p99_ms: 8.1,
                    bound_ms,
                }
                .into(),
            ),
            (
                "the client's own loop is 7.2 ms late on the average, over 5.0 ms",
                Shortfall::LoopLag { mean_ms, bound_ms }.into(),
            ),
            (
                "25.0 % of the first tokens may be stamped more than 5.0 ms late",
                Shortfall::SharedStamps {
                    late_ratio: 0.25,
                    bound_ms,
                }
                .into(),
            ),
            (
                "a worker used 98 % of its core",
                Shortfall::BusyWorker { cpu_ratio: 0.98 }.into(),
            ),
            (
                "50.3 of 100 users in flight or thinking",
                Shortfall::MissingUsers {
                    there: 50.3,
                    of: 100,
                }
                .into(),
            ),
            (
                "12.0 of 64 streams in flight, 51.5 waited for a connection",
                Shortfall::SlowToAccept {
                    in_flight: 12.0,
                    of: 64,
                    connecting: 51.5,
                }
                .into(),
            ),
            (
                "61.2 of 64 streams in flight",
                Shortfall::MissingStreams {
                    in_flight: 61.2,
                    of: 64,
                }
                .into(),
            ),
            (
                "arrivals waited 7.2 ms for the client itself, over 5.0 ms",
                Shortfall::HeldArrivals { mean_ms, bound_ms }.into(),
            ),
        ];
        for (text, value) in table {
            assert_eq!(reason(text), Some(value), "{text}");
        }
        assert_eq!(reason("something else"), None);
    }

    #[test]
    fn every_break_and_every_cause_is_read() {
        let breaks = [
            (
                "throughput growth < 20 % per doubling",
                BrokenBy::ThroughputStalls {
                    least_growth_ratio: 0.2,
                },
            ),
            ("the batch is full", BrokenBy::FullBatch),
            ("KV cache full with preemptions", BrokenBy::KvCacheFull),
            (
                "connections are refused",
                BrokenBy::ServerGone { silence: None },
            ),
            (
                "success ≥ 99 %",
                BrokenBy::Level(Objective::success(0.99).into()),
            ),
        ];
        for (text, value) in breaks {
            assert_eq!(broken_by(text), Some(value), "{text}");
        }
        let causes = [
            (
                "12 of 80 requests were refused with 429",
                CauseDetail::Refused {
                    refused: 12,
                    of: 80,
                },
            ),
            (
                "9 of 80 failed, most by http_500 (7)",
                CauseDetail::Failed {
                    failed: 9,
                    of: 80,
                    most_by: "http_500".to_owned(),
                    most: 7,
                },
            ),
            (
                "14 preemptions/min",
                CauseDetail::Preemptions { per_min: 14.0 },
            ),
            (
                "31 requests waiting for cache",
                CauseDetail::WaitForCache { waiting: 31.0 },
            ),
            (
                "47 running, 17 waiting",
                CauseDetail::Queue {
                    running: 47.0,
                    waiting: 17.0,
                },
            ),
            (
                "ttft p95 ×1.80, tpot ×1.10 for 2.00× the streams",
                CauseDetail::Latencies {
                    ttft_p95_ratio: 1.8,
                    tpot_ratio: 1.1,
                    load_ratio: 2.0,
                },
            ),
            (
                "no request ended within the window",
                CauseDetail::Void {
                    reason: Reason::NoRequestEnded,
                },
            ),
        ];
        for (text, value) in causes {
            assert_eq!(detail(text), Some(value), "{text}");
        }
    }
}
