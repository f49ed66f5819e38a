//! Servers that refuse a part of each request, as a user meets them: through the program.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use super::{plimsoll, run, run_json, stderr};

/// What the server refuses of a request, by its path and body.
type Refuses = fn(&str, &Value) -> bool;

/// A server with completions and chat that refuses with status 400, in words that name nothing.
fn serve(refuses: Refuses) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(std::thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            drop(std::thread::spawn(move || talk(socket, refuses)));
        }
    }));
    address
}

fn talk(mut socket: TcpStream, refuses: Refuses) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        while let Some((path, body, length)) = whole(&bytes) {
            let answer = answer(&path, &body, refuses);
            if socket.write_all(answer.as_bytes()).is_err() {
                return;
            }
            drop(bytes.drain(..length));
        }
        match socket.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
}

/// The first request's path and body, and how long it is.
fn whole(bytes: &[u8]) -> Option<(String, Value, usize)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let body = rest.get(..length)?;
    let path = head.split(' ').nth(1)?.to_owned();
    let body = serde_json::from_str(body).unwrap_or_default();
    Some((path, body, head.len() + 4 + length))
}

fn answer(path: &str, body: &Value, refuses: Refuses) -> String {
    let http = |status: u16, kind: &str, body: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let json = "application/json";
    let place = path.split('?').next().unwrap();
    if place == "/v1/models" {
        return http(200, json, r#"{"data":[{"id":"m"}]}"#);
    }
    if !place.ends_with("completions") {
        return http(404, json, "{}");
    }
    if refuses(path, body) {
        return http(400, json, r#"{"error":{"message":"Bad Request"}}"#);
    }
    let tokens = body["max_tokens"].as_u64();
    let tokens = tokens.or(body["max_completion_tokens"].as_u64()).unwrap();
    let token = r#"{"choices":[{"text":" a","delta":{"content":" a"}}]}"#;
    let mut events = format!("data: {token}\n\n").repeat(usize::try_from(tokens).unwrap());
    events.push_str("data: {\"choices\":[{\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n");
    http(200, "text/event-stream", &events)
}

/// Refusal by endpoint by command: which API is spoken, and what is said to be left out.
#[test]
fn every_command_finds_the_same_way_around_a_refusal() {
    let table: [(&str, Refuses, &str, &str); 5] = [
        (
            "auto",
            |_, body| body["prompt"].is_array(),
            "completions",
            "token_ids",
        ),
        (
            "completions",
            |_, body| body["prompt"].is_array(),
            "completions",
            "token_ids",
        ),
        (
            "auto",
            |_, body| body.get("ignore_eos").is_some(),
            "completions",
            "ignore_eos",
        ),
        (
            "chat",
            |_, body| body.get("max_tokens").is_some(),
            "chat",
            "max_tokens",
        ),
        ("auto", |path, _| !path.contains("chat"), "chat", ""),
    ];
    let find = "find --budget 1s --max-concurrency 1 --no-confirm";
    let check = "check --concurrency 1 --for 1s";
    for (endpoint, refuses, spoken, left_out) in table {
        for command in [find, check] {
            let url = serve(refuses);
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path().join("run");
            let (name, options) = command.split_once(' ').unwrap();
            let output = run(plimsoll()
                .args([name, &url, "--endpoint", endpoint, "--input-len", "16"])
                .args(["--output-len", "4", "--out"])
                .arg(&out)
                .args(options.split(' ')));
            let said = stderr(&output);
            assert!(
                out.join("run.json").exists(),
                "{command} at {endpoint}: {said}"
            );
            let server = run_json(&out)["server"].clone();
            assert_eq!(
                server["endpoint"], spoken,
                "{command} at {endpoint}: {said}"
            );
            let names: Vec<&str> = left_out.split_whitespace().collect();
            assert_eq!(
                server["left_out"],
                serde_json::json!(names),
                "{command}: {said}"
            );
            assert_eq!(said.contains("Left out"), !names.is_empty(), "{said}");
        }
    }
}

/// A header's value and a key in the address are sent, and stand in no file and on no terminal.
#[test]
fn what_is_secret_is_sent_and_kept_nowhere() {
    let url = serve(|path, _| !path.contains("token=sesame"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = run(plimsoll()
        .args(["check", &format!("{url}/v1/chat/completions?token=sesame")])
        .args([
            "--model",
            "m",
            "--header",
            "api-key: sesame",
            "--extra-body.a.b",
            "5",
        ])
        .args(["--concurrency", "1", "--for", "1s", "--input-len", "16"])
        .args(["--output-len", "4", "--out"])
        .arg(&out));
    let saved = run_json(&out);
    assert_eq!(saved["server"]["endpoint"], "chat", "{}", stderr(&output));
    assert_eq!(saved["plan"]["connection"]["headers"][0], "api-key");
    assert_eq!(saved["plan"]["body"]["extra"]["a"]["b"], 5);
    for entry in std::fs::read_dir(&out).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("sesame"));
    }
    let shown = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&shown).contains("sesame"));
}
