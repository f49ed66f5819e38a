//! Ctrl-C in each phase: the program dies of it, what there is stays readable, and nothing goes on.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use plimsoll_core::level::{Load, Purpose};
use plimsoll_core::record::RequestLine;
use plimsoll_core::run::{Run, RunEvent, RunState};
use plimsoll_sim::{EngineParams, Faults, SimConfig, SimServer};

use super::{engine, plimsoll, run_json, serve, stderr, stdout};

/// How long a search may be silent.
const PATIENCE_MS: u16 = 60_000;

/// Starts a command in a process group of its own.
fn start(command: &mut Command) -> Child {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.process_group(0).spawn().unwrap()
}

/// Presses Ctrl-C, and waits for the end.
fn interrupt(child: Child) -> Output {
    end_by(child, Signal::SIGINT)
}

/// Sends a signal, of which the program dies: a shell ends its loop only where it sees that.
fn end_by(child: Child, signal: Signal) -> Output {
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(killpg(pid, None), Err(Errno::ESRCH), "a process is left");
    let died_of = output.status.signal();
    assert_eq!(died_of, Some(signal as i32), "{}", stderr(&output));
    output
}

fn find(url: &str, out: &Path, arguments: &[&str]) -> Child {
    let lengths = ["--input-len", "32", "--output-len", "16"];
    let find = ["find", url, "--seed", "7", "--out"];
    start(plimsoll().args(find).arg(out).args(lengths).args(arguments))
}

/// A server that reads what it is asked for and never answers.
struct Mute(TcpListener);

impl Mute {
    fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// Waits until something is asked for.
    fn asked(&self) -> TcpStream {
        let (mut socket, _) = self.0.accept().unwrap();
        assert!(socket.read(&mut [0; 64]).unwrap() > 0);
        socket
    }
}

#[test]
fn find_stops_while_preflight_waits_for_the_server() {
    let server = Mute::start();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let child = find(&server.url(), &out, &["--timeout", "60s"]);
    let asked = server.asked();
    let output = interrupt(child);
    drop(asked);
    assert!(stderr(&output).contains("interrupted"), "{output:?}");
    assert!(!out.exists(), "no run has begun");
}

#[test]
fn a_program_that_is_told_to_end_dies_of_that() {
    let server = Mute::start();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let child = find(&server.url(), &out, &["--timeout", "60s"]);
    let asked = server.asked();
    let output = end_by(child, Signal::SIGTERM);
    drop(asked);
    assert!(stderr(&output).contains("interrupted"), "{output:?}");
}

/// The shell goes on where a program ends by itself after Ctrl-C, whatever its exit code.
#[test]
fn ctrl_c_ends_the_loop_of_a_shell() {
    let server = Mute::start();
    let folder = tempfile::tempdir().unwrap();
    let line = "for seed in 1 2; do \"$0\" find \"$1\" --seed $seed --timeout 60s; done; echo on";
    // Where these tests run in the background of a shell, SIGINT is ignored and stays so.
    let mut shell = Command::new("env");
    let shell = shell.args(["--default-signal=INT", "bash", "-c", line]);
    let program = plimsoll();
    let shell = shell.arg(program.get_program()).arg(server.url());
    let child = start(shell.env("LC_ALL", "C").current_dir(folder.path()));
    let asked = server.asked();
    // A terminal tells all of its foreground.
    killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(asked);
    assert_eq!(output.status.signal(), Some(Signal::SIGINT as i32));
    assert_eq!(stdout(&output), "");
}

/// Interrupts a search as soon as a level of some kind begins, and gives the run as it was saved.
fn interrupted_at(engine: EngineParams, slo: &str, begins: impl Fn(Purpose, Load) -> bool) -> Run {
    let server = serve(engine);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let watch = Inotify::init(InitFlags::empty()).unwrap();
    let _ = watch.add_watch(out, AddWatchFlags::IN_MODIFY).unwrap();
    let child = find(&server.url(), out, &["--slo", slo, "--quiet"]);
    while !events(out).iter().any(|event| {
        matches!(event, RunEvent::LevelStarted { purpose, load, .. } if begins(*purpose, *load))
    }) {
        let mut changed = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut changed, PATIENCE_MS), Ok(1), "the search goes on");
        let _ = watch.read_events().unwrap();
    }
    let output = interrupt(child);
    let text = stdout(&output);
    assert!(text.contains("nterrupted"), "{text}");
    readable(out)
}

/// The events that are written to their end.
fn events(out: &Path) -> Vec<RunEvent> {
    let text = std::fs::read_to_string(out.join("events.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Reads a run folder back: all its files, which agree.
fn readable(out: &Path) -> Run {
    let saved: Run = serde_json::from_value(run_json(out)).unwrap();
    assert_eq!(Run::replay(events(out).into_iter()).as_ref(), Some(&saved));
    assert_eq!(saved.state, RunState::Partial);
    let requests = std::fs::read_to_string(out.join("requests.jsonl")).unwrap();
    let id = |line: &str| serde_json::from_str::<RequestLine>(line).unwrap().id;
    let mut ids: Vec<u64> = requests.lines().map(id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..ids.len() as u64).collect::<Vec<_>>());
    saved
}

#[test]
fn find_stops_in_the_ramp() {
    let begins = |purpose, load| purpose == Purpose::Ramp && load >= Load::Streams(4);
    let run = interrupted_at(engine(), "ttft p95 <= 10s", begins);
    assert_eq!(run.levels.last().unwrap().purpose, Purpose::Ramp);
}

/// Twelve streams run at once, and each one more waits some 7 ms longer: the search holds loads at
/// which nine wait, where a core that is busy with something else decides nothing.
#[test]
fn find_stops_while_a_level_is_held() {
    let capped = EngineParams {
        max_num_seqs: 12,
        step_base_us: 5_000.0,
        ..engine()
    };
    let begins = |purpose, _| purpose == Purpose::Refine;
    let run = interrupted_at(capped, "ttft p95 <= 60ms", begins);
    assert_eq!(run.levels.last().unwrap().purpose, Purpose::Refine);
}

fn bench(url: &str, folder: &Path, arguments: &[&str]) -> Child {
    let url = format!("http://{}", url.trim_start_matches("http://"));
    start(
        plimsoll()
            .args(["bench", "serve", "--base-url", &url, "--num-prompts", "20"])
            .args(["--random-input-len", "8", "--random-output-len", "8"])
            .args(["--save-result", "--result-filename", "r.json"])
            .args(arguments)
            .current_dir(folder),
    )
}

/// A server that lists its model and answers nothing else.
fn never_answers() -> SimServer {
    let faults = Faults {
        never_answer_share: 1.0,
        ..Faults::default()
    };
    let config = SimConfig {
        faults,
        ..SimConfig::local(engine())
    };
    SimServer::start(config).unwrap()
}

/// Reads what the command says until it says this, and keeps the pipe open.
fn says(child: &mut Child, text: &str) -> BufReader<std::process::ChildStdout> {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let found = out
        .by_ref()
        .lines()
        .any(|line| line.unwrap().contains(text));
    assert!(found, "it says `{text}`");
    out
}

#[test]
fn bench_serve_stops_while_it_asks_for_the_model() {
    let server = Mute::start();
    let folder = tempfile::tempdir().unwrap();
    let child = bench(&server.url(), folder.path(), &[]);
    let asked = server.asked();
    let output = interrupt(child);
    drop(asked);
    assert!(stderr(&output).contains("stopped before the run"));
}

#[test]
fn bench_serve_stops_while_it_waits_for_the_server() {
    let server = never_answers();
    let folder = tempfile::tempdir().unwrap();
    let mut child = bench(
        &server.url(),
        folder.path(),
        &["--ready-check-timeout-sec", "60"],
    );
    let out = says(&mut child, "Waiting for endpoint");
    let output = interrupt(child);
    drop(out);
    assert!(stderr(&output).contains("stopped before the run"));
    assert!(!folder.path().join("r.json").exists());
}

/// An engine whose answers of 400 tokens take 40 s, and those of one token 0.1 s.
fn slow() -> EngineParams {
    EngineParams {
        step_base_us: 100_000.0,
        ..engine()
    }
}

#[test]
fn bench_serve_stops_while_it_warms_up() {
    let server = serve(slow());
    let folder = tempfile::tempdir().unwrap();
    let warm_ups = ["--num-warmups", "3", "--random-output-len", "400"];
    let mut child = bench(&server.url(), folder.path(), &warm_ups);
    let out = says(&mut child, "Warming up");
    let output = interrupt(child);
    drop(out);
    assert!(stderr(&output).contains("stopped before the run"));
}

#[test]
fn bench_serve_reports_what_there_is_when_the_load_is_stopped() {
    let server = serve(slow());
    let folder = tempfile::tempdir().unwrap();
    let long = ["--random-output-len", "400", "--max-concurrency", "4"];
    let mut child = bench(&server.url(), folder.path(), &long);
    let mut out = says(&mut child, "Starting main benchmark run");
    // Without a reader the report could not be written.
    let reader = std::thread::spawn(move || {
        let mut rest = String::new();
        let _ = out.read_to_string(&mut rest).unwrap();
        rest
    });
    let output = interrupt(child);
    assert!(stderr(&output).contains("interrupted"), "{output:?}");
    let report = reader.join().unwrap();
    assert!(
        report.contains("Serving Benchmark Result") && report.contains("Ended as cut_at_end"),
        "{report}"
    );
    let saved = std::fs::read_to_string(folder.path().join("r.json")).unwrap();
    let saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(saved["completed"], 0, "{saved}");
}
