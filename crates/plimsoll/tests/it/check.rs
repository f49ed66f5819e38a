//! One load, held, on engines whose capacity is known.

use std::path::Path;
use std::process::{Command, Output};

use plimsoll_core::check::{Check, CheckVerdict};
use plimsoll_core::level::Reason;
use plimsoll_core::run::{Run, RunState};
use plimsoll_core::stability::Drift;
use plimsoll_sim::{EngineParams, SimServer};

use super::find::assert_recomputable;
use super::resume::events;
use super::{engine, plimsoll, run, run_json, serve, stderr, stdout};

/// The command on a server, with requests of 32 + 16 tokens, some 40 ms each.
fn check_on(server: &SimServer, arguments: &[&str]) -> Command {
    let mut command = plimsoll();
    let _ = command
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .args(["check", &server.url(), "--input-len", "32"])
        .args(["--output-len", "16", "--seed", "7"])
        .args(arguments);
    command
}

/// Runs a check. On a machine that is busy with other things the client is late and says so: then
/// it is asked once more.
fn check(server: &SimServer, arguments: &[&str]) -> Output {
    let is_on_time = |output: &Output| output.status.code() != Some(5);
    until(is_on_time, || run(&mut check_on(server, arguments)))
}

/// Asks up to five times.
fn until(is_good: impl Fn(&Output) -> bool, ask: impl Fn() -> Output) -> Output {
    let mut tries = (0..4).map(|_| ask());
    tries.find(&is_good).unwrap_or_else(&ask)
}

fn read(output: &Output) -> Run {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", stdout(output), stderr(output));
    })
}

fn seen(run: &Run) -> Check<'_> {
    Check::of(run).unwrap()
}

/// Four requests run at once, some 40 ms each: about 90 a second.
fn small() -> EngineParams {
    EngineParams {
        max_num_seqs: 4,
        ..engine()
    }
}

#[test]
fn a_rate_that_is_carried_holds() {
    let output = check(&serve(engine()), &["--rate", "40", "--for", "6s", "--json"]);
    let answered = read(&output);
    let found = seen(&answered);
    assert_eq!(output.status.code(), Some(0), "{:?}", found.level.reason);
    assert!(found.answer.verdict.holds());
    let flow = found.answer.flow.unwrap();
    // 240 arrivals, five standard deviations of a Poisson number.
    assert!((flow.due_per_s * 6.0 - 240.0).abs() < 5.0 * 240f64.sqrt());
    let little = flow.little.unwrap();
    assert!(little.agrees, "{little:?}");
    assert!((flow.in_flight.mean / flow.guide_concurrency.unwrap() - 1.0).abs() < 0.5);
    assert!(found.level.stability.is_some());
}

#[test]
fn a_rate_above_what_is_carried_is_told_apart_from_a_broken_objective() {
    let server = serve(small());
    let arguments = [
        "--rate",
        "240",
        "--for",
        "5s",
        "--slo",
        "ttft p95 <= 60s",
        "--json",
    ];
    let output = check(&server, &arguments);
    let answered = read(&output);
    let found = seen(&answered);
    assert_eq!(output.status.code(), Some(3), "{:?}", found.level.reason);
    assert_eq!(found.answer.verdict, CheckVerdict::Unstable);
    let stability = found.level.stability.unwrap();
    assert_eq!(stability.drift, Drift::Unstable);
    assert!(stability.ended < stability.arrivals);
}

#[test]
fn a_broken_objective_is_named_and_can_end_the_check() {
    let server = serve(engine());
    let slo = "e2e p95 <= 5ms";
    let arguments = [
        "--rate",
        "40",
        "--for",
        "60s",
        "--fail-fast",
        "--slo",
        slo,
        "--json",
    ];
    let output = check(&server, &arguments);
    let answered = read(&output);
    let found = seen(&answered);
    assert_eq!(output.status.code(), Some(3), "{:?}", found.level.reason);
    assert_eq!(found.answer.verdict, CheckVerdict::Broken);
    let objective = "e2e p95 <= 5ms".parse().unwrap();
    let by = found.answer.broken_by;
    assert_eq!(by, Some(Reason::Objective { objective }));
    assert!(found.level.duration_s < 30.0);
}

#[test]
fn a_cap_is_kept_and_what_it_costs_is_said() {
    let server = serve(engine());
    let arguments = [
        "--rate",
        "40",
        "--max-concurrency",
        "2",
        "--for",
        "4s",
        "--json",
    ];
    let output = check(&server, &arguments);
    let answered = read(&output);
    let found = seen(&answered);
    let flow = found.answer.flow.unwrap();
    assert_eq!(flow.in_flight.max, 2);
    assert!(flow.waiting.max > 0);
    assert!(flow.guide_concurrency.unwrap() <= 2.0);
    assert!(server.truth().peak_in_flight <= 2);
}

#[test]
fn streams_are_held_too_and_all_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("kept");
    let server = serve(engine());
    let mut command = check_on(&server, &["--concurrency", "4", "--for", "3s", "--out"]);
    let output = run(command.arg(&out));
    let text = stdout(&output);
    assert!(text.contains("Holds at 4 streams"), "{text}");
    let saved: Run = serde_json::from_value(run_json(&out)).unwrap();
    assert_eq!(Run::replay(events(&out)).as_ref(), Some(&saved));
    assert_eq!(saved.state, RunState::Finished);
    let [level] = saved.levels.as_slice() else {
        panic!("{} levels", saved.levels.len());
    };
    assert_eq!(level.stability, None);
    // Those that ended after the level have their lines too.
    let requests = std::fs::read_to_string(out.join("requests.jsonl")).unwrap();
    let ended: u64 = level.requests.outcomes.values().sum();
    let lines = requests.lines().count() as u64;
    assert!(lines >= ended, "{lines} of {ended}");
    assert_recomputable(&saved, &out);
    for name in ["load-line.png", "throughput.svg"] {
        assert!(out.join(name).exists(), "{name}");
    }
    let again = run(check_on(&server, &["--rate", "1", "--out"]).arg(&out));
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("has a run in it"));
}

/// Where none is named a check has a folder as a search has.
#[test]
fn a_check_has_a_folder_and_can_be_judged_again() {
    let place = tempfile::tempdir().unwrap();
    let server = serve(engine());
    let arguments = [
        "--concurrency",
        "2",
        "--for",
        "2s",
        "--slo",
        "e2e p95 <= 60s",
    ];
    let is_on_time = |output: &Output| output.status.code() == Some(0);
    let output = until(is_on_time, || {
        run(check_on(&server, &arguments).current_dir(&place))
    });
    let text = stderr(&output);
    assert!(text.contains("Saved in plimsoll-runs/"), "{text}");
    // The last one, if it was asked for more than once.
    let runs = std::fs::read_dir(place.path().join("plimsoll-runs")).unwrap();
    let folder = runs.map(|one| one.unwrap().path()).max().unwrap();
    assert!(folder.to_str().unwrap().contains("-check"), "{folder:?}");
    let again = |slo: &str| {
        let words = ["find", "--json", "--slo", slo, "--from"];
        let output = run(plimsoll().args(words).arg(&folder));
        (output.status.code(), read(&output))
    };
    let (_, alike) = again("e2e p95 <= 60s");
    assert_eq!(alike.check, read_run(&folder).check);
    let (code, other) = again("e2e p95 <= 1ms");
    assert_eq!(seen(&other).answer.verdict, CheckVerdict::Broken);
    assert_eq!(code, Some(3));
    let resumed = run(plimsoll().args(["find", "--resume"]).arg(&folder));
    assert!(stderr(&resumed).contains("holds one load"));
}

fn read_run(folder: &Path) -> Run {
    serde_json::from_value(run_json(folder)).unwrap()
}

#[test]
fn what_makes_no_sense_is_refused_with_the_way_out() {
    for (arguments, text) in [
        (&["check", "h:1"][..], "--rate"),
        (&["check", "h:1", "--rate", "0"], "must be from 0.001"),
        (
            &[
                "check",
                "h:1",
                "--concurrency",
                "4",
                "--max-concurrency",
                "2",
            ],
            "--max-concurrency",
        ),
        (
            &["check", "h:1", "--rate", "4", "--concurrency", "2"],
            "--concurrency",
        ),
    ] {
        let output = run(plimsoll().args(arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
    }
    for (arguments, text) in [
        (&["--preset", "realistic"][..], "needs --rate"),
        (
            &["--preset", "realistic"],
            "plimsoll check h:1 --preset realistic --rate 20",
        ),
        (
            &["--preset", "capacity", "--rate", "4"],
            "needs --concurrency",
        ),
        (
            &["--preset", "soak", "--concurrency", "4"],
            "plimsoll check h:1 --preset soak --concurrency 40 --rate 20",
        ),
        (&["--preset", "limit"], "plimsoll find h:1 --preset limit"),
        (&["--preset", "quick", "--rate", "4"], "--preset realistic"),
        (
            &["--preset", "realistic", "--rate", "4", "--concurrency", "2"],
            "--max-concurrency N",
        ),
        (&["--rate", "4", "--think-time", "1s"], "--concurrency N"),
        (&["--workload", "rag"], "--rate or --concurrency"),
    ] {
        let output = run(plimsoll().args(["check", "h:1"]).args(arguments));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
    }
    let nobody = run(plimsoll().args(["check", "127.0.0.1:1", "--rate", "4"]));
    assert_eq!(nobody.status.code(), Some(4));
}

/// Six users of some 40 ms a request and 200 ms of thought: 1/6 of them in flight.
#[test]
fn users_think_between_their_requests() {
    let server = serve(engine());
    let arguments = [
        "--concurrency",
        "6",
        "--think-time",
        "200ms",
        "--for",
        "4s",
        "--json",
    ];
    let answered = read(&check(&server, &arguments));
    let found = seen(&answered);
    assert_eq!(answered.plan.think_time_s, Some(0.2));
    let flow = found.answer.flow.unwrap();
    let time_s = flow.request_time_s.unwrap();
    // Little's law of a closed loop: N = X (R + Z). Some 100 waits: their mean is within a half.
    let users = flow.ended_per_s * (time_s + 0.2);
    assert!((users / 6.0 - 1.0).abs() < 0.5, "{users}");
    assert!(flow.in_flight.mean < 3.0, "{:?}", flow.in_flight);
}

/// guide.zh.md, 内容生成平台: 200 at 100 a second leave 2 s for 512 tokens.
#[test]
fn a_dry_run_sends_nothing_and_warns_of_what_cannot_be() {
    let arguments = [
        "check",
        "127.0.0.1:1",
        "--workload",
        "guide:content",
        "--dry-run",
    ];
    let output = run(plimsoll().args(arguments));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        text.contains("100 req/s, Poisson arrivals, at most 200 in flight"),
        "{text}"
    );
    assert!(text.contains("contradict each other"), "{text}");
}

/// The guide's second method asks which concurrency a rate needs (“在指定 QPS 下测试所需的并发度”), and
/// tries caps until one of them reaches the rate. One check answers.
#[test]
fn the_second_method_of_the_guide_is_one_check() {
    // As slow as the guide's, so that a busy machine is on time: a token every 4 ms.
    let server = serve(EngineParams {
        step_base_us: 4_000.0,
        ..engine()
    });
    let arguments = ["--rate", "20", "--for", "20s", "--lang", "zh"];
    let expected = shape(include_str!("guide/check_rate.txt"));
    // On a busy machine it says more: that the client was late, or that latencies drift.
    let output = until(
        |output| shape(&stdout(output)) == expected,
        || {
            let mut command = plimsoll();
            let words = command.args(["check", &server.url()]).args(arguments);
            run(words.current_dir(env!("CARGO_TARGET_TMPDIR")))
        },
    );
    assert_eq!(shape(&stdout(&output)), expected, "{}", stdout(&output));
}

/// The words of a text: neither its numbers, nor the width of its columns, nor where its lines break.
fn shape(text: &str) -> String {
    let is_digit = |one: char| one.is_ascii_digit() || one == '.';
    let mut out = String::new();
    // A row of the table counts as one number.
    let words = text.split(|one: char| one.is_whitespace() || one == '─');
    for one in words.flat_map(str::chars) {
        match (is_digit(one), out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(one),
        }
    }
    out
}
