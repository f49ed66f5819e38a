//! Where a run cannot be written: its report first, then the reason, and nothing of anybody else's.

use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;

use super::{plimsoll, run, stderr, stdout};

const CHECK: &str = "check --sim --profile toy --step-base-us 500 --input-len 16 --output-len 64 \
                     --concurrency 4 --for 1s --quiet --out run";

/// A command whose files may not be larger than so many blocks of 512 bytes.
fn with_small_files(blocks: u32, line: &str, folder: &Path) -> Command {
    let mut shell = Command::new("sh");
    let limit = format!("ulimit -f {blocks} && exec \"$@\"");
    shell.args(["-c", &limit, "sh"]).arg(cargo_bin!("plimsoll"));
    shell.args(line.split_whitespace()).current_dir(folder);
    shell.env("LC_ALL", "C");
    shell
}

#[test]
fn what_was_measured_is_told_though_no_file_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&mut with_small_files(48, CHECK, folder.path()));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("ANSWER"), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("requests.jsonl"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_link_in_a_folder_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    let out = folder.path().join("run");
    std::fs::create_dir(&out).unwrap();
    for name in ["run.json.tmp", "load-line.png", "load-line.png.tmp"] {
        std::os::unix::fs::symlink(&victim, out.join(name)).unwrap();
    }
    let output = run(plimsoll()
        .args(CHECK.split_whitespace())
        .current_dir(&folder));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
    let log = out.join("events.jsonl");
    std::fs::rename(&log, folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &log).unwrap();
    let before = std::fs::read(&log).unwrap();
    let output = run(plimsoll()
        .args(["find", "--resume", "run", "--budget", "+1s"])
        .current_dir(&folder));
    assert_ne!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(std::fs::read(&log).unwrap(), before);
}

#[test]
fn csv_has_the_ends_of_lines_of_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(plimsoll()
        .args(CHECK.split_whitespace())
        .current_dir(&folder));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let csv = run(plimsoll()
        .args(["report", "run", "--format", "csv"])
        .current_dir(&folder));
    let text = stdout(&csv);
    // RFC 4180 §2.
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!((lines.len(), lines[2]), (3, ""), "{text:?}");
    assert!(!text.contains('\\'), "{text:?}");
}
