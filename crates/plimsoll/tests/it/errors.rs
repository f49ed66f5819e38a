//! Bad input: a clear error, the way out, and the exit code that says it to machines.

use std::io::{Read, Write};
use std::net::TcpListener;

use plimsoll_sim::{Faults, SimConfig, SimServer};

use super::{engine, plimsoll, run, serve, stderr};

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    let table: [(&[&str], &str); 12] = [
        (&["find"], "required"),
        (&["find", "h:1", "--sim"], "cannot be used with"),
        (
            &["find", "h:1", "--max-concurrency", "0"],
            "--max-concurrency",
        ),
        (
            &["find", "h:1", "--start", "8", "--max-concurrency", "4"],
            "--start 8 is above --max-concurrency 4",
        ),
        (
            &["find", "h:1", "--level-time", "20m"],
            "is longer than --budget",
        ),
        (
            &["find", "h:1", "--slo", "tftt p95 <= 1s"],
            "did you mean `ttft`",
        ),
        (&["find", "ftp://h"], "only http:// and https://"),
        (&["find", "--sim", "--profile", "tpu"], "profiles: "),
        (&["find", "h:1", "--ladder", "gide"], "write `doubling`"),
        (&["sim", "--output-len", "9"], "--metronome <TTFT,ITL>"),
        (
            &["sim", "--tls-cert", "c", "--tls-key", "k"],
            "--metronome <TTFT,ITL>",
        ),
        (
            &["sim", "--metronome", "0,0", "--profile", "toy"],
            "cannot be used with",
        ),
    ];
    for (arguments, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let output = run(plimsoll().args(arguments).current_dir(&folder));
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(expected),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_server_without_http2_is_exit_4_with_the_way_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        drop(socket.read_to_end(&mut Vec::new()));
    });
    let folder = tempfile::tempdir().unwrap();
    let output = run(plimsoll()
        .args(["find", &url, "--http", "2"])
        .current_dir(&folder));
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    for expected in ["the server answers in HTTP/1.1", "leave --http 2 away"] {
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    server.join().unwrap();
}

#[test]
fn a_server_that_is_not_there_is_exit_4_with_a_hint() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_address = silent.local_addr().unwrap().to_string();
    let keyed = SimServer::start(SimConfig {
        api_key: Some("k".to_owned()),
        ..SimConfig::local(engine())
    })
    .unwrap();
    let mute = SimServer::start(SimConfig {
        faults: Faults {
            never_answer_share: 1.0,
            ..Faults::default()
        },
        ..SimConfig::local(engine())
    })
    .unwrap();
    let table: [(&str, &str); 5] = [
        (&closed, "is the server running"),
        (&silent_address, "--timeout"),
        (&keyed.url(), "OPENAI_API_KEY"),
        (&mute.url(), "no answer to the first request within 0.3 s"),
        ("no-such-host.invalid:80", "has no address"),
    ];
    for (url, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let output = run(plimsoll()
            .args(["find", url, "--timeout", "300ms", "--input-len", "32"])
            .current_dir(&folder));
        assert_eq!(output.status.code(), Some(4), "{url}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(expected),
            "{url}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_way_that_does_not_lead_there_says_so_and_no_password() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let proxy = format!("http://user:sesame@{closed}");
    let unreachable = format!("the proxy {closed} cannot be reached");
    let table: [(&[&str], i32, &str); 6] = [
        (&["--proxy", &proxy], 4, &unreachable),
        (&["--proxy", &proxy], 4, "hint: --no-proxy HOST"),
        (&["--proxy", "http://user:sesame@h:x"], 2, "`--proxy`"),
        (&["--proxy", &proxy, "--connect-to", "h"], 2, "--connect-to"),
        (
            &["--source-ip", "192.0.2.1"],
            2,
            "no address of this machine",
        ),
        (&["--key", "k.pem"], 2, "--cert"),
    ];
    for (arguments, code, expected) in table {
        let folder = tempfile::tempdir().unwrap();
        let output = run(plimsoll()
            .args(["find", "127.0.0.1:1"])
            .args(arguments)
            .current_dir(&folder));
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("sesame"), "{arguments:?}: {text}");
    }
}

#[test]
fn an_unknown_model_names_the_known_one() {
    let server = serve(engine());
    let folder = tempfile::tempdir().unwrap();
    let output = run(plimsoll()
        .args(["find", &server.url(), "--model", "gpt"])
        .current_dir(&folder));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("it serves: sim"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_folder_with_a_run_or_without_a_place_is_refused_before_any_request() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("run.json"), "{}").unwrap();
    let output = run(plimsoll()
        .args(["find", "127.0.0.1:1", "--out"])
        .arg(folder.path()));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("has a run in it"),
        "{}",
        stderr(&output)
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = run(plimsoll()
        .args(["find", "127.0.0.1:1", "--out"])
        .arg(file.join("below")));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("cannot be written"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_key_never_reaches_a_file_or_the_terminal() {
    let secret = "sk-do-not-show-this";
    let config = SimConfig {
        api_key: Some(secret.to_owned()),
        ..SimConfig::local(engine())
    };
    let server = SimServer::start(config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = run(plimsoll()
        .env("MY_KEY", secret)
        .args([
            "find",
            &server.url(),
            "--api-key-env",
            "MY_KEY",
            "--input-len",
            "32",
            "--output-len",
            "8",
        ])
        .args(["--max-concurrency", "2", "--out"])
        .arg(&out));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for entry in std::fs::read_dir(&out).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(secret));
    }
    assert!(
        !String::from_utf8_lossy(&output.stdout).contains(secret)
            && !stderr(&output).contains(secret)
    );
}

#[test]
fn a_server_that_is_not_near_is_loaded_heavily_only_if_that_is_meant() {
    // An address of RFC 5737, which is nobody's; it is refused before anything is sent.
    for load in [["--concurrency", "65"], ["--rate", "65"]] {
        let output = run(plimsoll()
            .args(["check", "http://203.0.113.7:9", "--for", "1s"])
            .args(load));
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{load:?}: {said}");
        assert!(
            said.contains("--yes") && said.contains("203.0.113.7:9"),
            "{said}"
        );
    }
}

#[test]
fn a_run_ends_when_more_requests_have_failed_than_may() {
    let server = serve(plimsoll_sim::EngineParams {
        max_num_seqs: 1,
        queue_limit: Some(1),
        ..engine()
    });
    let folder = tempfile::tempdir().unwrap();
    let output = run(plimsoll()
        .args(["check", &server.url(), "--concurrency", "16", "--for", "1h"])
        .args([
            "--input-len",
            "16",
            "--output-len",
            "16",
            "--max-failures",
            "5",
        ])
        .current_dir(&folder));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(
        said.contains("--max-failures") && said.contains("the run was ended"),
        "{said}"
    );
    assert!(
        super::stdout(&output).contains("ANSWER"),
        "{}",
        super::stdout(&output)
    );
}
