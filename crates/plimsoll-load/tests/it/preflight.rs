//! Preflight: what it finds, and what it says of servers that are none.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use plimsoll_core::protocol::{PromptForm, Protocol};
use plimsoll_core::run::BodyPlan;
use plimsoll_load::fetch::FetchError;
use plimsoll_load::preflight::{PreflightError, PreflightOptions, Ready, preflight};
use plimsoll_load::target::Target;
use plimsoll_sim::{Faults, SimConfig, SimServer};

use super::{PATIENCE, engine, server, target, workload};

fn options() -> PreflightOptions {
    PreflightOptions {
        model: None,
        protocol: None,
        workload: workload(),
        body: BodyPlan::default(),
        probe_seed: 2,
        wait: Duration::ZERO,
        timeout: PATIENCE,
    }
}

fn ready(faults: Faults, options: &PreflightOptions) -> Ready {
    let server = server(faults);
    preflight(&target(&server), options, &mut |_| ()).unwrap()
}

#[test]
fn a_good_server_is_known_in_full() {
    let info = ready(Faults::default(), &options()).info;
    assert_eq!(
        (info.endpoint, info.prompt_form),
        (Protocol::Completions, PromptForm::TokenIds)
    );
    assert!(info.reports_usage && info.has_metrics);
    assert_eq!(info.honours_output_len, Some(true));
    assert_eq!(info.left_out, []);
    assert_eq!(info.model, "sim");
}

#[test]
fn chat_prompts_are_calibrated_to_the_servers_own_tokens() {
    let found = ready(
        Faults::default(),
        &PreflightOptions {
            protocol: Some(Protocol::Chat),
            ..options()
        },
    );
    assert_eq!(found.info.prompt_form, PromptForm::Words);
    assert_eq!(found.info.prompt_tokens_measured, Some(32.0));
}

#[test]
fn a_server_without_usage_is_said_to_be_one() {
    assert!(
        !ready(
            Faults {
                no_usage: true,
                ..Faults::default()
            },
            &options()
        )
        .info
        .reports_usage
    );
}

#[test]
fn an_unknown_model_is_answered_with_the_known_ones() {
    let server = server(Faults::default());
    let options = PreflightOptions {
        model: Some("gpt".to_owned()),
        ..options()
    };
    let error = preflight(&target(&server), &options, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("it serves: sim"), "{error}");
}

#[test]
fn a_missing_key_is_said_and_a_right_one_works() {
    let config = SimConfig {
        api_key: Some("k".to_owned()),
        ..SimConfig::local(engine())
    };
    let server = SimServer::start(config).unwrap();
    let error = preflight(&target(&server), &options(), &mut |_| ()).unwrap_err();
    assert!(
        matches!(error, PreflightError::Unauthorized { status: 401, .. }),
        "{error}"
    );
    assert!(
        preflight(
            &target(&server).with_key("k", &Protocol::ALL),
            &options(),
            &mut |_| ()
        )
        .is_ok()
    );
}

#[test]
fn too_long_a_request_is_refused_beforehand() {
    let mut small = engine();
    small.max_model_len = 40;
    let server = SimServer::start(SimConfig::local(small)).unwrap();
    let error = preflight(&target(&server), &options(), &mut |_| ()).unwrap_err();
    assert!(
        matches!(error, PreflightError::TooLong { limit: 40, .. }),
        "{error}"
    );
}

/// A server that answers every request with the same bytes.
fn always(answer: &'static [u8]) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { return };
            let mut request = [0; 4_096];
            let read = socket.read(&mut request).unwrap_or(0);
            if read > 0 {
                drop(socket.write_all(answer));
            }
        }
    }));
    Target::parse(&address.to_string()).unwrap()
}

#[test]
fn what_is_no_api_is_called_what_it_is() {
    let table: [(&[u8], &str); 4] = [
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
            "is a web page",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n",
            "redirects to http://x/",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            "no model list",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not answer in HTTP"),
    ];
    for (answer, expected) in table {
        let error = preflight(&always(answer), &options(), &mut |_| ()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_closed_port_a_silent_one_and_the_wrong_scheme_have_their_hints() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = preflight(
        &Target::parse(&closed.to_string()).unwrap(),
        &options(),
        &mut |_| (),
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("no connection to 127.0.0.1"),
        "{error}"
    );

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let short = PreflightOptions {
        timeout: Duration::from_millis(200),
        ..options()
    };
    let error = preflight(
        &Target::parse(&silent.local_addr().unwrap().to_string()).unwrap(),
        &short,
        &mut |_| (),
    )
    .unwrap_err();
    let no_answer = PreflightError::Fetch(FetchError::TimedOut {
        authority: silent.local_addr().unwrap().to_string(),
        timeout: short.timeout,
    });
    assert_eq!(error.to_string(), no_answer.to_string());

    let plain = server(Faults::default());
    let tls = Target::parse(&plain.url().replace("http://", "https://")).unwrap();
    let error = preflight(&tls, &options(), &mut |_| ()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("does the port speak TLS"), "{cause}");
}
