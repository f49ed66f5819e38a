//! The pages beside the load: the list of models, and the metrics.

use super::mode::Made::{Answer, Refusal};
use super::mode::Mode;
use super::mode::Then::{Close, Flood, Hang, Next};
use super::mode::{At, Made};
use super::wire::page;

const JSON: &str = "Content-Type: application/json\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n";

pub(super) fn modes() -> Vec<Mode> {
    let models = models().into_iter().map(|mode| mode.on(At::Models));
    let metrics = metrics().into_iter().map(|mode| mode.on(At::Metrics));
    models.chain(metrics).collect()
}

fn list(id: &str, rest: &str) -> Vec<u8> {
    page(
        "200 OK",
        JSON,
        format!(r#"{{"data":[{{"id":"{id}"{rest}}}]}}"#),
    )
}

fn models() -> Vec<Mode> {
    let refusal = |name, does, status: &str| {
        let said = r#"{"error":{"message":"loading"}}"#;
        Mode::new(name, does, (page(status, JSON, said), Next), Refusal)
    };
    let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    let many: Vec<String> = (0..50_000)
        .map(|one| format!(r#"{{"id":"m{one}"}}"#))
        .collect();
    let many = format!(r#"{{"data":[{}]}}"#, many.join(","));
    vec![
        refusal("models_400", "models: status 400", "400 X"),
        refusal("models_401", "models: status 401", "401 X"),
        refusal("models_404", "models: status 404", "404 X"),
        refusal("models_429", "models: status 429", "429 X"),
        refusal("models_500", "models: status 500", "500 X"),
        refusal("models_502", "models: status 502", "502 X"),
        Mode::new(
            "models_html",
            "models: a web page",
            (
                page("200 OK", "Content-Type: text/html\r\n", "<h1>hi</h1>"),
                Next,
            ),
            Refusal,
        ),
        Mode::new(
            "models_deep",
            "models: 50,000 brackets",
            (page("200 OK", JSON, deep), Next),
            Refusal,
        ),
        Mode::new(
            "models_endless",
            "models: blanks without end",
            ("HTTP/1.1 200 OK\r\n\r\n", Flood(b"        ")),
            Refusal,
        ),
        Mode::new(
            "models_many",
            "models: 50,000 of them",
            (page("200 OK", JSON, many), Next),
            Answer,
        ),
        Mode::new(
            "models_none",
            "models: none",
            (page("200 OK", JSON, r#"{"data":[]}"#), Next),
            Refusal,
        ),
        Mode::new(
            "models_no_name",
            "models: a name of an escape sequence",
            (list("m\\u001b[31m", ""), Next),
            Refusal,
        ),
        Mode::new(
            "models_two_lines",
            "models: a name of two lines",
            (list("a\\nb", ""), Next),
            Refusal,
        ),
        Mode::new(
            "models_long_name",
            "models: a name of 1 MB",
            (list(&"m".repeat(1 << 20), ""), Next),
            Refusal,
        ),
        Mode::new(
            "models_negative",
            "models: a context of -1",
            (list("m", r#","max_model_len":-1"#), Next),
            Answer,
        ),
        Mode::new(
            "models_huge",
            "models: a context of 10^30",
            (list("m", r#","max_model_len":1e30"#), Next),
            Answer,
        ),
        Mode::new(
            "models_nan",
            "models: a context of NaN",
            (list("m", r#","max_model_len":NaN"#), Next),
            Refusal,
        ),
        Mode::new("models_close", "models: a close", ("", Close), Refusal),
    ]
}

fn metrics() -> Vec<Mode> {
    let values = |name, does, [running, kv]: [&str; 2]| {
        let text = format!("vllm:num_requests_running {running}\nvllm:kv_cache_usage_perc {kv}\n");
        Mode::new(name, does, (page("200 OK", TEXT, text), Next), Answer)
    };
    let plain = "vllm:num_requests_running 1\n";
    let odd = |name, does, body: Vec<u8>| -> Mode {
        let made: Made = Answer;
        Mode::new(name, does, (page("200 OK", TEXT, body), Next), made)
    };
    vec![
        values("metrics_nan", "metrics: NaN", ["NaN", "NaN"]),
        values("metrics_inf", "metrics: infinite", ["+Inf", "+Inf"]),
        values("metrics_negative", "metrics: negative", ["-5", "-0.5"]),
        values("metrics_kv_3000", "metrics: KV of 3,000 %", ["1", "30"]),
        values("metrics_huge", "metrics: 1e308", ["1e308", "1e308"]),
        odd(
            "metrics_binary",
            "metrics: binary",
            [plain.as_bytes(), &[0, 255, 128].repeat(9_999)].concat(),
        ),
        odd(
            "metrics_line",
            "metrics: a line of 8 MB",
            [plain.as_bytes(), &vec![b'a'; 8 << 20]].concat(),
        ),
        Mode::new(
            "metrics_endless",
            "metrics: without end",
            (
                "HTTP/1.1 200 OK\r\n\r\nvllm:num_requests_running 1\n",
                Flood(b"# x\n"),
            ),
            Answer,
        ),
        Mode::new("metrics_hang", "metrics: silence", ("", Hang), Answer),
        Mode::new("metrics_close", "metrics: a close", ("", Close), Answer),
    ]
}
