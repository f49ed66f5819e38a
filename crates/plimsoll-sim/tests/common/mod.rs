//! A raw HTTP/1.1 client: it shows the bytes as they came and how the stream ended.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses a part of it"
)]

use plimsoll_sim::{EngineParams, Faults, SimConfig, SimServer};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A response as read until the server closed the connection.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    /// The body with chunked framing taken off.
    pub body: Vec<u8>,
    /// Whether the framing was complete.
    pub complete: bool,
    /// Whether the connection was reset rather than closed.
    pub reset: bool,
    /// Reads that ended inside a chunk, as none does while the server's writes are whole.
    pub torn_reads: usize,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The payloads of the `data:` lines.
    pub fn data(&self) -> Vec<&str> {
        let lines = self.text().lines();
        lines
            .filter_map(|line| line.strip_prefix("data:"))
            .map(str::trim)
            .collect()
    }

    /// The output text of all events together.
    pub fn output(&self) -> String {
        let texts = self.events().into_iter().filter_map(|event| {
            let choice = event.pointer("/choices/0")?;
            let text = choice
                .get("text")
                .or_else(|| choice.pointer("/delta/content"))?;
            text.as_str().map(str::to_owned)
        });
        texts.collect()
    }

    pub fn events(&self) -> Vec<serde_json::Value> {
        let data = self.data().into_iter().filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).expect("JSON"))
            .collect()
    }
}

/// A fast engine: a step takes 1 ms and little else.
pub fn engine() -> EngineParams {
    EngineParams {
        step_base_us: 1000.0,
        prefill_us_per_token: 1.0,
        sequence_us: 1.0,
        kv_us_per_token: 0.0,
        max_num_seqs: 16,
        max_num_batched_tokens: 512,
        kv_blocks: 1024,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.0,
        prefix_cache: false,
        max_model_len: 4096,
    }
}

pub fn server() -> SimServer {
    faulty(Faults::default())
}

pub fn faulty(faults: Faults) -> SimServer {
    start(SimConfig {
        faults,
        ..SimConfig::local(engine())
    })
}

pub fn start(config: SimConfig) -> SimServer {
    SimServer::start(config).expect("a free port of the loopback")
}

/// Sends a request and returns the open connection.
pub fn send(server: &SimServer, method: &str, path: &str, body: &str) -> TcpStream {
    send_with(server, method, path, "", body)
}

pub fn send_with(
    server: &SimServer,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> TcpStream {
    let mut stream = TcpStream::connect(server.addr()).expect("the server listens");
    // Against a test that hangs, not to wait for anything.
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream
        .write_all(request.as_bytes())
        .expect("the request goes out");
    stream
}

/// Reads the rest of a connection.
pub fn finish(mut stream: TcpStream) -> Reply {
    let (mut raw, mut reset, mut torn_reads) = (Vec::new(), false, 0);
    let mut buffer = vec![0; 65_536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                torn_reads += usize::from(!buffer[..n].ends_with(b"\r\n"));
                raw.extend_from_slice(&buffer[..n]);
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                reset = true;
                break;
            }
            Err(error) => panic!("unexpected end: {error}"),
        }
    }
    let at = find(&raw, b"\r\n\r\n").expect("a complete head");
    let head = String::from_utf8(raw[..at].to_vec()).expect("UTF-8");
    let status = head
        .get(9..12)
        .and_then(|code| code.parse().ok())
        .expect("a status line");
    let payload = &raw[at + 4..];
    let lower = head.to_lowercase();
    let (body, complete) = if lower.contains("transfer-encoding: chunked") {
        unchunk(payload)
    } else {
        let length = lower.split("content-length: ").nth(1).expect("a length");
        let length: usize = length
            .lines()
            .next()
            .expect("a line")
            .parse()
            .expect("a number");
        (payload.to_vec(), payload.len() == length)
    };
    Reply {
        status,
        head,
        body,
        complete,
        reset,
        torn_reads,
    }
}

pub fn post(server: &SimServer, path: &str, body: &str) -> Reply {
    finish(send(server, "POST", path, body))
}

pub fn get(server: &SimServer, path: &str) -> Reply {
    finish(send(server, "GET", path, ""))
}

/// Streams a completion of `tokens` tokens and asks for usage.
pub fn stream(server: &SimServer, tokens: u32) -> Reply {
    post(server, "/v1/completions", &completion(tokens))
}

pub fn completion(tokens: u32) -> String {
    format!(
        r#"{{"model":"sim","prompt":"one two three","max_tokens":{tokens},"ignore_eos":true,
            "stream":true,"stream_options":{{"include_usage":true}}}}"#
    )
}

pub fn chat(tokens: u32) -> String {
    format!(
        r#"{{"model":"sim","messages":[{{"role":"user","content":"one two"}}],"stream":true,
            "max_completion_tokens":{tokens},"ignore_eos":true}}"#
    )
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(at) = find(rest, b"\r\n") {
        let size = std::str::from_utf8(&rest[..at]).expect("a chunk size");
        let size = usize::from_str_radix(size, 16).expect("a hex number");
        rest = &rest[at + 2..];
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        let Some(next) = rest.get(size + 2..) else {
            break;
        };
        rest = next;
    }
    (body, false)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
