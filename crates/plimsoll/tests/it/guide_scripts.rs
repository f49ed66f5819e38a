//! The two scripts of the guide, verbatim, with `python benchmark_serving.py` resolved to a shim.
//! They take the time they take, so they run on request: `just guide`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use plimsoll_sim::EngineParams;
use serde_json::Value;

use super::{engine, serve, stdout};

/// Runs a script in an empty folder against an engine.
fn script(folder: &Path, text: &str, engine: EngineParams) -> Output {
    let server = serve(engine);
    let shim = folder.join("python");
    let binary = assert_cmd::cargo::cargo_bin!("plimsoll");
    let line = format!(
        "#!/bin/sh\nshift\nexec '{}' bench serve --base-url '{}' \"$@\"\n",
        binary.display(),
        server.url()
    );
    std::fs::write(&shim, line).unwrap();
    std::fs::set_permissions(&shim, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Command::new("bash")
        .arg("-c")
        .arg(text)
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .unwrap()
}

/// One slot of 1 ms steps: a request of 128 tokens takes 0.13 s, so that at 10 streams the mean
/// time to first token is over a second and the script stops there.
#[test]
#[ignore = "takes half a minute: just guide"]
fn guide_script_1_finds_its_limit_and_reads_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EngineParams {
        max_num_seqs: 1,
        step_base_us: 1_000.0,
        ..engine()
    };
    let output = script(
        folder.path(),
        include_str!("guide/concurrency_test.sh"),
        engine,
    );
    let text = stdout(&output);
    assert!(text.contains("并发度 1: 成功率 100%, 吞吐量 "), "{text}");
    assert!(text.contains("TTFT超过1秒"), "{text}");
    assert!(text.contains("建议最大并发数: 5"), "{text}");
    assert!(
        !text.contains("吞吐量  req/s"),
        "every figure is found: {text}"
    );
    // The script joins its folder to the name itself, as `--result-filename` allows.
    let saved =
        std::fs::read_to_string(folder.path().join("concurrency_results/concurrency_5.json"))
            .unwrap();
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!(
        (&saved["completed"], &saved["max_concurrency"]),
        (&50.into(), &5.into())
    );
}

/// The script looks for its figure in `*.log`, which it never writes, so it never stops early;
/// that is the guide's own slip. Each of its five runs must reach its end all the same.
#[test]
#[ignore = "takes over four minutes, as the guide has it: just guide"]
fn guide_script_2_runs_all_its_levels() {
    let folder = tempfile::tempdir().unwrap();
    let engine = EngineParams {
        max_num_seqs: 64,
        step_base_us: 1_000.0,
        ..engine()
    };
    let output = script(
        folder.path(),
        include_str!("guide/qps_concurrency_test.sh"),
        engine,
    );
    let text = stdout(&output);
    assert_eq!(
        text.matches("Successful requests:                     1000      ")
            .count(),
        5,
        "{text}"
    );
    assert_eq!(
        text.matches("Request rate configured (RPS):           20.00     ")
            .count(),
        5,
        "{text}"
    );
}
