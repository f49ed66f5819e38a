use super::super::legacy_fixture::{batch, record};
use super::super::settings::tests::settings;
use super::*;

/// Keys of a detailed result of vLLM 0.32, in order.
const GOLDEN_KEYS: [&str; 44] = [
    "date",
    "endpoint_type",
    "backend",
    "label",
    "model_id",
    "tokenizer_id",
    "num_prompts",
    "request_rate",
    "burstiness",
    "max_concurrency",
    "duration",
    "completed",
    "failed",
    "total_input_tokens",
    "total_output_tokens",
    "request_throughput",
    "request_goodput",
    "output_throughput",
    "total_token_throughput",
    "input_lens",
    "output_lens",
    "ttfts",
    "itls",
    "latencies",
    "start_times",
    "queue_times",
    "generated_texts",
    "errors",
    "max_output_tokens_per_s",
    "max_concurrent_requests",
    "rtfx",
    "mean_ttft_ms",
    "median_ttft_ms",
    "std_ttft_ms",
    "p99_ttft_ms",
    "mean_tpot_ms",
    "median_tpot_ms",
    "std_tpot_ms",
    "p99_tpot_ms",
    "mean_itl_ms",
    "median_itl_ms",
    "std_itl_ms",
    "p99_itl_ms",
    "plimsoll_version",
];

fn started() -> Zoned {
    jiff::civil::date(2026, 11, 24)
        .at(3, 57, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
}

fn made(line: &str) -> Object {
    let settings = settings(line).unwrap().0;
    let batch = batch(
        vec![record(0, 0, &[100, 200]), record(0, 0, &[150, 350])],
        400,
    );
    let reported = &settings.reported;
    let legacy = Legacy::new(&batch, reported.goodput.as_ref());
    let corrected = Corrected::new(&batch, settings.load.max_concurrency, &reported.percentiles);
    let dues = settings.load.dues(2).unwrap();
    result(&Finished {
        settings: &settings,
        model_id: "org/m",
        request_model: "m",
        started: &started(),
        dues: &dues,
        batch: &batch,
        legacy: &legacy,
        corrected: &corrected,
        style: "token ids",
    })
}

fn text(object: &Object, key: &str) -> String {
    object.get(key).unwrap().to_text()
}

#[test]
fn the_keys_are_vllms_in_order_and_ours_come_after() {
    let object = made("--save-detailed --save-result");
    let keys = object.keys();
    assert_eq!(keys[..GOLDEN_KEYS.len()], GOLDEN_KEYS);
    let own = &keys[GOLDEN_KEYS.len() - 1..];
    assert!(own.iter().all(|key| key.starts_with("plimsoll_")));
}

#[test]
fn without_details_the_long_arrays_are_left_out() {
    let object = made("--save-result");
    for key in [
        "input_lens",
        "ttfts",
        "itls",
        "start_times",
        "generated_texts",
        "errors",
    ] {
        assert_eq!(object.get(key), None, "{key}");
    }
    assert_eq!(text(&object, "latencies"), "[0.2, 0.35]");
    assert_eq!(text(&object, "queue_times"), "[0.0, 0.0]");
}

#[test]
fn values_have_vllms_types() {
    let object = made("--max-concurrency 10 --backend vllm");
    let table = [
        ("date", "\"20261124-035700\""),
        ("endpoint_type", "\"vllm\""),
        ("label", "null"),
        ("tokenizer_id", "\"org/m\""),
        ("num_prompts", "1000"),
        ("request_rate", "\"inf\""),
        ("burstiness", "1.0"),
        ("max_concurrency", "10"),
        ("request_goodput", "null"),
        ("max_output_tokens_per_s", "4.0"),
        ("max_concurrent_requests", "2"),
        ("rtfx", "0.0"),
        ("plimsoll_outcomes", "{\"completed\": 2}"),
        ("plimsoll_peak_in_flight", "2"),
    ];
    for (key, value) in table {
        assert_eq!(text(&object, key), value, "{key}");
    }
    let object = made("--request-rate 20 --burstiness inf --skip-tokenizer-init --label l");
    assert_eq!(text(&object, "request_rate"), "20.0");
    assert_eq!(text(&object, "burstiness"), "\"inf\"");
    assert_eq!(text(&object, "tokenizer_id"), "null");
    assert_eq!(text(&object, "label"), "\"l\"");
}

#[test]
fn metadata_overwrites_what_stands_before_it_only() {
    let object = made("--save-result --metadata note=a=b model_id=x duration=y");
    assert_eq!(text(&object, "note"), "\"a=b\"");
    assert_eq!(text(&object, "model_id"), "\"x\"");
    assert_eq!(text(&object, "duration"), "0.4");
    let keys = object.keys();
    assert_eq!(keys[7..10], ["note", "duration", "request_rate"]);
}

#[test]
fn a_ramp_tells_when_its_rates_were_reached() {
    let object = made(
        "--ramp-up-strategy linear --ramp-up-start-rps 1 --ramp-up-end-rps 2 --burstiness inf",
    );
    assert_eq!(
        text(&object, "rps_change_events"),
        "[{\"rps\": 1, \"timestamp\": \"2026-11-24T03:57:01.000000\"}, \
         {\"rps\": 2, \"timestamp\": \"2026-11-24T03:57:01.500000\"}]"
    );
    assert_eq!(text(&object, "ramp_up_end_rps"), "2");
}

#[test]
fn percentile_keys_keep_their_fraction() {
    let object = made("--percentile-metrics e2el --metric-percentiles 99.9,50");
    assert!(object.get("p99.9_e2el_ms").is_some() && object.get("p50_e2el_ms").is_some());
    assert!(object.get("mean_ttft_ms").is_none());
}

#[test]
fn files_are_named_as_vllm_names_them() {
    let table = [
        ("", "openai-infqps-m-20261124-035700.json"),
        (
            "--request-rate 20 --max-concurrency 4",
            "openai-20.0qps-concurrency4-m-20261124-035700.json",
        ),
        (
            "--label l --result-dir d/e",
            "d/e/l-infqps-m-20261124-035700.json",
        ),
        ("--result-filename x.txt --result-dir d", "d/x.txt"),
        (
            "--ramp-up-strategy linear --ramp-up-start-rps 1 --ramp-up-end-rps 9 --backend vllm",
            "vllm-ramp-up-linear-1qps-9qps-m-20261124-035700.json",
        ),
    ];
    for (line, name) in table {
        let settings = settings(line).unwrap().0;
        assert_eq!(
            path(&settings, "org/m", &started()),
            Path::new(name),
            "{line}"
        );
    }
}

#[test]
fn results_are_written_over_or_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/deep/r.json");
    check_path(&path).unwrap();
    assert!(!path.exists());
    let mut object = Object::default();
    object.set("a", 1_u32);
    save(&object, &path, true).unwrap();
    save(&object, &path, true).unwrap();
    check_path(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\": 1}\n{\"a\": 1}");
    save(&object, &path, false).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\": 1}");
}

#[test]
fn a_path_that_cannot_be_written_is_known_before_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let failure = check_path(dir.path()).unwrap_err();
    assert!(failure.code == 1 && failure.fault.to_string().contains("cannot be written"));
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(check_path(&file.join("below.json")).is_err());
}
