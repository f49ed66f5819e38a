//! A search that is repeated: each time a run of its own, and the answers side by side.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use plimsoll_core::repeat::Repeats;
use plimsoll_core::run::{Run, RunState};

use super::resume::events;
use super::{plimsoll, run, run_json, stderr, stdout};

const FIND: &str = "find --sim --profile toy --step-base-us 5000 --input-len 32 --output-len 16 \
                    --max-concurrency 2 --seed 5 --no-confirm --quiet";

fn find(out: &Path) -> Command {
    let mut command = plimsoll();
    let _ = command
        .args(FIND.split_whitespace())
        .args(["--repeat", "2", "--out"]);
    let _ = command.arg(out);
    command
}

fn resume(out: &Path, arguments: &[&str]) -> Output {
    run(plimsoll()
        .args(["find", "--resume"])
        .arg(out)
        .args(arguments))
}

/// Kills the command as soon as the second run is under way.
fn killed_in_its_second_run(out: &Path) {
    let second = out.join("2");
    let silent = find(out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = silent.unwrap();
    let watch = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    while events(&second).is_empty() {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "it has not ended by itself"
        );
        // A watch is renewed as often as one likes.
        for made in [out, &second].into_iter().filter(|path| path.exists()) {
            let made = watch.add_watch(made, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MODIFY);
            assert!(made.is_ok());
        }
        let mut changed = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
        if poll(&mut changed, PollTimeout::from(100u8)) == Ok(1) {
            let _ = watch.read_events().unwrap();
        }
    }
    child.kill().unwrap();
    let _ = child.wait().unwrap();
}

#[test]
fn searches_are_put_side_by_side_and_go_on_where_they_were_killed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    killed_in_its_second_run(&out);
    let first = run_json(&out.join("1"));
    let contradicted = resume(&out, &["--seed", "4"]);
    assert!(stderr(&contradicted).contains("`--seed` is 5 in the saved run, not 4"));
    let output = resume(&out, &["--json"]);
    let repeats: Repeats = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((repeats.asked, repeats.runs.len()), (2, 2));
    let seeds: Vec<u64> = repeats.runs.iter().map(|one| one.seed).collect();
    assert_eq!(seeds, [5, 6], "no prompt comes twice");
    assert_eq!(
        run_json(&out.join("1")),
        first,
        "a finished run is left alone"
    );
    for one in &repeats.runs {
        let saved: Run = serde_json::from_value(run_json(&out.join(&one.folder))).unwrap();
        assert_eq!(saved.state, RunState::Finished);
        assert_eq!(saved.verdict.unwrap().capacity, one.capacity);
        let seed = format!("--seed={}", one.seed);
        assert!(saved.plan.arguments.contains(&seed), "it can be run alone");
    }
    let kept = std::fs::read(out.join("repeats.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Repeats>(&kept).unwrap(), repeats);
    let again = resume(&out, &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        stderr(&again).contains("nothing to resume"),
        "{}",
        stderr(&again)
    );
    let taken = run(&mut find(&out));
    assert!(
        stderr(&taken).contains("has a run in it"),
        "{}",
        stderr(&taken)
    );
}
