//! The client's own health on a level, and when it makes the level void: the client is not the
//! server, and what it adds itself is no figure of the server's.

use serde::{Deserialize, Serialize};

use super::summary::{LevelSummary, Window};
use super::{LevelPlan, Load, Shortfall};
use crate::schedule::Redraw;
use crate::stats::Summary;

/// Below this share of the asked concurrency the load was not delivered.
pub(crate) const LEAST_ACHIEVED: f64 = 0.95;
/// Send lag (p99) above this is the tool's own lateness …
const MOST_SEND_LAG_MS: f64 = 5.0;
/// … unless it is below this share of the mean request time, where it does not matter.
const MOST_SEND_LAG_SHARE: f64 = 0.05;
/// A worker whose loop is this late on the average sends late, and several requests at once …
const MOST_LOOP_LAG_MS: f64 = 5.0;
/// … unless that is below this share of the mean time to first token …
const MOST_LOOP_LAG_SHARE: f64 = 0.05;
/// … or, with stamps of the kernel's, of the mean request time. What is then read late is in the doubt
/// of the stamps, which the judge looks at, and what is sent late shows in the number in flight. What
/// is left is that requests go out in clumps, and those of a quarter of a request time are few.
const MOST_CLUMP_SHARE: f64 = 0.25;
/// Reads without a stamp of the kernel's that may be among those with one.
const LEAST_KERNEL_STAMPS: f64 = 0.99;
/// A client that slept longer than this, beyond what it wanted, stood still …
const LONGEST_PAUSE_S: f64 = 0.2;
/// … which voids what it touched if it is more than this share of the window.
const MOST_PAUSE_SHARE: f64 = 0.01;
/// A worker that uses this much of its core is late by itself, and not by what else is running.
const AT_ITS_LIMIT: f64 = 0.9;
/// Where nobody judges both ends of the stamps: more first tokens than this with a stamp that may be
/// too late can move a p99 …
const MOST_SHARED_FIRST: f64 = 0.005;
/// … if they can be late by more than this, or by more than a share of the mean TTFT.
const MOST_SHARED_ERROR_MS: f64 = 5.0;
const MOST_SHARED_ERROR_SHARE: f64 = 0.05;
/// A worker that used more of its core than this had no time left to be on time.
const MOST_WORKER_CPU: f64 = 0.97;

/// The client's own health on a level. All of it is of the window, or of the whole level where the
/// level ended before its window began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ClientHealth {
    /// Mean number in flight within the window; `None` without a window.
    pub achieved_concurrency: Option<f64>,
    /// Mean number of streams that waited for a connection, beside those in flight.
    pub connecting_concurrency: Option<f64>,
    /// Mean number of arrivals that were due and not sent, beside those in flight: for a place under
    /// the cap, for a connection, or for the client itself. Always 0 for streams, which are due when
    /// they can send.
    pub waiting_concurrency: Option<f64>,
    /// Sent − due, ms; for arrivals that had to wait for a place or a connection, since they had it.
    pub send_lag_ms: Summary,
    /// How late a worker's loop wakes from a short sleep, ms.
    pub loop_lag_ms: Summary,
    /// Share of reads with a stamp of the kernel's, 0..1; the others were stamped after the read.
    pub kernel_stamp_ratio: Option<f64>,
    /// Read − kernel's stamp, ms: the client's own queueing, which is in no latency.
    pub read_lag_ms: Summary,
    /// Share of first tokens that came in one read with later ones, 0..1. The kernel's stamp is
    /// that of the last segment, so these may be stamped too late.
    pub shared_first_ratio: Option<f64>,
    /// By how much each of them can be too late, at most, ms.
    pub shared_first_error_ms: Summary,
    /// Share of all output events that came in one read with another, 0..1.
    pub shared_event_ratio: Option<f64>,
    /// Stamps of the kernel's that could not be, as where the wall clock is set: the time of the read
    /// stands in for them.
    pub impossible_stamps: u64,
    /// Largest error of the mapping from the kernel's clock to the run's, µs.
    pub clock_error_us: Option<f64>,
    /// CPU time of the busiest worker, as a share of the time, 0..1.
    pub worker_cpu_ratio: Option<f64>,
    /// Share of this machine's CPU time that its host gave to others, 0..1.
    pub stolen_cpu_ratio: Option<f64>,
    /// Connections opened.
    pub connections_opened: u64,
    /// Time to a TCP connection, ms; through a proxy, to its end.
    pub connect_ms: Summary,
    /// Time of the TLS handshake, ms.
    pub tls_ms: Summary,
    /// Requests sent again because the server had closed an idle connection, or over HTTP/2 had not
    /// looked at them.
    pub idle_retries: u64,
}

/// By what the load fell short of what was asked; `None` if it was delivered.
pub(super) fn shortfall(plan: &LevelPlan, summary: &LevelSummary) -> Option<Shortfall> {
    let (ttft, e2e) = (summary.ttft_ms.mean, summary.e2e_ms.mean);
    let client = &summary.client;
    client
        .paused(summary.window.map_or(summary.duration_s, Window::length_s))
        .or_else(|| client.delivers_late(ttft, e2e))
        .or_else(|| match plan.load {
            Load::Streams(streams) => missing_streams(plan, streams, summary),
            Load::RatePerS(rate) => held_arrivals(rate, plan, summary),
        })
}

impl ClientHealth {
    /// Why the client was too late for its figures, beside the mean latencies that it measured, in
    /// ms; `None` if it was on time.
    pub fn lateness(&self, ttft_ms: Option<f64>, e2e_ms: Option<f64>) -> Option<Shortfall> {
        self.delivers_late(ttft_ms, e2e_ms).or_else(|| {
            let bound_ms = ttft_ms.unwrap_or(0.0) * MOST_SHARED_ERROR_SHARE;
            self.shared_stamps(bound_ms.max(MOST_SHARED_ERROR_MS))
        })
    }

    /// Why the load was not what was asked, by the client's own lateness; its stamps aside.
    fn delivers_late(&self, ttft_ms: Option<f64>, e2e_ms: Option<f64>) -> Option<Shortfall> {
        let has_stamps = self
            .kernel_stamp_ratio
            .is_none_or(|ratio| ratio >= LEAST_KERNEL_STAMPS);
        let loop_bound_ms = if has_stamps {
            e2e_ms.unwrap_or(0.0) * MOST_CLUMP_SHARE
        } else {
            ttft_ms.unwrap_or(0.0) * MOST_LOOP_LAG_SHARE
        };
        self.send_lag(most_send_lag_ms(e2e_ms))
            .or_else(|| self.loop_lag(loop_bound_ms.max(MOST_LOOP_LAG_MS)))
            .or_else(|| self.worker_cpu())
    }

    fn paused(&self, window_s: f64) -> Option<Shortfall> {
        let longest_s = self.loop_lag_ms.max? / 1e3;
        (longest_s > LONGEST_PAUSE_S && longest_s > window_s * MOST_PAUSE_SHARE)
            .then_some(Shortfall::Paused { longest_s })
    }

    /// Whether its own work takes all the time that a worker has.
    pub(super) fn is_at_its_limit(&self) -> bool {
        self.worker_cpu_ratio.is_some_and(|cpu| cpu > AT_ITS_LIMIT)
    }

    fn send_lag(&self, bound_ms: f64) -> Option<Shortfall> {
        let p99_ms = self.send_lag_ms.p99?;
        (p99_ms > bound_ms).then_some(Shortfall::SendLag { p99_ms, bound_ms })
    }

    fn loop_lag(&self, bound_ms: f64) -> Option<Shortfall> {
        let mean_ms = self.loop_lag_ms.mean?;
        (mean_ms > bound_ms).then_some(Shortfall::LoopLag { mean_ms, bound_ms })
    }

    fn shared_stamps(&self, bound_ms: f64) -> Option<Shortfall> {
        let late_ratio =
            self.shared_first_ratio? * share_above(&self.shared_first_error_ms, bound_ms);
        (late_ratio > MOST_SHARED_FIRST).then_some(Shortfall::SharedStamps {
            late_ratio,
            bound_ms,
        })
    }

    fn worker_cpu(&self) -> Option<Shortfall> {
        let cpu_ratio = self.worker_cpu_ratio?;
        (cpu_ratio > MOST_WORKER_CPU).then_some(Shortfall::BusyWorker { cpu_ratio })
    }
}

/// The share of a sample that is known to lie above `bound`, by its quantiles: never too large.
fn share_above(sample: &Summary, bound: f64) -> f64 {
    let quantiles = [
        (sample.p50, 0.5),
        (sample.p90, 0.1),
        (sample.p95, 0.05),
        (sample.p99, 0.01),
    ];
    quantiles
        .into_iter()
        .find(|(value, _)| value.is_some_and(|value| value > bound))
        .map_or(0.0, |(_, above)| above)
}

/// Users of a level, by Little's law: those in flight, and the rate times the think time for those
/// who think; with what the count of completions can be off by, three of its deviations.
fn missing_users(
    users: u32,
    think_s: f64,
    in_flight: f64,
    completed: u64,
    window_s: f64,
) -> Option<Shortfall> {
    let completed = completed as f64;
    let there = |completed: f64| in_flight + completed * think_s / window_s;
    let at_most = there(completed + 3.0 * (completed + 1.0).sqrt());
    (window_s > 0.0 && at_most < f64::from(users) * LEAST_ACHIEVED).then(|| {
        Shortfall::MissingUsers {
            there: there(completed),
            of: users,
        }
    })
}

/// The share of the time that streams in lockstep pause.
fn paused(plan: &LevelPlan) -> f64 {
    plan.settings
        .redraw_seed
        .map_or(0.0, |_| Redraw::paused_ratio())
}

fn missing_streams(plan: &LevelPlan, streams: u32, summary: &LevelSummary) -> Option<Shortfall> {
    // Streams back off after a failure, so a level with more than a few of them cannot be full.
    let in_flight = summary.client.achieved_concurrency?;
    let least = f64::from(streams) * (LEAST_ACHIEVED - paused(plan));
    let few_failed =
        summary.requests.failed_in_window * 100 <= summary.requests.completed_in_window;
    if !few_failed {
        return None;
    }
    if let Some(think) = plan.settings.think {
        return missing_users(
            streams,
            think.mean.as_secs_f64(),
            in_flight,
            summary.requests.completed_in_window,
            summary.window.map_or(0.0, Window::length_s),
        );
    }
    if in_flight >= least {
        return None;
    }
    Some(if is_slow_to_accept(streams, &summary.client) {
        Shortfall::SlowToAccept {
            in_flight,
            of: streams,
            connecting: summary.client.connecting_concurrency.unwrap_or(0.0),
        }
    } else {
        Shortfall::MissingStreams {
            in_flight,
            of: streams,
        }
    })
}

/// Arrivals that nothing but the client kept: neither a cap nor the wait for a connection. Those that
/// the server keeps waiting have their due time running, and are no reason to void a level.
fn held_arrivals(rate_per_s: f64, plan: &LevelPlan, summary: &LevelSummary) -> Option<Shortfall> {
    if plan.open_loop.most_in_flight.is_some() {
        return None;
    }
    let client = &summary.client;
    let held = client.waiting_concurrency? - client.connecting_concurrency.unwrap_or(0.0);
    // By Little's law.
    let mean_ms = held / rate_per_s * 1e3;
    let bound_ms = most_send_lag_ms(summary.e2e_ms.mean);
    (mean_ms > bound_ms).then_some(Shortfall::HeldArrivals { mean_ms, bound_ms })
}

/// How late requests may be, beside their mean time in ms.
fn most_send_lag_ms(e2e_ms: Option<f64>) -> f64 {
    (e2e_ms.unwrap_or(0.0) * MOST_SEND_LAG_SHARE).max(MOST_SEND_LAG_MS)
}

/// Whether the streams that are missing were waiting for the server to accept a connection.
pub(super) fn is_slow_to_accept(streams: u32, client: &ClientHealth) -> bool {
    let achieved = client.achieved_concurrency.unwrap_or(0.0);
    let waiting = client.connecting_concurrency.unwrap_or(0.0);
    let least = f64::from(streams) * LEAST_ACHIEVED;
    achieved < least && achieved + waiting >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_above_a_bound_is_read_off_the_quantiles() {
        let sample = Summary::of((0..=100).map(f64::from).collect());
        let table = [
            (10.0, 0.5),
            (60.0, 0.1),
            (92.0, 0.05),
            (97.0, 0.01),
            (99.5, 0.0),
        ];
        for (bound, share) in table {
            assert!(
                (share_above(&sample, bound) - share).abs() < 1e-12,
                "{bound}"
            );
        }
        assert!(share_above(&Summary::default(), 0.0) < 1e-12);
    }

    /// Of 100 users who think for 60 s after requests of 8 s, 1.47 requests a second end.
    #[test]
    fn users_who_think_are_there() {
        let void = |completed: u64, window_s: f64, in_flight: f64| {
            missing_users(100, 60.0, in_flight, completed, window_s)
        };
        assert_eq!(void(147, 100.0, 11.8), None);
        assert_eq!(void(15, 10.0, 11.8), None);
        // A server that stalls has all of them in flight.
        assert_eq!(void(0, 10.0, 100.0), None);
        // Half of them never came.
        let Some(Shortfall::MissingUsers { there, of: 100 }) = void(74, 100.0, 5.9) else {
            panic!("half of the users are there");
        };
        assert!((there - 50.3).abs() < 1e-9, "{there}");
    }

    #[test]
    fn streams_that_wait_for_a_connection_are_no_fault_of_the_client() {
        let client = |in_flight, waiting| ClientHealth {
            achieved_concurrency: Some(in_flight),
            connecting_concurrency: Some(waiting),
            ..ClientHealth::default()
        };
        assert!(is_slow_to_accept(10, &client(6.0, 4.0)));
        assert!(!is_slow_to_accept(10, &client(6.0, 1.0)));
        assert!(!is_slow_to_accept(10, &client(10.0, 4.0)));
    }
}
