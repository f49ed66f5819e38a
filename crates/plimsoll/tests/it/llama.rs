//! A real engine: llama.cpp with a small model. `just llama` installs, starts and stops it.

use serde_json::Value;

use super::{plimsoll, run, run_json, stderr, stdout};

fn url() -> String {
    std::env::var("PLIMSOLL_LLAMA_URL").expect("PLIMSOLL_LLAMA_URL names the server: just llama")
}

#[test]
#[ignore = "not run: needs a llama.cpp server, `just llama`"]
fn llama_find_twice_and_whether_the_answers_differ() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = run(plimsoll()
        .args([
            "find",
            &url(),
            // So short that a search ends on a slow core too.
            "--input-len",
            "16",
            "--output-len",
            "8",
            "--slo",
            "ttft p95 <= 1500ms",
        ])
        .args([
            "--slo",
            "success >= 90%",
            "--max-concurrency",
            "64",
            "--budget",
            "60s",
            "--repeat",
            "2",
            "--out",
        ])
        .arg(&out));
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    for number in ["1", "2"] {
        let saved = run_json(&out.join(number));
        assert_eq!(saved["server"]["kind"], "llama.cpp");
        assert_eq!(saved["server"]["prompt_form"], "token_ids");
        let verdict = &saved["verdict"];
        assert_eq!(verdict["kind"], "capacity", "{verdict}");
        let streams = verdict["capacity"]["at"]["streams"].as_u64().unwrap();
        assert!((1..64).contains(&streams), "{verdict}");
        assert_eq!(verdict["broken_by"]["objective"]["metric"], "ttft");
    }
    let repeats = std::fs::read_to_string(out.join("repeats.json")).unwrap();
    let repeats: Value = serde_json::from_str(&repeats).unwrap();
    let difference = &repeats["difference"];
    assert_eq!(difference["runs"], 2, "{repeats}");
    assert_eq!(
        difference["differ"].as_bool(),
        difference["probability"]
            .as_f64()
            .map(|chance| chance < 0.05),
        "{repeats}"
    );
}

#[test]
#[ignore = "not run: needs a llama.cpp server, `just llama`"]
fn llama_bench_serve_fills_every_field() {
    let folder = tempfile::tempdir().unwrap();
    for backend in [
        ["--backend", "vllm"].as_slice(),
        &[
            "--backend",
            "openai-chat",
            "--endpoint",
            "/v1/chat/completions",
        ],
    ] {
        let output = run(plimsoll()
            .args([
                "bench",
                "serve",
                "--base-url",
                &url(),
                "--num-prompts",
                "12",
                "--max-concurrency",
                "4",
            ])
            .args([
                "--random-input-len",
                "32",
                "--random-output-len",
                "16",
                "--save-result",
                "--save-detailed",
            ])
            .args([
                "--percentile-metrics",
                "ttft,tpot,itl,e2el",
                "--result-filename",
                "r.json",
            ])
            .args(backend)
            .current_dir(&folder));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let block = stdout(&output);
        assert!(
            block.contains("Successful requests:                     12        "),
            "{block}"
        );
        assert!(
            block.contains("Total generated tokens:                  192       "),
            "{block}"
        );
        let saved: Value =
            serde_json::from_str(&std::fs::read_to_string(folder.path().join("r.json")).unwrap())
                .unwrap();
        assert_eq!(
            (&saved["completed"], &saved["failed"]),
            (&12.into(), &0.into())
        );
        for key in [
            "duration",
            "request_throughput",
            "mean_ttft_ms",
            "p99_tpot_ms",
            "mean_itl_ms",
            "mean_e2el_ms",
        ] {
            assert!(saved[key].as_f64().unwrap() > 0.0, "{key}: {}", saved[key]);
        }
        assert!(
            saved["output_lens"]
                .as_array()
                .unwrap()
                .iter()
                .all(|length| *length == 16)
        );
    }
}
