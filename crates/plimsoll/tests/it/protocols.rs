//! Ollama and Anthropic, as a user measures them: find, check and bench serve over sockets.

use std::sync::PoisonError;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::Run;
use plimsoll_sim::SimServer;

use super::find::TURN;
use super::{engine, plimsoll, run, run_json, serve, stderr, stdout};

const OTHERS: [Protocol; 2] = [Protocol::Ollama, Protocol::Anthropic];

/// An answer, or that the client was late on a busy machine.
const MEASURED: [Option<i32>; 2] = [Some(0), Some(5)];

fn on(server: &SimServer, command: &str, protocol: Protocol) -> std::process::Command {
    let mut asked = plimsoll();
    let _ = asked
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .args([command, &server.url(), "--endpoint", protocol.name()])
        .args(["--input-len", "32", "--output-len", "16", "--seed", "7"]);
    asked
}

#[test]
fn find_searches_in_either() {
    for protocol in OTHERS {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let server = serve(engine());
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let output = run(on(&server, "find", protocol)
            .args(["--max-concurrency", "4", "--budget", "6s", "--no-confirm"])
            .arg("--out")
            .arg(&out));
        assert!(
            MEASURED.contains(&output.status.code()),
            "{}",
            stderr(&output)
        );
        let found: Run = serde_json::from_value(run_json(&out)).unwrap();
        assert_eq!(found.server.endpoint, protocol);
        let first = &found.levels[0];
        assert_eq!(first.success_ratio, Some(1.0), "{protocol:?}");
        // The model stops where it likes: half of the length asked for, in the mean.
        let mean = first.output_tokens_mean.unwrap();
        assert!((1.0..16.0).contains(&mean), "{protocol:?}: {mean}");
        let text = stdout(&output);
        assert!(text.contains(protocol.path()), "{text}");
        assert!(text.contains("cannot fix the length"), "{text}");
    }
}

#[test]
fn check_holds_a_load_in_either() {
    for protocol in OTHERS {
        let server = serve(engine());
        let output = run(on(&server, "check", protocol).args([
            "--concurrency",
            "2",
            "--for",
            "2s",
            "--json",
        ]));
        let checked: Run = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
        assert_eq!(checked.server.endpoint, protocol);
        assert_eq!(checked.levels[0].success_ratio, Some(1.0), "{protocol:?}");
        assert!(server.truth().n_completed > 10);
    }
}

#[test]
fn bench_serve_measures_either() {
    for protocol in OTHERS {
        let server = serve(engine());
        let output = run(plimsoll()
            .args(["bench", "serve", "--backend", protocol.name()])
            .args(["--base-url", &server.url(), "--num-prompts", "5"])
            .args(["--random-input-len", "64", "--random-output-len", "8"]));
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let line = |label: &str| -> Vec<String> {
            let mut lines = text.lines();
            let line = lines.find(|line| line.contains(label)).unwrap();
            line.split_whitespace().map(str::to_owned).collect()
        };
        assert_eq!(line("Successful requests:")[2], "5");
        assert_eq!(line("Total input tokens:")[3], (5 * 64).to_string());
        assert!(
            stderr(&output).contains("answers may be shorter"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn the_key_of_the_protocol_is_the_one_that_is_shown() {
    for (protocol, variable) in [
        (Protocol::Ollama, "OLLAMA_API_KEY"),
        (Protocol::Anthropic, "ANTHROPIC_API_KEY"),
    ] {
        let config = plimsoll_sim::SimConfig {
            api_key: Some("sesame".to_owned()),
            ..plimsoll_sim::SimConfig::local(engine())
        };
        let server = SimServer::start(config).unwrap();
        let held = |name: &str| {
            let mut command = on(&server, "check", protocol);
            run(command
                .env(name, "sesame")
                .args(["--concurrency", "1", "--for", "1s", "--json"]))
        };
        let refused = held("OPENAI_API_KEY");
        assert_eq!(refused.status.code(), Some(4), "{}", stderr(&refused));
        assert!(!stderr(&refused).contains("sesame"));
        let held = held(variable);
        assert!(
            serde_json::from_slice::<Run>(&held.stdout).is_ok(),
            "{}",
            stderr(&held)
        );
    }
}
