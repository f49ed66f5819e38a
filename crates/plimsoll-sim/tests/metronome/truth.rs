//! The schedule is kept, and the truth says how well.

use crate::client::{Client, Reply, completion, request};
use crate::server;
use plimsoll_sim::{Metronome, MetronomeConfig};
use serde_json::Value;
use std::time::Duration;

const COMPLETIONS: &str = "/v1/completions";

fn lines(reply: &Reply) -> Vec<Value> {
    reply
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Never early: that holds however slow the machine is.
#[test]
fn no_token_comes_before_it_is_due() {
    let server = server(4, 2);
    let mut client = Client::connect(server.addr());
    for _ in 0..3 {
        client.post(COMPLETIONS, &completion(6));
    }
    client.truth();
    let truth = server.truth();
    let (ttft, itl, e2e) = (
        truth.ttft_ms.unwrap(),
        truth.itl_ms.unwrap(),
        truth.e2e_ms.unwrap(),
    );
    assert_eq!((ttft.n, itl.n, e2e.n), (3, 15, 3));
    assert!(ttft.p50 >= 4.0 && e2e.p50 >= 14.0, "{truth:?}");
    for line in lines(&client.get("/sim/truth/requests")) {
        let at = |name: &str| line[name].as_u64().unwrap();
        assert!(at("first_ns") >= at("received_ns") + 4_000_000, "{line}");
        assert!(at("last_ns") >= at("received_ns") + 14_000_000, "{line}");
        assert!(at("done_ns") >= at("last_ns"), "{line}");
    }
}

#[test]
fn every_request_has_its_line_by_its_name() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    client.send(&request(
        "POST",
        COMPLETIONS,
        "x-request-id: r-1\r\n",
        &completion(64),
    ));
    client.reply();
    client.post(COMPLETIONS, r#"{"prompt":"a","max_tokens":5}"#);
    let lines = lines(&client.get("/sim/truth/requests"));
    assert_eq!(
        (&lines[0]["id"], &lines[0]["events"]),
        (&"r-1".into(), &64.into())
    );
    assert_eq!(
        (&lines[1]["id"], &lines[1]["events"]),
        (&Value::Null, &1.into())
    );
    assert_eq!(
        lines[1]["first_ns"],
        Value::Null,
        "no first token without a stream"
    );
    let truth = client.get("/sim/truth").json();
    assert_eq!(
        (&truth["n_completed"], &truth["output_tokens"]),
        (&2.into(), &69.into())
    );
    assert_eq!(
        (&truth["ttft_ms"]["n"], &truth["itl_ms"]["n"]),
        (&1.into(), &63.into())
    );
    assert_eq!(truth["itl_ms"]["max"], 0.0, "all in one write");
}

#[test]
fn a_reset_forgets() {
    let server = server(0, 0);
    let mut client = Client::connect(server.addr());
    client.post(COMPLETIONS, &completion(3));
    assert_eq!(client.post("/sim/reset", "").status, 200);
    let truth = server.truth();
    assert_eq!(
        (truth.n_completed, truth.output_tokens, truth.ttft_ms),
        (0, 0, None)
    );
    assert_eq!(client.get("/sim/truth/requests").body, "");
    client.post(COMPLETIONS, &completion(3));
    assert_eq!(client.truth()["n_completed"], 1);
}

#[test]
fn a_client_that_hangs_up_is_counted_as_such() {
    let server = server(3_600_000, 0);
    let mut client = Client::connect(server.addr());
    client.send(&request("POST", COMPLETIONS, "", &completion(3)));
    drop(client);
    // The end is seen on another connection's time; its requests are what passes the time.
    let mut other = Client::connect(server.addr());
    while server.truth().n_cancelled == 0 {
        other.get("/health");
    }
    assert_eq!(server.truth().in_flight, 0);
}

#[test]
fn several_workers_have_one_truth() {
    let config = MetronomeConfig::local(Duration::from_millis(1), Duration::from_millis(1));
    let server = Metronome::start(MetronomeConfig {
        workers: 3,
        ..config
    })
    .unwrap();
    let mut clients: Vec<_> = (0..7).map(|_| Client::connect(server.addr())).collect();
    for client in &mut clients {
        client.send(&request("POST", COMPLETIONS, "", &completion(4)));
    }
    for client in &mut clients {
        assert_eq!(client.reply().events().len(), 5);
    }
    // Behind its last request, each worker has entered all of them.
    for client in &mut clients {
        client.get("/health");
    }
    assert_eq!(server.truth().n_completed, 7);
    assert_eq!(lines(&clients[0].get("/sim/truth/requests")).len(), 7);
    clients[1].post("/sim/reset", "");
    assert_eq!(server.truth().n_completed, 0);
}
