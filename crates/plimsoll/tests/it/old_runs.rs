//! Folders that version 1 wrote: read, and never gone on with.

use std::path::{Path, PathBuf};

use super::{plimsoll, run, run_json, stderr, stdout};

fn folder(name: &str) -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plimsoll-core/tests/run-v1");
    folders.join(name)
}

/// Its objectives were these, so its answer stays what it was: 8 streams, 3 or more. Of one of seven
/// requests its client could not tell, so the interval is wider than the 3 to 15 it printed, and
/// reaches above the 16 streams that it was allowed.
#[test]
fn a_run_of_version_1_is_judged_again_and_saved_as_one_of_today() {
    let saved = tempfile::tempdir().unwrap();
    let out = saved.path().join("again");
    let output = run(plimsoll()
        .args(["find", "--json", "--slo", "ttft p95 <= 1s, success >= 90%"])
        .arg("--from")
        .arg(folder("streams"))
        .arg("--out")
        .arg(&out));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let again = run_json(&out);
    assert_eq!(again["schema_version"], 2);
    let interval = serde_json::json!({
        "at": { "streams": 8 }, "lower": { "streams": 3 }, "upper": null,
    });
    assert_eq!(again["verdict"]["capacity"], interval);
}

#[test]
fn a_run_of_version_1_is_planned_from() {
    let output = run(plimsoll()
        .args(["plan", "--json", "--from"])
        .arg(folder("streams").join("run.json")));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plan: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(plan["supply"]["cap_streams"], 3);
}

#[test]
fn a_run_of_version_1_does_not_go_on() {
    let output = run(plimsoll().args(["find", "--resume"]).arg(folder("streams")));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("older format"),
        "{}",
        stderr(&output)
    );
}
