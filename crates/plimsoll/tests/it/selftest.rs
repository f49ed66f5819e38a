//! `plimsoll selftest` in the built program.

use assert_cmd::Command;

#[test]
fn every_request_is_compared_with_the_servers_truth() {
    let out = Command::cargo_bin("plimsoll")
        .unwrap()
        .args([
            "selftest",
            "--streams",
            "4,8",
            "--itl",
            "1ms",
            "--output-len",
            "4",
        ])
        .args(["--no-rates", "--json"])
        .output()
        .unwrap();
    // 0 or 3: a machine that is busy with other things may find that it is not right.
    assert!(matches!(out.status.code(), Some(0 | 3)), "{out:?}");
    let found: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let stages = found["stages"].as_array().unwrap();
    assert_eq!(stages.len(), 2);
    for (stage, streams) in stages.iter().zip([4, 8]) {
        assert_eq!(stage["streams"], streams);
        assert_eq!(stage["completed"], stage["requests"]);
        assert_eq!(stage["ttft_error_ms"]["n"], stage["completed"]);
        assert_eq!(stage["peak_in_flight"], streams);
        // The truth cannot be before the schedule.
        assert!(stage["ttft"]["truth_mean_ms"].as_f64().unwrap() >= 100.0);
    }
}
