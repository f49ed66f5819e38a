//! A client without time: its worker shares a core with threads that never rest. The level must say
//! that it is the client's fault, and what the kernel stamped must be right all the same. This test
//! has a process of its own, since it takes a core away from all others.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]
#![expect(clippy::print_stderr, reason = "what cannot be tested here says so")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use plimsoll_core::level::{
    FinishedLevel, Hold, LevelPlan, LevelSettings, LevelVerdict, Load, OpenLoop, Purpose,
};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::stats::quantile;
use plimsoll_load::clock::Clock;
use plimsoll_load::coordinator::SocketRunner;
use plimsoll_load::crew::CrewOptions;
use plimsoll_load::fetch;
use plimsoll_load::source::{Built, RequestSource};
use plimsoll_load::stamps::kernel_stamps;
use plimsoll_load::target::Target;
use plimsoll_sim::{Metronome, MetronomeConfig};

/// The server's schedule: one token. With more of them one read can find several, whose one stamp is
/// that of the last: the client says so, and it is not what is looked at here.
const TTFT: Duration = Duration::from_millis(200);
const TOKENS: u32 = 1;
/// A thousand requests a second are asked of a worker that has a thirtieth of a core: no scheduler
/// can give it its time at once, however it treats those that sleep much.
const STREAMS: u32 = 256;
const BUSY_THREADS: usize = 32;
/// A client that stamped what it reads itself would be wrong by its own lateness, which is above
/// this. What is left of it is the time between the stamp of the send and the send.
const MOST_ERROR_MS: f64 = 1.0;

/// Requests with their number as their name.
struct Numbered;

impl RequestSource for Numbered {
    fn build(&self, index: u64) -> Built {
        Built {
            path: "/v1/completions".to_owned(),
            headers: vec![("x-request-id".to_owned(), index.to_string())],
            body: format!(r#"{{"prompt":"a ship","max_tokens":{TOKENS},"stream":true}}"#)
                .into_bytes(),
            asked_prompt_tokens: 2,
            asked_output_tokens: TOKENS,
        }
    }
}

/// Does something on a core; threads that it starts stay there.
fn on_core<T: Send + 'static>(core: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    start_on(core, work).join().unwrap()
}

fn start_on<T: Send + 'static>(
    core: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    spawn(move || {
        let mut alone = CpuSet::new();
        alone.set(core).unwrap();
        sched_setaffinity(Pid::from_raw(0), &alone).unwrap();
        work()
    })
}

/// Threads that keep a core busy until this is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn on(core: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let one = |_| {
            let stop = Arc::clone(&stop);
            start_on(core, move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let threads = (0..BUSY_THREADS).map(one).collect();
        Self { stop, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

/// The cores of the server and of the client; `None` where there is only one.
fn cores() -> Option<(usize, usize)> {
    let all = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let mut usable = (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap());
    Some((usable.next()?, usable.next_back()?))
}

/// One level by a client on `core` that has no time.
fn starved_level(target: &Target, core: usize) -> FinishedLevel {
    let to = target.clone();
    let mut runner = on_core(core, move || {
        let source: Arc<dyn RequestSource> = Arc::new(Numbered);
        let options = CrewOptions {
            workers: 1,
            timeout: Duration::from_secs(60),
            keep_alive: true,
            first_request: 0,
        };
        SocketRunner::start(&to, &source, None, Clock::start(), options).unwrap()
    });
    let plan = LevelPlan {
        index: 0,
        purpose: Purpose::Ramp,
        load: Load::Streams(STREAMS),
        open_loop: OpenLoop::default(),
        hold: Hold::Screen,
        request_time: TTFT,
        longest_hold: Duration::from_secs(10),
        longest: Duration::from_secs(60),
        settings: LevelSettings::default(),
    };
    // The server meets this; a client that read its own lateness as the server's would see it fail.
    let slo = "ttft p95 <= 210ms".parse().unwrap();
    let _busy = Busy::on(core);
    runner.run_level(plan, &slo, &mut |_| Go::On).unwrap()
}

/// The server's own TTFT of each request, ms.
fn truth(target: &Target) -> HashMap<u64, f64> {
    let page = fetch::get(target, "/sim/truth/requests", Duration::from_secs(60)).unwrap();
    let one = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let ns = |key: &str| line[key].as_u64().unwrap();
        let id = line["id"].as_str().unwrap().parse().unwrap();
        (id, (ns("first_ns") - ns("received_ns")) as f64 / 1e6)
    };
    page.text().lines().map(one).collect()
}

#[test]
fn a_starved_client_says_so_and_its_stamps_are_right() {
    let Some((server_core, client_core)) = cores() else {
        return eprintln!("not run: the server needs a core of its own, and there is only one");
    };
    let config = MetronomeConfig::local(TTFT, Duration::ZERO);
    let server = on_core(server_core, move || Metronome::start(config).unwrap());
    let target = Target::parse(&server.url()).unwrap();
    let finished = starved_level(&target, client_core);
    let summary = &finished.summary;
    assert_eq!(summary.verdict, LevelVerdict::Void, "{summary:?}");
    assert!(summary.is_clients_fault(), "{summary:?}");
    assert!(summary.requests.balance());
    if !kernel_stamps() {
        return eprintln!("not run: this kernel stamps nothing");
    }
    let truth = truth(&target);
    let completed = finished
        .records
        .iter()
        .filter(|one| one.outcome.is_completed());
    let mut errors: Vec<f64> = completed
        .map(|one| (one.ttft_ms().unwrap() - truth[&one.id]).abs())
        .collect();
    errors.sort_by(f64::total_cmp);
    let error_ms = quantile(&errors, 0.5).unwrap();
    let late_ms = summary.client.loop_lag_ms.p99.unwrap();
    assert!(
        error_ms < MOST_ERROR_MS && MOST_ERROR_MS < late_ms,
        "wrong by {error_ms} ms, late by {late_ms} ms"
    );
}
