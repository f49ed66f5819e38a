//! The main job over sockets, on engines whose capacity is known.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use plimsoll_core::record::RequestLine;
use plimsoll_core::run::{HttpVersion, Run, RunEvent, RunState};
use plimsoll_core::telemetry::{Sample, ServerWindow};
use plimsoll_core::verdict::VerdictKind;
use plimsoll_sim::{EngineParams, SimServer};

use super::{engine, plimsoll, run, run_json, serve, stderr, stdout};

/// Searches in real time share their cores with the server they load: another beside them makes the
/// client late, which it then says instead of an answer. So they take turns.
pub(crate) static TURN: Mutex<()> = Mutex::new(());

/// Runs `find` against an engine and gives the run as it was saved.
fn find(engine: EngineParams, arguments: &[&str]) -> Run {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = serve(engine);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = run(find_on(&server)
        .args(["--seed", "7", "--out"])
        .arg(&out)
        .args(arguments));
    assert!(output.status.code() == Some(0), "{}", stderr(&output));
    let saved: Run = serde_json::from_value(run_json(&out)).unwrap();
    let log = std::fs::File::open(out.join("events.jsonl")).unwrap();
    let events = BufReader::new(log)
        .lines()
        .map(|line| serde_json::from_str::<RunEvent>(&line.unwrap()).unwrap());
    assert_eq!(
        Run::replay(events).as_ref(),
        Some(&saved),
        "the log replays to the same run"
    );
    let requests = std::fs::File::open(out.join("requests.jsonl")).unwrap();
    let mut ids: Vec<u64> = BufReader::new(requests)
        .lines()
        .map(|line| {
            serde_json::from_str::<RequestLine>(&line.unwrap())
                .unwrap()
                .id
        })
        .collect();
    ids.sort_unstable();
    let due = (0..ids.len() as u64).collect::<Vec<_>>();
    assert_eq!(
        ids, due,
        "every request that was due has its line, and one alone"
    );
    assert_recomputable(&saved, &out);
    for name in [
        "load-line.png",
        "load-line.svg",
        "throughput.png",
        "efficiency.svg",
    ] {
        assert!(out.join(name).metadata().unwrap().len() > 1_000, "{name}");
    }
    saved
}

/// All that the levels say of the server follows from the samples on the disk.
pub(crate) fn assert_recomputable(saved: &Run, out: &Path) {
    let file = std::fs::File::open(out.join("signals.jsonl")).unwrap();
    let samples: Vec<Sample> = BufReader::new(file)
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    assert!(samples.is_sorted_by_key(|sample| sample.at));
    assert!(saved.levels.iter().any(|level| level.server.is_some()));
    for level in &saved.levels {
        let (from, to) = level.span();
        assert_eq!(ServerWindow::of(&samples, from, to), level.server);
    }
}

/// The command on a server, with requests of 32 + 16 tokens, of which half a minute brings thousands.
fn find_on(server: &SimServer) -> Command {
    let mut command = plimsoll();
    let _ = command.args([
        "find",
        &server.url(),
        "--input-len",
        "32",
        "--output-len",
        "16",
        "--budget",
        "30s",
        "--no-confirm",
    ]);
    command
}

fn assert_capacity(run: &Run, truth: u32) {
    let verdict = run.verdict.as_ref().unwrap();
    assert_eq!(verdict.kind, VerdictKind::Capacity, "{verdict:?}");
    let found = verdict.capacity.unwrap();
    let error = (found.at.amount() - f64::from(truth)).abs();
    let allowed = (f64::from(truth) * 0.05).max(1.0);
    assert!(error <= allowed, "truth {truth}: {found:?}");
    assert!(verdict.recommended.unwrap().cap <= found.at);
}

/// Twelve run at once and wait for the step under way, 5 ms, and their own. With the thirteenth
/// one of them always waits for a slot, which comes free every 80 ms / 12: one in twelve waits for
/// several steps.
#[test]
fn a_sequence_cap_is_found() {
    let run = find(
        EngineParams {
            max_num_seqs: 12,
            step_base_us: 5_000.0,
            ..engine()
        },
        &["--slo", "ttft p95 <= 20ms"],
    );
    assert_capacity(&run, 12);
}

/// Requests of 32 + 16 tokens hold 2 to 4 blocks of 16, some 2.8 on the average: 48 blocks are
/// never full at 12 streams, and full on the average at 17.
#[test]
fn a_kv_cache_is_found() {
    let run = find(
        EngineParams {
            kv_blocks: 48,
            ..engine()
        },
        &["--slo", "ttft p95 <= 12ms"],
    );
    let found = run.verdict.as_ref().unwrap().capacity.unwrap();
    assert!(
        (12..=17).contains(&found.at.streams().unwrap()),
        "{found:?}"
    );
}

/// A step's time is 2 ms + 0.4 ms a sequence: 10 ms a token are reached at 20 streams.
#[test]
fn a_decode_bound_is_found() {
    let slow = EngineParams {
        sequence_us: 400.0,
        prefill_us_per_token: 0.0,
        kv_us_per_token: 0.0,
        ..engine()
    };
    let run = find(slow, &["--slo", "tpot mean <= 10ms"]);
    assert_capacity(&run, 20);
}

#[test]
fn nothing_breaks_below_the_largest_load_asked_for() {
    let run = find(
        engine(),
        &["--slo", "ttft p95 <= 10s", "--max-concurrency", "4"],
    );
    let verdict = run.verdict.unwrap();
    assert_eq!(verdict.kind, VerdictKind::AboveLast);
    assert_eq!(verdict.capacity.unwrap().upper, None);
}

#[test]
fn http2_carries_a_search_and_is_told() {
    let run = find(engine(), &["--http", "2", "--max-concurrency", "8"]);
    assert_eq!(run.server.http, HttpVersion::Http2);
    assert!(
        run.levels
            .iter()
            .all(|level| level.requests.failed_in_window == 0)
    );
    // One for the whole search, which the first level opened.
    assert!(
        run.levels
            .iter()
            .all(|level| level.client.connections_opened <= 1)
    );
}

#[test]
fn an_slo_that_one_stream_breaks_is_exit_3() {
    let server = serve(engine());
    let folder = tempfile::tempdir().unwrap();
    let output = run(find_on(&server)
        .args(["--slo", "e2e p95 <= 5ms", "--out"])
        .arg(folder.path().join("run")));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

#[test]
fn json_goes_to_stdout_alone_and_has_what_scripts_need() {
    let server = serve(engine());
    let folder = tempfile::tempdir().unwrap();
    let output = run(plimsoll()
        .args([
            "find",
            &server.url(),
            "--input-len",
            "32",
            "--output-len",
            "8",
            "--max-concurrency",
            "2",
            "--no-confirm",
        ])
        .args(["--slo", "ttft p95 <= 1s", "--json", "--lang", "zh", "--out"])
        .arg(folder.path().join("run")));
    let said = stderr(&output);
    assert!(
        said.starts_with("结果保存在") && said.lines().count() == 1,
        "{said}"
    );
    let run: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let verdict = &run["verdict"];
    for path in [
        "/capacity/at/streams",
        "/capacity/lower/streams",
        "/recommended/cap/streams",
        "/recommended/mean_amount",
        "/scaling/growth/0/per_doubling_ratio",
    ] {
        assert!(
            verdict
                .pointer(path)
                .is_some_and(serde_json::Value::is_number),
            "{path}: {verdict}"
        );
    }
    for (lang, word) in [("en", "in flight"), ("zh", "在途")] {
        let sentence = run["sentences"][lang].as_str().unwrap();
        assert!(sentence.contains(word), "{sentence}");
    }
    let level = &run["levels"][0];
    for key in [
        "load",
        "verdict",
        "window",
        "requests",
        "success_ratio",
        "request_per_s",
        "output_tokens_per_s",
    ] {
        assert!(!level[key].is_null(), "{key}");
    }
    for key in ["ttft_ms", "tpot_ms", "itl_ms", "e2e_ms", "speed_tok_per_s"] {
        for stat in ["n", "mean", "p50", "p90", "p95", "p99"] {
            assert!(level[key][stat].is_number(), "{key}.{stat}");
        }
    }
}

#[test]
fn an_interrupt_keeps_what_there_is() {
    let server = serve(engine());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut child = find_on(&server)
        .args(["--slo", "ttft p95 <= 10s", "--out"])
        .arg(&out)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(
        lines.any(|line| line.contains("screened")),
        "a first level ends"
    );
    let interrupt = nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(child.id().cast_signed()),
        nix::sys::signal::SIGINT,
    );
    interrupt.unwrap();
    let output = child.wait_with_output().unwrap();
    let died_of = output.status.signal();
    assert_eq!(died_of, Some(nix::sys::signal::SIGINT as i32));
    assert!(
        stdout(&output).contains("nterrupted"),
        "{}",
        stdout(&output)
    );
    let saved: Run = serde_json::from_value(run_json(&out)).unwrap();
    assert_eq!(saved.state, RunState::Partial);
    assert!(!saved.levels.is_empty());
}

#[test]
fn a_server_that_falls_is_exit_4_and_carries_nothing() {
    let server = serve(engine());
    let folder = tempfile::tempdir().unwrap();
    let mut child = find_on(&server)
        .args(["--slo", "ttft p95 <= 10s", "--out"])
        .arg(folder.path().join("run"))
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(
        lines.any(|line| line.contains("screened")),
        "a first level ends"
    );
    drop(server);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("the server is gone"),
        "{}",
        stdout(&output)
    );
    let saved = run_json(&folder.path().join("run"));
    assert!(saved["verdict"]["recommended"].is_null());
}
