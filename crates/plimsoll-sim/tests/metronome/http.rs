//! What a well-meant client sees, and what a strange one.

use crate::client::{Client, completion, request};
use crate::server;
use serde_json::json;
use std::io::Read;
use std::net::TcpStream;

const COMPLETIONS: &str = "/v1/completions";
const CHAT: &str = "/v1/chat/completions";

#[test]
fn a_stream_has_its_tokens_a_finish_reason_usage_and_done() {
    for (ttft_ms, itl_ms) in [(0, 0), (3, 1)] {
        let server = server(ttft_ms, itl_ms);
        let reply = Client::connect(server.addr()).post(COMPLETIONS, &completion(5));
        assert_eq!(reply.status, 200);
        assert!(reply.head.contains("content-type: text/event-stream"));
        let events = reply.events();
        assert_eq!(events.len(), 6, "five tokens and the usage");
        assert_eq!(events[3]["choices"][0]["finish_reason"], json!(null));
        assert_eq!(events[4]["choices"][0]["finish_reason"], "length");
        let usage = json!({"prompt_tokens":3,"completion_tokens":5,"total_tokens":8});
        assert_eq!(events[5]["usage"], usage);
        assert_eq!(reply.data().last(), Some(&"[DONE]"));
    }
}

#[test]
fn a_chat_stream_begins_with_the_role_and_has_usage_only_if_asked() {
    let server = server(1, 1);
    let body = r#"{"messages":[{"role":"user","content":"a"}],"stream":true,
                   "max_completion_tokens":4}"#;
    let reply = Client::connect(server.addr()).post(CHAT, body);
    let events = reply.events();
    assert_eq!(events.len(), 5);
    let role = json!({"role":"assistant","content":""});
    assert_eq!(events[0]["choices"][0]["delta"], role);
    assert_eq!(events[1]["choices"][0]["delta"]["content"], " wave");
    assert!(!reply.body.contains("usage"));
}

#[test]
fn one_connection_serves_one_request_after_the_other() {
    let server = server(1, 0);
    let mut client = Client::connect(server.addr());
    for tokens in [1, 2, 64] {
        let reply = client.post(COMPLETIONS, &completion(tokens));
        assert_eq!(reply.events().len() as u32, tokens + 1);
    }
    let whole = client.post(COMPLETIONS, r#"{"prompt":"a b","max_tokens":3}"#);
    assert_eq!(whole.json()["choices"][0]["text"], " wave wave wave");
    assert_eq!(whole.json()["usage"]["completion_tokens"], 3);
    let default = client.post(CHAT, r#"{"messages":[]}"#).json();
    assert_eq!(default["usage"]["completion_tokens"], 32);
    assert_eq!(default["choices"][0]["message"]["role"], "assistant");
    assert_eq!(client.truth()["n_completed"], 5);
}

#[test]
fn requests_sent_without_waiting_are_answered_in_turn() {
    let server = server(1, 1);
    let mut client = Client::connect(server.addr());
    let two = [2, 3].map(|n| request("POST", COMPLETIONS, "", &completion(n)));
    client.send(&two.concat());
    assert_eq!(client.reply().events().len(), 3);
    assert_eq!(client.reply().events().len(), 4);
}

#[test]
fn a_request_that_comes_byte_by_byte_is_one() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    for _ in 0..2 {
        for byte in request("POST", COMPLETIONS, "", &completion(2)) {
            client.send(&[byte]);
        }
        assert_eq!(client.reply().events().len(), 3);
    }
}

#[test]
fn large_and_chunked_bodies_are_read() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    let ids = vec!["7"; 300_000].join(",");
    let body = format!(r#"{{"prompt":[{ids}],"max_tokens":1}}"#);
    let usage = client.post(COMPLETIONS, &body).json();
    assert_eq!(usage["usage"]["prompt_tokens"], 300_000);
    let (one, two) = body.split_at(200_000);
    let chunked = format!(
        "POST {COMPLETIONS} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    client.send(chunked.as_bytes());
    assert_eq!(client.reply().json(), usage);
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    // Some 20 MB: more than both sockets hold.
    client.send(&request("POST", COMPLETIONS, "", &completion(100_000)));
    let other = Client::connect(server.addr()).post(COMPLETIONS, &completion(1));
    assert_eq!(
        other.status, 200,
        "the one that does not read holds up nobody"
    );
    assert_eq!(client.reply().data().len(), 100_002);
    assert_eq!(client.get("/health").status, 200);
    assert_eq!(client.truth()["output_tokens"], 100_001);
}

#[test]
fn the_other_endpoints_answer() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    assert_eq!(client.get("/v1/models").json()["data"][0]["id"], "sim");
    assert_eq!(client.get("/health").status, 200);
    let page = client.get("/metrics").body;
    assert!(page.contains("vllm:num_requests_running{engine=\"0\",model_name=\"sim\"} 0\n"));
    let missing = client.get("/tokenize");
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["error"]["code"], 404);
}

#[test]
fn what_cannot_be_answered_is_refused_and_counted() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    for (body, status) in [
        ("{", 400),
        (r#"{"max_tokens":0}"#, 400),
        (r#"{"model":"x"}"#, 404),
    ] {
        assert_eq!(client.post(COMPLETIONS, body).status, status, "{body}");
    }
    client.send(b"nonsense\r\n\r\n");
    let reply = client.reply();
    assert_eq!(reply.status, 400);
    assert!(reply.head.contains("connection: close"));
    assert!(client.is_closed());
    assert_eq!(server.truth().n_failed, 4);
}

#[test]
fn a_connection_that_is_to_end_ends() {
    let server = server(1, 1);
    for path in [COMPLETIONS, "/health"] {
        let mut client = Client::connect(server.addr());
        client.send(&request(
            "POST",
            path,
            "Connection: close\r\n",
            &completion(2),
        ));
        client.reply();
        assert!(client.is_closed());
    }
}

#[test]
fn stopping_cuts_what_is_open() {
    let mut server = server(3_600_000, 0);
    let mut socket: TcpStream = crate::client::socket(server.addr());
    std::io::Write::write_all(&mut socket, &request("POST", CHAT, "", "{}")).unwrap();
    server.stop_handle().stop();
    server.wait();
    assert!(matches!(socket.read(&mut [0; 8]), Ok(0) | Err(_)));
}
