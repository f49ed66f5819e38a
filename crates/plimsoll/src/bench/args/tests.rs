use super::*;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn parsed(line: &str) -> Parsed {
    match parse(&words(line)).unwrap() {
        Command::Run(parsed) => parsed,
        Command::Help => panic!("help"),
    }
}

fn failure(line: &str) -> Failure {
    parse(&words(line)).unwrap_err()
}

#[test]
fn names_are_unique_and_documented() {
    let names: std::collections::BTreeSet<&str> = FLAGS.iter().map(|flag| flag.name).collect();
    assert_eq!(names.len(), FLAGS.len());
    assert!(
        FLAGS
            .iter()
            .all(|flag| !flag.help.is_empty() && !flag.name.contains('_'))
    );
    assert!(FLAGS.iter().all(|flag| help().contains(flag.name)));
}

#[test]
fn defaults_are_those_of_vllm() {
    let parsed = parsed("");
    assert_eq!(parsed.text("backend"), Some("openai"));
    assert_eq!(parsed.text("host"), Some("127.0.0.1"));
    assert_eq!(parsed.int("port"), Some(8000));
    assert_eq!(parsed.text("endpoint"), Some("/v1/completions"));
    assert_eq!(parsed.int("num-prompts"), Some(1000));
    assert_eq!(parsed.float("request-rate"), Some(f64::INFINITY));
    assert_eq!(parsed.float("temperature"), None);
    assert_eq!(parsed.int("random-input-len"), Some(1024));
    assert_eq!(parsed.int("random-output-len"), Some(128));
    assert_eq!(parsed.int("seed"), Some(0));
    assert!(!parsed.given("seed"));
    assert_eq!(parsed.text("metric-percentiles"), Some("99"));
}

#[test]
fn names_are_read_in_every_form() {
    let table = [
        "--num-prompts 7",
        "--num_prompts 7",
        "--num-prompts=7",
        "--num_prompts=7",
        "--num-prompt 7",
        "--num-p=7",
        "--num-prompts 3 --num-prompts 7",
    ];
    for line in table {
        assert_eq!(parsed(line).int("num-prompts"), Some(7), "{line}");
    }
    assert_eq!(parsed("--random-input 5").int("random-input-len"), Some(5));
    assert_eq!(parsed("--temperature -1").float("temperature"), Some(-1.0));
    assert_eq!(
        parsed("--custom-output-len -1").int("custom-output-len"),
        Some(-1)
    );
    assert!(parsed("--save_result --no-self-timed").on("save-result"));
}

#[test]
fn underscores_in_values_stay() {
    let parsed = parsed("--result_filename=a_b.json --served-model-name x_y");
    assert_eq!(parsed.text("result-filename"), Some("a_b.json"));
    assert_eq!(parsed.text("served-model-name"), Some("x_y"));
}

#[test]
fn lists_take_words_up_to_the_next_flag() {
    let parsed = parsed("--goodput ttft:100 tpot:20 --metadata --header A=1 B=2 --seed 1");
    assert_eq!(parsed.list("goodput"), ["ttft:100", "tpot:20"]);
    assert_eq!(parsed.list("metadata"), [""; 0]);
    assert_eq!(parsed.list("header"), ["A=1", "B=2"]);
    assert!(
        failure("--goodput --seed 1")
            .fault
            .to_string()
            .contains("at least one")
    );
}

#[test]
fn dotted_keys_build_json() {
    let parsed = parsed(
        "--extra_body.top_k 5 --extra-body.a.b_c=true --extra-body.stop+ x --extra-body.stop+ y \
         --extra-body.n 1k --extra-body.x -1",
    );
    assert_eq!(
        parsed.json("extra-body").unwrap().to_text(),
        r#"{"top_k": 5, "a": {"b_c": true}, "stop": ["x", "y"], "n": 1000, "x": -1}"#
    );
    let ratio = self::parsed("--random-range-ratio.input 0.5 --random-range-ratio.output=0");
    assert_eq!(
        ratio.json("random-range-ratio").unwrap().to_text(),
        r#"{"input": 0.5, "output": 0}"#
    );
    assert!(
        failure("--seed.x 1")
            .fault
            .to_string()
            .contains("no dotted")
    );
}

#[test]
fn wrong_words_say_what_is_wrong_and_exit_with_2() {
    let table = [
        ("--num-prompts", "expected one argument"),
        ("--num-prompts --seed 1", "expected one argument"),
        ("--num-prompts x", "invalid int value: 'x'"),
        ("--num-prompts 1.5", "invalid int value"),
        ("--request-rate fast", "invalid float value"),
        ("--extra-body {", "invalid JSON value"),
        ("--save-result=yes", "ignored explicit argument"),
        ("--random 5", "--random-input-len, --random-output-len"),
        ("--dataset x", "ambiguous option"),
        ("--exit-zer", "unrecognized"),
        ("-x", "unrecognized"),
        ("--", "unrecognized"),
        ("word", "unrecognized arguments: word"),
    ];
    for (line, expected) in table {
        let failure = failure(line);
        assert!(
            failure.fault.to_string().contains(expected),
            "{line}: {failure}"
        );
        assert_eq!(failure.code, 2, "{line}");
    }
}

#[test]
fn an_unknown_flag_is_answered_with_the_nearest() {
    let table = [
        ("--max-concurency 5", "--max-concurrency"),
        ("--num-promts 5", "--num-prompts"),
        ("--output-length 5", "--output-len"),
    ];
    for (line, near) in table {
        assert!(
            failure(line).hint.unwrap().to_string().contains(near),
            "{line}"
        );
    }
}

#[test]
fn what_is_not_offered_is_refused_loudly_unless_it_changes_nothing() {
    for line in [
        "--profile",
        "--lora-modules a b",
        "--plot-timeline",
        "--hf-split train",
        "--self-timed",
        "--probe-request-rate 1",
        "--chat-template-kwargs.x 1",
    ] {
        let failure = failure(line);
        assert!(failure.fault.to_string().contains("not offered"), "{line}");
        assert!(failure.hint.is_some() && failure.code == 2, "{line}");
    }
    parsed("--probe-request-rate 0 --lora-assignment random --random-batch-size 1");
    parsed("--tokenizer t --tokenizer_mode slow --trust-remote-code --use-beam-search");
}

#[test]
fn the_namespace_line_shows_everything_but_headers() {
    let line = parsed("--header Authorization=secret --label it's --ignore-eos").namespace();
    assert!(line.starts_with("Namespace(subparser='bench', bench_type='serve', backend='openai'"));
    assert!(line.contains("header='***'") && !line.contains("secret"));
    assert!(line.contains(r#"label="it's""#) && line.contains("ignore_eos=True"));
    assert!(line.contains("request_rate=inf") && line.contains("max_concurrency=None"));
}

#[test]
fn help_is_asked_for_anywhere() {
    assert!(matches!(
        parse(&words("--seed 1 --help")).unwrap(),
        Command::Help
    ));
}

#[test]
fn the_commands_of_the_guide_are_read() {
    let parsed = parsed(
        "--backend vllm --model /path/to/your/model --dataset-name random --num-prompts 1000 \
         --request-rate 20 --max-concurrency 10 --random-input-len 512 --random-output-len 128 \
         --save-result --result-filename qps_20_concurrency_10.json",
    );
    assert_eq!(parsed.text("model"), Some("/path/to/your/model"));
    assert_eq!(parsed.float("request-rate"), Some(20.0));
}
