//! Whole runs against the simulated server.

use std::path::Path;

use plimsoll_report::lang::Lang;
use plimsoll_sim::{EngineParams, Faults, SimConfig, SimServer};
use serde_json::Value;

/// A fast engine: a step takes 2 ms and little else.
fn server(faults: Faults) -> SimServer {
    let engine = EngineParams {
        step_base_us: 2000.0,
        prefill_us_per_token: 1.0,
        sequence_us: 1.0,
        kv_us_per_token: 0.0,
        max_num_seqs: 16,
        max_num_batched_tokens: 2048,
        kv_blocks: 4096,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.0,
        prefix_cache: false,
        max_model_len: 4096,
    };
    let config = SimConfig {
        faults,
        ..SimConfig::local(engine)
    };
    SimServer::start(config).unwrap()
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    /// The words of the only line that holds `label`, as `grep | awk` see them.
    fn words(&self, label: &str) -> Vec<&str> {
        let mut lines = self.out.lines().filter(|line| line.contains(label));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("{label}: {}", self.out));
        assert_eq!(lines.next(), None, "{label}");
        line.split_whitespace().collect()
    }
}

fn run(server: &SimServer, line: &str) -> Ran {
    run_until(server, line, &|| false)
}

fn run_until(server: &SimServer, line: &str, interrupted: &dyn Fn() -> bool) -> Ran {
    let line = format!("--base-url {} {line}", server.url());
    let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = super::run(&argv, Lang::En, &mut out, &mut err, &|_| None, interrupted);
    Ran {
        code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_guides_command_runs_and_its_greps_find_their_columns() {
    let server = server(Faults::default());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("results/concurrency_4.json");
    let ran = run(
        &server,
        &format!(
            "--backend vllm --model /path/to/your/model --dataset-name random --num-prompts 20 \
             --request-rate inf --max-concurrency 4 --random-input-len 64 --random-output-len 8 \
             --save-result --save-detailed --result-filename {}",
            file.display()
        ),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.words("Successful requests:")[2], "20");
    let rate: f64 = ran.words("Request throughput")[3].parse().unwrap();
    let ttft: f64 = ran.words("Mean TTFT")[3].parse().unwrap();
    assert!(rate > 0.0 && ttft > 0.0);
    assert!(ran.err.contains("serves only `sim`"), "{}", ran.err);

    let saved = json(&file);
    assert_eq!(saved["model_id"], "/path/to/your/model");
    assert_eq!(saved["completed"], 20);
    assert_eq!(saved["total_input_tokens"], 20 * 64);
    assert_eq!(saved["total_output_tokens"], 20 * 8);
    assert_eq!(saved["itls"][3].as_array().unwrap().len(), 7);
    assert_eq!(saved["plimsoll_peak_in_flight"], 4);
    assert_eq!(saved["plimsoll_prompts_sent_as"], "token ids");
    assert!(saved["generated_texts"][0].as_str().unwrap().len() > 8);
    assert!(server.truth().peak_in_flight <= 4);
}

#[test]
fn warm_ups_and_questions_stay_out_of_the_numbers() {
    let server = server(Faults::default());
    let ran = run(
        &server,
        "--num-prompts 5 --num-warmups 3 --ready-check-timeout-sec 5 --random-input-len 8 \
         --random-output-len 4",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.words("Total generated tokens:")[3], "20");
    assert!(
        ran.out
            .contains("Warming up with 3 requests...\nWarmup run completed.\n")
    );
    // 5 measured, 3 warm-ups and 1 question.
    assert_eq!(server.truth().n_completed, 9);
}

#[test]
fn chat_prompts_have_the_length_asked_for() {
    let server = server(Faults::default());
    let dir = tempfile::tempdir().unwrap();
    let ran = run(
        &server,
        &format!(
            "--backend openai-chat --endpoint /v1/chat/completions --num-prompts 5 \
             --random-input-len 200 --random-output-len 4 --save-result --result-dir {} \
             --result-filename r.json",
            dir.path().display()
        ),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let saved = json(&dir.path().join("r.json"));
    assert_eq!(saved["plimsoll_asked_prompt_tokens"], 1000);
    assert_eq!(saved["plimsoll_server_prompt_tokens"], 1000);
    assert_eq!(saved["plimsoll_prompts_sent_as"], "words");
}

#[test]
fn odd_streams_are_read_whole() {
    let server = server(Faults {
        comments: true,
        crlf: true,
        no_space: true,
        split: true,
        usage_in_last_choice: true,
        ..Faults::default()
    });
    let ran = run(
        &server,
        "--num-prompts 6 --random-input-len 8 --random-output-len 4",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.words("Successful requests:")[2], "6");
    assert_eq!(ran.words("Total generated tokens:")[3], "24");
}

#[test]
fn error_events_are_failures_and_a_run_of_failures_exits_with_1() {
    let server = server(Faults {
        error_event_share: 1.0,
        ..Faults::default()
    });
    let line = "--model sim --num-prompts 3 --random-input-len 8 --random-output-len 4";
    let ran = run(&server, line);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.words("Failed requests:")[2], "3");
    assert_eq!(ran.words("Ended as error_event:")[3], "3");
    assert!(ran.out.contains("\nError 0: error_event"), "{}", ran.out);
    assert!(!ran.out.contains("-0.00") && !ran.out.contains("First output"));
    assert_eq!(run(&server, &format!("{line} --exit-zero")).code, 0);
}

#[test]
fn a_result_that_cannot_be_written_stops_before_anything_is_sent() {
    let server = server(Faults::default());
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("r.json");
    let ran = run(
        &server,
        &format!("--save-result --result-filename {}", below.display()),
    );
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    let truth = server.truth();
    assert_eq!(truth.n_completed + truth.n_cancelled + truth.in_flight, 0);
}

#[test]
fn wrong_arguments_exit_with_2_and_leave_stdout_empty() {
    let server = server(Faults::default());
    for line in [
        "--no-such-flag",
        "--profile",
        "--backend tensorrt-llm",
        "--request-rate 0",
    ] {
        let ran = run(&server, line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.starts_with("error: "), "{line}: {}", ran.err);
    }
}

#[test]
fn an_interrupt_prints_what_was_measured() {
    let server = server(Faults::default());
    let line = "--model sim --num-prompts 1000 --request-rate 50 --burstiness inf \
                --random-input-len 8 --random-output-len 2";
    let enough = || server.truth().n_completed > 5;
    let ran = run_until(&server, line, &enough);
    assert_eq!(ran.code, 130, "{}", ran.err);
    let completed: u32 = ran.words("Successful requests:")[2].parse().unwrap();
    assert!((1..1000).contains(&completed));
    assert_eq!(ran.words("Failed requests:")[2], "0");
    assert!(ran.out.contains("Ended as never_sent:"));
}

#[test]
fn a_run_goes_where_it_is_told_from_where_it_is_told() {
    let server = server(Faults::default());
    let ran = run(
        &server,
        &format!(
            "--base-url http://name.invalid:1 --connect-to {} --source-ip 127.0.0.3 127.0.0.4 \
             --num-prompts 4 --random-input-len 8 --random-output-len 2",
            server.url().replace("http://", "")
        ),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.words("Successful requests:")[2], "4");
}

#[test]
fn a_proxy_that_is_away_is_told_with_its_cause() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let argv = ["--base-url", "http://name.invalid:1"].map(str::to_owned);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let env = |name: &str| (name == "http_proxy").then(|| format!("http://user:sesame@{closed}"));
    let code = super::run(&argv, Lang::En, &mut out, &mut err, &env, &|| false);
    let text = String::from_utf8([out, err].concat()).unwrap();
    assert_eq!(code, 1, "{text}");
    for expected in [
        format!("go through the proxy http://{closed}"),
        format!("the proxy {closed} cannot be reached"),
        "connection refused".to_owned(),
    ] {
        assert!(text.contains(&expected), "{text}");
    }
    assert!(!text.contains("sesame"), "{text}");
}
