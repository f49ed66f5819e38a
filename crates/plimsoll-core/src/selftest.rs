//! What `plimsoll selftest` found: how far the figures of this machine can be believed.

use serde::Serialize;

use crate::level::ClientHealth;
use crate::stats::Summary;

/// A first token stamped wrong by more than this (p99) fails a stage …
const MOST_TTFT_ERROR_MS: f64 = 0.5;
/// … and so does a larger share of first tokens that share a stamp.
const MOST_SHARED_FIRST: f64 = 0.005;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct SelfTest {
    /// Version, system and cores.
    pub machine: Machine,
    /// Many streams with a truth known for each request; ascending.
    pub stages: Vec<Stage>,
    /// Short requests as fast as they go.
    pub throughput: Option<Throughput>,
    /// Requests on a schedule that does not wait.
    pub open_loop: Option<OpenLoop>,
    /// Length of the test, s.
    pub took_s: f64,
}

/// Where it ran.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Version of the program.
    pub plimsoll_version: String,
    /// System and architecture.
    pub platform: String,
    /// Cores of the client.
    pub client_cores: Vec<usize>,
    /// Core of the server; one of the client's if there is only one.
    pub server_core: usize,
    /// `kernel` or `user`.
    pub receive_stamps: String,
}

/// One figure as the server knows it and as the client reported it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Compared {
    /// Mean by the server's own stamps, ms.
    pub truth_mean_ms: f64,
    /// Mean as reported, ms.
    pub mean_ms: f64,
    /// 99 % quantile by the server's own stamps, ms.
    pub truth_p99_ms: f64,
    /// 99 % quantile as reported, ms.
    pub p99_ms: f64,
}

/// So many streams at once.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Streams.
    pub streams: u32,
    /// Gap between tokens that the server keeps, ms.
    pub itl_ms: f64,
    /// Requests sent.
    pub requests: usize,
    /// Requests completed.
    pub completed: usize,
    /// Most in flight at any moment.
    pub peak_in_flight: u32,
    /// Output events per second.
    pub event_per_s: f64,
    /// Most memory of the client's process so far, KB; `None` where the system does not say.
    pub peak_resident_kb: Option<u64>,
    /// CPU time of the client's process for an output event, µs.
    pub cpu_us_per_event: f64,
    /// |reported − true| TTFT of each request, ms.
    pub ttft_error_ms: Summary,
    /// Time to first token.
    pub ttft: Compared,
    /// Gaps between output events.
    pub itl: Compared,
    /// Last output − sent.
    pub e2e: Compared,
    /// The client's own health.
    pub client: ClientHealth,
}

/// Short requests one after another on a few streams.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// Streams.
    pub streams: u32,
    /// Output tokens of a request.
    pub output_tokens: u32,
    /// Requests per second.
    pub request_per_s: f64,
}

/// Requests of one token on a schedule.
#[derive(Clone, Debug, Serialize)]
pub struct OpenLoop {
    /// Requests per second asked for.
    pub rate_per_s: f64,
    /// Sent − due, ms.
    pub send_lag_ms: Summary,
    /// Share of the CPU time that the host gave to others, 0..1.
    pub stolen_cpu_ratio: Option<f64>,
}

impl Stage {
    /// Whether every figure of this many streams can be believed.
    pub fn is_right(&self) -> bool {
        let error = self.ttft_error_ms.p99;
        let shared = self.client.shared_first_ratio.unwrap_or(0.0);
        self.completed == self.requests
            && self.ttft_error_ms.n == self.completed
            && error.is_some_and(|error| error.abs() <= MOST_TTFT_ERROR_MS)
            && shared <= MOST_SHARED_FIRST
    }
}

impl SelfTest {
    /// The most streams whose figures are right; `None` if not even the first are.
    pub fn right_up_to(&self) -> Option<u32> {
        let right = self.stages.iter().take_while(|stage| stage.is_right());
        right.last().map(|stage| stage.streams)
    }

    /// Whether all stages were right.
    pub fn is_right(&self) -> bool {
        self.stages.iter().all(Stage::is_right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(streams: u32, error_ms: f64, shared: f64) -> Stage {
        let one = Compared {
            truth_mean_ms: 100.0,
            mean_ms: 100.0 + error_ms,
            truth_p99_ms: 104.0,
            p99_ms: 104.0 + error_ms,
        };
        Stage {
            streams,
            itl_ms: 20.0,
            requests: 400,
            completed: 400,
            peak_in_flight: streams,
            event_per_s: 4_000.0,
            peak_resident_kb: None,
            cpu_us_per_event: 5.5,
            ttft_error_ms: Summary::of(vec![error_ms; 400]),
            ttft: one,
            itl: one,
            e2e: one,
            client: ClientHealth {
                shared_first_ratio: Some(shared),
                worker_cpu_ratio: Some(0.25),
                ..ClientHealth::default()
            },
        }
    }

    fn found(stages: Vec<Stage>) -> SelfTest {
        SelfTest {
            machine: Machine {
                plimsoll_version: "0.1.0".to_owned(),
                platform: "linux-x86_64".to_owned(),
                client_cores: vec![1, 2],
                server_core: 0,
                receive_stamps: "kernel".to_owned(),
            },
            stages,
            throughput: None,
            open_loop: None,
            took_s: 30.0,
        }
    }

    #[test]
    fn the_verdict_ends_at_the_first_stage_that_is_wrong() {
        let right = stage(100, 0.005, 0.0);
        let late = stage(1_000, 0.6, 0.0);
        let shared = stage(1_000, 0.005, 0.006);
        let mut cut = stage(1_000, 0.005, 0.0);
        cut.completed -= 1;
        let mut unmatched = stage(1_000, 0.005, 0.0);
        unmatched.ttft_error_ms.n -= 1;
        for wrong in [late, shared, cut, unmatched] {
            let found = found(vec![right.clone(), wrong, stage(10_000, 0.005, 0.0)]);
            assert_eq!(found.right_up_to(), Some(100));
            assert!(!found.is_right());
        }
        assert!(found(vec![right]).is_right());
        assert_eq!(found(vec![stage(1, -2.0, 0.0)]).right_up_to(), None);
    }
}
