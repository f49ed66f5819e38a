//! `plimsoll plan`: from numbers, from a run, and what it refuses.

use serde_json::Value;

use super::{plimsoll, run, serve, stderr, stdout};

fn plan(arguments: &[&str]) -> Value {
    let output = run(plimsoll().arg("plan").args(arguments).arg("--json"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// 500 active users who send every 67.9 s, for 7.9 s each, are 58.2 in flight: two servers that
/// take 32 each.
#[test]
fn users_become_streams_and_servers() {
    let arguments = [
        "--cap",
        "46",
        "--request-time",
        "7.9s",
        "--users",
        "5,000",
        "--active-share",
        "10%",
        "--think-time",
        "60s",
    ];
    let plan = plan(&arguments);
    let mean = plan["demand"]["mean_streams"].as_f64().unwrap();
    assert!((mean - 500.0 / 67.9 * 7.9).abs() < 1e-6);
    assert_eq!(plan["demand"]["servers"], 2);
    assert!(plan["demand"]["cost_per_h"].is_null());
    let output = run(plimsoll()
        .arg("plan")
        .args(arguments)
        .args(["--lang", "zh"]));
    let text = stdout(&output);
    assert!(
        text.contains("5,000 名用户（其中 500 名同时活跃）"),
        "{text}"
    );
    assert!(text.contains("2 台服务；留一台备用则 3 台"), "{text}");
    assert!(text.contains("请给 --peak-factor"), "{text}");
}

#[test]
fn a_run_gives_its_cap_and_its_request_times() {
    let server = serve(super::engine());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = run(plimsoll()
        .args([
            "find",
            &server.url(),
            "--input-len",
            "32",
            "--output-len",
            "8",
        ])
        .args(["--max-concurrency", "4", "--out"])
        .arg(&out));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plan = plan(&["--from", out.to_str().unwrap(), "--think-time", "1s"]);
    let saved = super::run_json(&out);
    assert_eq!(
        plan["supply"]["cap_streams"],
        saved["verdict"]["recommended"]["cap"]["streams"]
    );
    // One model: what `find` says to plan for is what `plan` plans with.
    assert_eq!(
        plan["supply"]["mean_streams"],
        saved["verdict"]["recommended"]["mean_amount"]
    );
    assert!(plan["supply"]["active_users"].is_number());
    assert!(plan["inputs"]["tokens_per_request"]["output"].is_number());
}

#[test]
fn what_it_cannot_plan_from_is_a_usage_error() {
    let table: [(&[&str], &str); 5] = [
        (&[], "--from RUN"),
        (&["--from", "/no/such/run"], "cannot be read"),
        (&["--users", "5", "--qps", "1"], "cannot be used with"),
        (&["--cap", "0"], "--cap"),
        (&["--qps", "0", "--cap", "2"], "must be above 0"),
    ];
    for (arguments, expected) in table {
        let output = run(plimsoll().arg("plan").args(arguments));
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}

/// Nobody listens there, and no folder is made.
#[test]
fn a_dry_run_sends_nothing_and_warns_of_the_guides_contradiction() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(plimsoll()
        .args([
            "find",
            "127.0.0.1:1",
            "--dry-run",
            "--workload",
            "guide:内容",
        ])
        .args(["--ladder", "guide"])
        .current_dir(&folder));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for expected in [
        "1, 2, 5, 10, 20, 50, 100, 200 streams",
        "leave 2 s for a request",
        "contradict each other",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
