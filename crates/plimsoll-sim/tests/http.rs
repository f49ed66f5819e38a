//! The server over a real socket: what a well-meant client sees.
#![cfg(feature = "server")]

mod common;

use common::{completion, engine, finish, get, post, send, send_with, server, start, stream};
use plimsoll_sim::{EngineParams, Faults, SimConfig, SimServer};
use std::io::Read;

#[test]
fn a_stream_has_its_tokens_a_finish_reason_usage_and_done() {
    let server = server();
    let reply = stream(&server, 5);
    assert_eq!(reply.status, 200);
    assert!(reply.complete);
    assert!(reply.head.contains("content-type: text/event-stream"));
    assert_eq!(reply.output().split_whitespace().count(), 5);
    let events = reply.events();
    assert_eq!(events.len(), 6, "five tokens and the usage");
    assert_eq!(
        events[3]["choices"][0]["finish_reason"],
        serde_json::Value::Null
    );
    assert_eq!(events[4]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[5]["choices"], serde_json::json!([]));
    let usage = serde_json::json!({"prompt_tokens":3,"completion_tokens":5,"total_tokens":8});
    assert_eq!(events[5]["usage"], usage);
    assert_eq!(reply.data().last(), Some(&"[DONE]"));
}

#[test]
fn usage_is_sent_only_if_asked_for() {
    let server = server();
    let body = r#"{"prompt":"a","max_tokens":3,"ignore_eos":true,"stream":true}"#;
    let reply = post(&server, "/v1/completions", body);
    assert_eq!(reply.data().len(), 4, "three tokens and [DONE]");
    assert!(!reply.text().contains("usage"));
}

#[test]
fn a_chat_stream_begins_with_the_role() {
    let server = server();
    let reply = post(&server, "/v1/chat/completions", &common::chat(4));
    let events = reply.events();
    assert_eq!(events.len(), 5);
    let role = serde_json::json!({"role":"assistant","content":""});
    assert_eq!(events[0]["choices"][0]["delta"], role);
    assert_eq!(events[0]["object"], "chat.completion.chunk");
    assert_eq!(reply.output().split_whitespace().count(), 4);
}

#[test]
fn without_a_stream_the_answer_comes_whole() {
    let server = server();
    let body = r#"{"prompt":[7,8,9],"max_tokens":6,"ignore_eos":true}"#;
    let json = post(&server, "/v1/completions", body).json();
    assert_eq!(json["object"], "text_completion");
    assert_eq!(json["usage"]["prompt_tokens"], 3);
    let text = json["choices"][0]["text"].as_str().expect("a text");
    assert_eq!(text.split_whitespace().count(), 6);
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"max_tokens":2,"ignore_eos":true}"#;
    let json = post(&server, "/v1/chat/completions", body).json();
    assert_eq!(json["choices"][0]["message"]["role"], "assistant");
    assert_eq!(json["usage"]["prompt_tokens"], 5);
}

#[test]
fn answers_end_by_themselves_unless_eos_is_ignored() {
    let server = server();
    let body = r#"{"prompt":"a","max_tokens":40}"#;
    let mut stopped = 0;
    for _ in 0..20 {
        let json = post(&server, "/v1/completions", body).json();
        let tokens = json["usage"]["completion_tokens"]
            .as_u64()
            .expect("a count");
        assert!((1..=40).contains(&tokens));
        let reason = json["choices"][0]["finish_reason"]
            .as_str()
            .expect("a reason")
            .to_owned();
        assert!(reason == "stop" || tokens == 40, "{reason} after {tokens}");
        stopped += u32::from(reason == "stop");
    }
    assert!(stopped > 0, "a cap is met by one answer in five");
}

#[test]
fn models_tokenize_health_and_config_answer() {
    let server = server();
    let models = get(&server, "/v1/models").json();
    assert_eq!(models["data"][0]["id"], "sim");
    assert_eq!(models["data"][0]["root"], "sim");
    assert_eq!(models["data"][0]["max_model_len"], 4096);
    let tokens = post(&server, "/tokenize", r#"{"model":"sim","prompt":"a b a"}"#).json();
    assert_eq!(
        (&tokens["count"], &tokens["max_model_len"]),
        (&3.into(), &4096.into())
    );
    assert_eq!(tokens["tokens"][0], tokens["tokens"][2]);
    assert_eq!(get(&server, "/health").status, 200);
    assert_eq!(
        get(&server, "/sim/config").json()["engine"]["max_num_seqs"],
        16
    );
    assert_eq!(get(&server, "/nowhere").status, 404);
    assert_eq!(get(&server, "/tokenize").status, 405);
}

#[test]
fn metrics_have_vllms_names_and_count() {
    let server = server();
    stream(&server, 5);
    let page = get(&server, "/metrics");
    for line in [
        "# TYPE vllm:num_requests_running gauge",
        "# TYPE vllm:num_preemptions_total counter",
        r#"vllm:num_requests_waiting{engine="0",model_name="sim"} 0.0"#,
        r#"vllm:kv_cache_usage_perc{engine="0",model_name="sim"} "#,
        r#"vllm:prompt_tokens_total{engine="0",model_name="sim"} 3.0"#,
        r#"vllm:generation_tokens_total{engine="0",model_name="sim"} 5.0"#,
        r#"vllm:prefix_cache_queries_total{engine="0",model_name="sim"} 0.0"#,
        r#"vllm:prefix_cache_hits_total{engine="0",model_name="sim"} 0.0"#,
    ] {
        assert!(
            page.text().contains(line),
            "`{line}` is missing in\n{}",
            page.text()
        );
    }
}

#[test]
fn the_truth_is_the_engines_schedule() {
    let server = server();
    for _ in 0..3 {
        stream(&server, 201);
    }
    let truth = server.truth();
    assert_eq!(
        (truth.n_completed, truth.n_failed, truth.peak_in_flight),
        (3, 0, 1)
    );
    assert_eq!((truth.output_tokens, truth.prompt_tokens), (603, 9));
    let itl = truth.itl_ms.expect("gaps");
    assert_eq!(itl.n, 600);
    // Steps of 1.001 ms on an absolute schedule: the mean gap cannot be much shorter:
    // even a first token that is 40 ms late takes only a fifth off.
    assert!(itl.mean > 0.8, "{itl:?}");
    assert!(truth.ttft_ms.expect("first tokens").p50 >= 1.0);
    assert!(truth.e2e_ms.expect("requests").p50 >= 200.0);
    let json = get(&server, "/sim/truth").json();
    assert_eq!(json["itl_ms"]["n"], 600);
    assert_eq!(post(&server, "/sim/reset", "").status, 200);
    assert_eq!(server.truth().n_completed, 0);
    assert_eq!(
        get(&server, "/sim/truth").json()["itl_ms"],
        serde_json::Value::Null
    );
}

#[test]
fn refusals_are_openai_json_and_count_as_failed() {
    let server = server();
    let unknown = post(
        &server,
        "/v1/completions",
        r#"{"model":"other","prompt":"a"}"#,
    );
    assert_eq!(unknown.status, 404);
    assert_eq!(
        unknown.json()["error"]["message"],
        "The model `other` does not exist."
    );
    assert_eq!(unknown.json()["error"]["code"], 404);
    let long = post(
        &server,
        "/v1/completions",
        r#"{"prompt":"a","max_tokens":5000}"#,
    );
    assert_eq!(long.status, 400);
    assert_eq!(post(&server, "/v1/completions", "{").status, 400);
    assert_eq!(server.truth().n_failed, 3);
}

#[test]
fn a_key_is_asked_for_below_v1_only() {
    let config = SimConfig {
        api_key: Some("secret".to_owned()),
        ..SimConfig::local(engine())
    };
    assert!(!format!("{config:?}").contains("secret"));
    let server = start(config);
    assert_eq!(get(&server, "/v1/models").status, 401);
    assert_eq!(get(&server, "/health").status, 200);
    let with = |key: &str| {
        let header = format!("Authorization: Bearer {key}\r\n");
        finish(send_with(&server, "GET", "/v1/models", &header, ""))
    };
    assert_eq!(with("wrong").status, 401);
    assert_eq!(with("secret").status, 200);
    assert!(!get(&server, "/sim/config").text().contains("secret"));
}

/// A server that runs one request at a time and queues none.
fn narrow() -> SimServer {
    let params = EngineParams {
        max_num_seqs: 1,
        queue_limit: Some(0),
        ..engine()
    };
    start(SimConfig::local(params))
}

#[test]
fn a_full_queue_answers_429_with_retry_after() {
    let server = narrow();
    let mut long = send(&server, "POST", "/v1/completions", &completion(4000));
    let mut first = [0; 1];
    long.read_exact(&mut first).expect("the head");
    let refused = stream(&server, 1);
    assert_eq!(refused.status, 429);
    assert!(refused.head.contains("retry-after: 1"));
    assert_eq!(server.truth().in_flight, 1);
}

#[test]
fn a_client_that_hangs_up_frees_its_place() {
    let params = EngineParams {
        max_num_seqs: 1,
        max_model_len: 16_000,
        ..engine()
    };
    let server = start(SimConfig::local(EngineParams {
        step_base_us: 5000.0,
        ..params
    }));
    let mut long = send(&server, "POST", "/v1/completions", &completion(15_000));
    long.read_exact(&mut [0; 400])
        .expect("the head and a token");
    drop(long);
    // Behind 15 000 tokens of 5 ms this would wait for more than a minute.
    assert!(stream(&server, 2).complete);
    assert_eq!(server.truth().n_cancelled, 1);
    assert_eq!(server.gauges().waiting, 0);
}

#[test]
fn several_workers_share_one_engine() {
    let server = start(SimConfig {
        workers: 3,
        ..SimConfig::local(engine())
    });
    let open: Vec<_> = (0..24)
        .map(|_| send(&server, "POST", "/v1/completions", &completion(30)))
        .collect();
    for stream in open {
        assert_eq!(finish(stream).output().split_whitespace().count(), 30);
    }
    assert_eq!(server.truth().n_completed, 24);
}

#[test]
fn a_shared_prefix_is_found_again() {
    let server = start(SimConfig::local(EngineParams {
        prefix_cache: true,
        ..engine()
    }));
    let ids: Vec<u32> = (0..64).collect();
    let body = format!(r#"{{"prompt":{ids:?},"max_tokens":2,"ignore_eos":true}}"#);
    post(&server, "/v1/completions", &body);
    post(&server, "/v1/completions", &body);
    assert_eq!(
        server.gauges().prefix_hits_total,
        48,
        "all blocks but the last"
    );
}

#[test]
fn the_server_stops_on_demand_and_impossible_ones_do_not_start() {
    let mut server = server();
    let handle = server.stop_handle();
    let stopper = std::thread::spawn(move || handle.stop());
    server.wait();
    stopper.join().expect("no panic");
    let zero = EngineParams {
        max_num_seqs: 0,
        ..engine()
    };
    let error = SimServer::start(SimConfig::local(zero)).expect_err("no sequences");
    assert_eq!(
        error.to_string(),
        "engine parameter `max_num_seqs` must be at least 1, got `0`"
    );
    let faults = Faults {
        cut_share: 2.0,
        ..Faults::default()
    };
    let config = SimConfig {
        faults,
        ..SimConfig::local(engine())
    };
    SimServer::start(config).expect_err("a share over 1");
}
