//! Every protocol over sockets: the same outcomes, keys in their own headers, and what preflight
//! finds by itself.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::{PromptForm, Protocol};
use plimsoll_core::run::BodyPlan;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::preflight::{PreflightError, PreflightOptions, preflight};
use plimsoll_load::target::{HttpChoice, Target};
use plimsoll_sim::{Faults, SimConfig, SimServer};

use super::{PATIENCE, engine, server, source, target, workload};

fn run(server: &SimServer, protocol: Protocol, http: HttpChoice) -> Batch {
    let plan = BatchPlan {
        dues: vec![Duration::ZERO; 3],
        max_concurrency: None,
        timeout: PATIENCE,
        keep_text: true,
        first_index: 0,
        workers: 1,
        keep_alive: true,
    };
    let mut target = target(server).speaking(protocol);
    target.http = http;
    run_batch(
        &target,
        &source(protocol),
        &plan,
        Clock::start(),
        &mut |_| Go::On,
    )
    .unwrap()
}

#[test]
fn answers_are_read_in_every_protocol_and_either_version_of_http() {
    let none = Faults::default();
    let shapes = [
        none.clone(),
        Faults {
            comments: true,
            crlf: true,
            split: true,
            multibyte: true,
            ..none.clone()
        },
        Faults {
            no_space: true,
            tokens_per_event: 2,
            ..none
        },
    ];
    for faults in shapes {
        let server = server(faults);
        for protocol in Protocol::ALL {
            for http in [HttpChoice::Http1, HttpChoice::Http2] {
                for one in run(&server, protocol, http).records {
                    let record = one.record;
                    let detail = format!("{protocol:?} {http:?}: {:?}", record.detail);
                    assert_eq!(record.outcome, Outcome::Completed, "{detail}");
                    let words = one.text.unwrap().split_whitespace().count() as u32;
                    assert_eq!(record.usage_output_tokens, Some(words), "{detail}");
                    assert!(words <= record.asked_output_tokens, "{detail}");
                    assert!(record.prompt_tokens.is_some(), "{detail}");
                }
            }
        }
    }
}

#[test]
fn a_fault_has_the_same_outcome_in_every_protocol() {
    let none = Faults::default();
    let table = [
        (
            Faults {
                error_share: 1.0,
                ..none.clone()
            },
            Outcome::HttpStatus { status: 500 },
        ),
        (
            Faults {
                cut_share: 1.0,
                ..none.clone()
            },
            Outcome::Reset,
        ),
        (
            Faults {
                error_event_share: 1.0,
                ..none.clone()
            },
            Outcome::ErrorEvent,
        ),
        (
            Faults {
                early_end_share: 1.0,
                ..none.clone()
            },
            Outcome::EndedEarly,
        ),
        (
            Faults {
                empty_share: 1.0,
                ..none
            },
            Outcome::Empty,
        ),
    ];
    for (faults, outcome) in table {
        let server = server(faults);
        for protocol in Protocol::ALL {
            for one in run(&server, protocol, HttpChoice::Http1).records {
                let detail = &one.record.detail;
                assert_eq!(one.record.outcome, outcome, "{protocol:?}: {detail:?}");
            }
        }
    }
}

fn options(protocol: Option<Protocol>) -> PreflightOptions {
    PreflightOptions {
        model: None,
        protocol,
        workload: workload(),
        body: BodyPlan::default(),
        probe_seed: 2,
        wait: Duration::ZERO,
        timeout: PATIENCE,
    }
}

/// A server of these protocols alone.
fn serving(protocols: &[Protocol], api_key: Option<&str>) -> SimServer {
    SimServer::start(SimConfig {
        protocols: protocols.to_vec(),
        api_key: api_key.map(str::to_owned),
        ..SimConfig::local(engine())
    })
    .unwrap()
}

#[test]
fn preflight_speaks_the_protocol_it_is_told() {
    let server = server(Faults::default());
    for protocol in [Protocol::Ollama, Protocol::Anthropic] {
        let ready = preflight(&target(&server), &options(Some(protocol)), &mut |_| ()).unwrap();
        assert_eq!(ready.info.endpoint, protocol);
        assert_eq!(ready.target.protocol, protocol);
        assert_eq!(ready.info.prompt_form, PromptForm::Words);
        assert_eq!(ready.info.prompt_tokens_measured, Some(32.0));
        assert!(ready.info.reports_usage);
        assert_eq!(ready.info.model, "sim");
    }
}

#[test]
fn without_being_told_it_takes_what_there_is() {
    for protocols in [
        &Protocol::ALL[..],
        &[Protocol::Chat, Protocol::Ollama],
        &[Protocol::Ollama],
        &[Protocol::Anthropic],
    ] {
        let server = serving(protocols, None);
        let ready = preflight(&target(&server), &options(None), &mut |_| ()).unwrap();
        assert_eq!(ready.dialect.form.protocol, protocols[0]);
    }
}

#[test]
fn a_key_opens_the_protocol_that_it_is_for() {
    let server = serving(&Protocol::ALL, Some("k"));
    for protocol in Protocol::ALL {
        let keyed = target(&server).with_key("k", &[protocol]);
        preflight(&keyed, &options(Some(protocol)), &mut |_| ()).unwrap();
        let mut others = Protocol::ALL.to_vec();
        others.retain(|other| *other != protocol);
        let other = target(&server).with_key("k", &others);
        let error = preflight(&other, &options(Some(protocol)), &mut |_| ()).unwrap_err();
        assert!(
            matches!(error, PreflightError::Unauthorized { status: 401, .. }),
            "{protocol:?}: {error}"
        );
    }
}

/// A server that has nothing, and tells what it was asked.
fn nothing_there() -> (Target, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    drop(std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { return };
            let mut request = [0; 16_384];
            let read = socket.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            if tell.send(text).is_err() {
                return;
            }
            let answer =
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            drop(socket.write_all(answer));
        }
    }));
    (Target::parse(&address.to_string()).unwrap(), told)
}

#[test]
fn a_key_is_never_in_another_protocols_header() {
    let (target, told) = nothing_there();
    let target = target.with_key("sesame", &[Protocol::Anthropic]);
    let named = PreflightOptions {
        model: Some("m".to_owned()),
        ..options(None)
    };
    let error = preflight(&target, &named, &mut |_| ()).unwrap_err();
    assert!(
        matches!(error, PreflightError::NoEndpoint { .. }),
        "{error}"
    );
    let asked: Vec<String> = told.try_iter().collect();
    let with_key: Vec<&String> = asked.iter().filter(|one| one.contains("sesame")).collect();
    assert_eq!(with_key.len(), 1, "{asked:?}");
    assert!(with_key[0].starts_with("POST /v1/messages "));
    assert!(with_key[0].contains("\r\nx-api-key: sesame\r\nanthropic-version: 2023-06-01\r\n"));
    for path in [
        "GET /v1/models ",
        "GET /api/tags ",
        "POST /v1/completions ",
        "POST /v1/chat/completions ",
        "POST /api/chat ",
    ] {
        assert!(asked.iter().any(|one| one.starts_with(path)), "{path}");
    }
}
