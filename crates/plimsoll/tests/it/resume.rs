//! A search that is killed again and again, and goes on: the run is as if it had been one, and can
//! be judged again.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plimsoll_core::level::LevelSummary;
use plimsoll_core::record::RequestLine;
use plimsoll_core::run::{Run, RunEvent, RunState};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{plimsoll, run, run_json, stderr, stdout};

/// The built-in engine with twelve slots, so that some ten levels are run, of a second or so each.
const FIND: &str = "find --sim --profile toy --step-base-us 5000 --max-num-seqs 12 --input-len 32 \
                    --output-len 16 --level-time 1s --budget 15s --quiet";
const SLO: &str = "ttft p95 <= 20ms";
/// Changes of files in the folder of a run of ten levels: some ten for each.
const CHANGES: std::ops::Range<u32> = 1..45;

fn start(command: &mut Command) -> Child {
    let silent = command.stdout(Stdio::null()).stderr(Stdio::piped());
    silent.spawn().unwrap()
}

fn begin(out: &Path) -> Child {
    let words = FIND.split_whitespace();
    start(
        plimsoll()
            .args(words)
            .args(["--slo", SLO, "--out"])
            .arg(out),
    )
}

/// Whether the command's own arguments, or a fault of its own, ended it.
fn is_refused(command: &mut Command) -> bool {
    matches!(run(command).status.code(), None | Some(1 | 2))
}

fn resume(out: &Path) -> Child {
    start(plimsoll().args(["find", "--quiet", "--resume"]).arg(out))
}

/// Sends a signal after so many changes of files in the folder, counted once a run is in it; the
/// changes come where a crash would hurt. Whether the search had come to its end.
fn ends_before(mut child: Child, out: &Path, signal: Signal, changes: u32) -> bool {
    let watch = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    let all = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    let _ = watch.add_watch(out, all).unwrap();
    let mut seen = 0;
    while seen < changes {
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().unwrap();
            assert!(
                output
                    .status
                    .code()
                    .is_some_and(|code| code != 1 && code != 2),
                "{output:?}"
            );
            return true;
        }
        let mut polled = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
        // The process may end without a change.
        if poll(&mut polled, PollTimeout::from(100u8)) == Ok(1) {
            let more = watch.read_events().unwrap().len() as u32;
            seen += if events(out).is_empty() { 0 } else { more };
        }
    }
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    let _ = child.wait().unwrap();
    matches!(
        events(out).last(),
        Some(RunEvent::RunFinished {
            state: RunState::Finished,
            ..
        })
    )
}

/// The events that are written to their end.
pub(super) fn events(out: &Path) -> Vec<RunEvent> {
    let text = std::fs::read(out.join("events.jsonl")).unwrap_or_default();
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// The levels that are finished for good.
fn finished(out: &Path) -> Vec<LevelSummary> {
    let events = events(out).into_iter();
    events
        .filter_map(|event| match event {
            RunEvent::LevelFinished { level, .. } => Some(*level),
            _ => None,
        })
        .collect()
}

fn requests(out: &Path) -> Vec<RequestLine> {
    let text = std::fs::read_to_string(out.join("requests.jsonl")).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A finished run, whose files agree.
fn consistent(out: &Path) -> Run {
    let saved: Run = serde_json::from_value(run_json(out)).unwrap();
    assert_eq!(Run::replay(events(out)).as_ref(), Some(&saved));
    assert_eq!(saved.state, RunState::Finished);
    let mut time_s = 0.0;
    for (index, level) in (0..).zip(&saved.levels) {
        assert_eq!(level.index, index);
        assert!(level.started_s >= time_s, "levels overlap in time");
        time_s = level.started_s + level.duration_s;
        assert!(level.requests.balance());
    }
    let lines = requests(out);
    let ended = |level: &LevelSummary| level.requests.outcomes.values().sum::<u64>();
    let total: u64 = saved.levels.iter().map(ended).sum();
    assert!(lines.len() as u64 >= total);
    let mut ids: Vec<u64> = lines.iter().map(|line| line.id).collect();
    ids.sort_unstable();
    assert!(
        ids.windows(2).all(|pair| pair[0] < pair[1]),
        "a number came twice"
    );
    saved
}

/// Under its own SLO each level says what it said.
fn judged_again_alike(out: &Path, saved: &Run) {
    let before = std::fs::read(out.join("run.json")).unwrap();
    let output = run(plimsoll()
        .args(["find", "--json", "--slo", SLO, "--from"])
        .arg(out));
    let again: Run = serde_json::from_str(&stdout(&output)).unwrap();
    for (then, now) in saved.levels.iter().zip(&again.levels) {
        assert_eq!((then, then.index), (now, now.index));
    }
    assert_eq!(saved.levels.len(), again.levels.len());
    let answer = |run: &Run| {
        let verdict = run.verdict.clone().unwrap();
        (verdict.kind, verdict.capacity, verdict.broken_at)
    };
    assert_eq!(answer(saved), answer(&again));
    assert_eq!(std::fs::read(out.join("run.json")).unwrap(), before);
}

/// Kills a search at moments drawn from a seed until it has ended, and looks at what came of it.
/// How often it was killed.
fn survives(seed: u64, signal: Signal) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let mut child = begin(out);
    let mut kept = Vec::new();
    let mut kills = 0;
    while !ends_before(child, out, signal, rng.random_range(CHANGES)) {
        kills += 1;
        let now = finished(out);
        assert_eq!(
            now.get(..kept.len()),
            Some(kept.as_slice()),
            "a finished level is lost"
        );
        kept = now;
        child = resume(out);
    }
    // Killed between its last event and its last `run.json`, that one is made up for.
    drop(resume(out).wait_with_output().unwrap());
    let saved = consistent(out);
    assert_eq!(saved.levels.get(..kept.len()), Some(kept.as_slice()));
    assert!(saved.resumptions.len() <= kills);
    judged_again_alike(out, &saved);
    let output = resume(out).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is finished; nothing to resume"));
    kills
}

#[test]
fn a_search_survives_being_killed() {
    let kills: usize = (0..2).map(|seed| survives(seed, Signal::SIGKILL)).sum();
    assert!(kills >= 3, "{kills}");
}

#[test]
fn a_search_goes_on_after_ctrl_c() {
    assert!(survives(7, Signal::SIGINT) > 0);
}

/// What the report offers where the time was over before the interval was narrow.
#[test]
fn a_finished_search_goes_on_with_more_time() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let short = FIND.replace("--budget 15s", "--budget 6s");
    let mut first = plimsoll();
    let _ = first.args(short.split_whitespace()).args(["--slo", SLO]);
    assert!(!is_refused(first.arg("--out").arg(out)));
    let before = consistent(out).levels;
    let mut more = plimsoll();
    let _ = more.args(["find", "--quiet", "--budget", "+5s", "--resume"]);
    assert!(!is_refused(more.arg(out)));
    let after = consistent(out);
    assert!(after.levels.len() > before.len(), "{:?}", after.verdict);
    assert_eq!(after.levels[..before.len()], before);
    judged_again_alike(out, &after);
}

#[test]
fn what_contradicts_the_saved_plan_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    std::fs::create_dir(&out).unwrap();
    assert!(!ends_before(begin(&out), &out, Signal::SIGKILL, 2));
    let table: [(&[&str], &str); 5] = [
        (&["--seed", "4"], "in the saved run, not 4"),
        (
            &["--slo", "ttft p95 <= 30ms"],
            "`--slo` is ttft p95 ≤ 20 ms",
        ),
        (&["--no-requests"], "`--no-requests` was not given"),
        (&["10.0.0.1:80"], "`URL` was not given"),
        (&["--out", "x"], "cannot be used with"),
    ];
    for (arguments, expected) in table {
        let output = run(plimsoll()
            .args(["find", "--resume"])
            .arg(&out)
            .args(arguments));
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let output = run(plimsoll().args(["find", "--resume"]).arg(folder.path()));
    assert!(
        stderr(&output).contains("has no run in it"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_run_without_requests_is_not_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = plimsoll();
    let words = command.args(FIND.split_whitespace());
    let words = words.args(["--no-requests", "--max-concurrency", "2", "--out"]);
    let output = run(words.arg(folder.path()));
    assert!(
        folder.path().join("run.json").exists(),
        "{}",
        stderr(&output)
    );
    let again = |arguments: &[&str]| {
        let mut command = plimsoll();
        let words = command.args(["find", "--slo", SLO, "--from"]);
        stderr(&run(words.arg(folder.path()).args(arguments)))
    };
    assert!(
        again(&[]).contains("the run was made with --no-requests"),
        "{}",
        again(&[])
    );
    assert!(again(&["--seed", "1"]).contains("`--seed` means nothing with --from"));
}
