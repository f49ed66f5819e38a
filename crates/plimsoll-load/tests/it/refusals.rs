//! Servers that refuse a part of the request, or something else than the request: what preflight
//! makes of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::protocol::{Feature, PromptForm, Protocol};
use plimsoll_core::run::BodyPlan;
use plimsoll_core::workload::Workload;
use plimsoll_load::preflight::{News, PreflightError, PreflightOptions, Ready, preflight};
use plimsoll_load::target::Target;

use super::PATIENCE;
use super::scripted::{Asked, Reply, answer, answering, as_asked, json, models, refusal, tokens};

fn options(protocol: Option<Protocol>) -> PreflightOptions {
    PreflightOptions {
        model: None,
        protocol,
        workload: Workload::uniform(100, 40, 0.1, 1),
        body: BodyPlan::default(),
        probe_seed: 2,
        timeout: PATIENCE,
        wait: Duration::ZERO,
    }
}

fn named() -> PreflightOptions {
    PreflightOptions {
        model: Some("m".to_owned()),
        ..options(None)
    }
}

fn ask(target: &Target, options: &PreflightOptions) -> Result<Ready, PreflightError> {
    preflight(target, options, &mut |_| ())
}

type Refuse = fn(&Asked) -> Option<Reply>;

/// A server with completions and chat that refuses what it is told to.
fn refusing(refuse: Refuse) -> (Target, Arc<Mutex<Vec<Asked>>>) {
    answering(move |asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        line if line.starts_with("GET") || !line.ends_with("completions") => {
            json(404, r#"{"detail":"Not Found"}"#)
        }
        _ => refuse(asked).unwrap_or_else(|| as_asked(asked)),
    })
}

fn drops(is_so: bool) -> Option<Reply> {
    is_so.then_some(Reply::Drop)
}

fn says(is_so: bool, status: u16, message: &str) -> Option<Reply> {
    is_so.then(|| refusal(status, message))
}

const NO_IDS: &str = "TypeError: expected string or bytes-like object, got 'int'";
const NEWER: &str = "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
                     'max_completion_tokens' instead.";
const ONE: &str = "'temperature' does not support 0 with this model. Only the default (1) value is \
                   supported.";

/// What is left out in completions and in chat; `None` where the endpoint takes no request.
type Left = [Option<&'static [Feature]>; 2];

const REFUSALS: [(&str, Refuse, Left); 16] = [
    ("nothing", |_| None, [Some(&[]), Some(&[])]),
    (
        "ids 400",
        |a| says(a.has_ids(), 400, "prompt: a string"),
        [Some(&[Feature::TokenIds]), Some(&[])],
    ),
    (
        "ids 422",
        |a| says(a.has_ids(), 422, ""),
        [Some(&[Feature::TokenIds]), Some(&[])],
    ),
    (
        "ids 500",
        |a| says(a.has_ids(), 500, NO_IDS),
        [Some(&[Feature::TokenIds]), Some(&[])],
    ),
    (
        "ids drop",
        |a| drops(a.has_ids()),
        [Some(&[Feature::TokenIds]), Some(&[])],
    ),
    (
        "ignore_eos",
        |a| says(a.has("ignore_eos"), 422, "extra_forbidden: body.ignore_eos"),
        [Some(&[Feature::IgnoreEos]), Some(&[Feature::IgnoreEos])],
    ),
    (
        "stream_options",
        |a| says(a.has("stream_options"), 400, "Unrecognized: stream_options"),
        [
            Some(&[Feature::StreamOptions]),
            Some(&[Feature::StreamOptions]),
        ],
    ),
    (
        "temperature",
        |a| says(a.has("temperature"), 400, ONE),
        [Some(&[Feature::Temperature]), Some(&[Feature::Temperature])],
    ),
    (
        "max_tokens",
        |a| says(a.has("max_tokens"), 400, NEWER),
        [Some(&[Feature::MaxTokens]), Some(&[Feature::MaxTokens])],
    ),
    (
        "a newer model",
        |a| {
            says(
                a.is_completions(),
                404,
                "Invalid URL (POST /v1/completions)",
            )
            .or_else(|| says(a.has("max_tokens"), 400, NEWER))
            .or_else(|| says(a.has("temperature"), 400, ONE))
        },
        [None, Some(&[Feature::MaxTokens, Feature::Temperature])],
    ),
    (
        "a strict one without words",
        |a| {
            says(
                a.has("ignore_eos") || a.has("temperature"),
                400,
                "Bad Request",
            )
        },
        [
            Some(&[Feature::IgnoreEos, Feature::Temperature]),
            Some(&[Feature::IgnoreEos, Feature::Temperature]),
        ],
    ),
    (
        "no completions",
        |a| says(a.is_completions(), 404, ""),
        [None, Some(&[])],
    ),
    (
        "no completions for this key",
        |a| says(a.is_completions(), 403, "endpoint not allowed for this key"),
        [None, Some(&[])],
    ),
    (
        "completions of chat",
        |a| says(a.is_completions(), 422, "messages: field required"),
        [None, Some(&[])],
    ),
    (
        "broken completions",
        |a| says(a.is_completions(), 500, "text completion not supported"),
        [None, Some(&[])],
    ),
    ("no chat", |a| says(a.is_chat(), 404, ""), [Some(&[]), None]),
];

/// Every refusal by every endpoint that may be asked for: what is spoken, and what is left out.
#[test]
fn any_part_of_a_request_may_be_refused_at_any_endpoint() {
    use Protocol::{Chat, Completions};
    for (name, refuse, [completions, chat]) in REFUSALS {
        let auto = completions
            .map(|left| (Completions, left))
            .or(chat.map(|left| (Chat, left)));
        let asked = [
            (None, auto),
            (
                Some(Completions),
                completions.map(|left| (Completions, left)),
            ),
            (Some(Chat), chat.map(|left| (Chat, left))),
        ];
        for (endpoint, expected) in asked {
            let (target, _) = refusing(refuse);
            let found = ask(&target, &options(endpoint)).map_err(|error| error.to_string());
            let Some((protocol, left_out)) = expected else {
                assert!(found.is_err(), "{name} at {endpoint:?}");
                continue;
            };
            let info = found
                .unwrap_or_else(|error| panic!("{name} at {endpoint:?}: {error}"))
                .info;
            assert_eq!(
                (info.endpoint, info.left_out.as_slice()),
                (protocol, left_out),
                "{name}"
            );
            assert_eq!(info.honours_output_len, Some(true), "{name}");
            let has_ids = protocol == Completions && !left_out.contains(&Feature::TokenIds);
            assert_eq!(info.prompt_form == PromptForm::TokenIds, has_ids, "{name}");
        }
    }
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    let table: [(&str, Refuse, &[&str]); 6] = [
        (
            "quota",
            |_| says(true, 403, "The free tier has been exhausted."),
            &["403", "free tier has been exhausted"],
        ),
        (
            "budget",
            |_| {
                says(
                    true,
                    401,
                    "key not allowed to access model. It can access models=['a']",
                )
            },
            &["401", "models=['a']"],
        ),
        (
            "key",
            |_| says(true, 401, "Incorrect API key provided"),
            &["the API key is missing or wrong"],
        ),
        ("gateway", |_| says(true, 502, "nginx"), &["http_502"]),
        (
            "escape",
            |_| says(true, 400, "no\u{1b}[31m"),
            &["no\\u{1b}[31m"],
        ),
        (
            "model",
            |_| says(true, 404, "The model `m` does not exist."),
            &["no model `m`", "it serves: m"],
        ),
    ];
    for (name, refuse, expected) in table {
        let error = ask(&refusing(refuse).0, &options(None))
            .unwrap_err()
            .to_string();
        for part in expected {
            assert!(error.contains(part), "{name}: {error}");
        }
        let is_bad_key = name == "key";
        assert_eq!(error.contains("API key is missing"), is_bad_key, "{error}");
    }
}

#[test]
fn a_context_that_is_too_short_is_called_that() {
    // Of 110 and 44 tokens at most; a short probe fits into both.
    for limit in [60, 130] {
        let (target, _) = answering(move |asked| {
            let wanted = asked.prompt_tokens() + asked.output_tokens();
            match asked.line.as_str() {
                "GET /v1/models" => models(),
                "POST /v1/completions" if wanted <= limit => as_asked(asked),
                "POST /v1/completions" => refusal(
                    400,
                    &format!("This model's maximum context length is {limit} tokens."),
                ),
                _ => json(404, "{}"),
            }
        });
        let error = ask(&target, &options(None)).unwrap_err();
        let lengths = (110, 44);
        assert!(
            matches!(
                &error,
                PreflightError::ContextTooShort { input_tokens, output_tokens, .. }
                    if (*input_tokens, *output_tokens) == lengths
            ),
            "{error}"
        );
        assert!(
            error.to_string().contains("maximum context length"),
            "{error}"
        );
    }
}

/// Its prompts are cut to 512 tokens, whatever is sent: so no number of words makes 2 000.
#[test]
fn prompts_that_are_cut_stop_it_before_they_grow() {
    let (target, asked) = answering(|asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        _ if asked.has_ids() => refusal(400, "json: cannot unmarshal array"),
        "POST /v1/chat/completions" | "POST /v1/completions" => {
            let words = asked.prompt_tokens();
            tokens(asked, (words * 13 / 10).min(512), 8)
        }
        _ => json(404, "{}"),
    });
    let long = PreflightOptions {
        workload: Workload::uniform(2_000, 40, 0.0, 1),
        ..options(None)
    };
    let error = ask(&target, &long).unwrap_err();
    let is_cut = matches!(
        error,
        PreflightError::PromptsCut {
            asked: 2_000,
            counted: 512
        }
    );
    assert!(is_cut, "{error}");
    let sent = asked.lock().unwrap().iter().map(Asked::prompt_tokens).max();
    assert!(sent < Some(2_100), "{sent:?} words");
}

/// The prompt of the right length has more words than any before it.
#[test]
fn a_server_that_refuses_the_calibrated_prompt_is_not_loaded() {
    let (target, asked) = answering(|asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        "POST /v1/chat/completions" if asked.prompt_tokens() <= 64 => {
            tokens(asked, asked.prompt_tokens() / 2, asked.output_tokens())
        }
        "POST /v1/chat/completions" => refusal(413, "too large"),
        _ => json(404, "{}"),
    });
    let error = ask(&target, &options(None)).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    let sent = asked.lock().unwrap().iter().map(Asked::prompt_tokens).max();
    assert!(sent >= Some(200), "{sent:?} words for 100 tokens");
}

#[test]
fn an_answers_length_is_tried_at_the_length_asked_for() {
    let (target, _) = answering(|asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        "POST /v1/completions" => {
            tokens(asked, asked.prompt_tokens(), asked.output_tokens().min(25))
        }
        _ => json(404, "{}"),
    });
    let info = ask(&target, &options(None)).unwrap().info;
    assert_eq!(info.honours_output_len, Some(false));
}

/// Beyond its end the model writes what its own server cannot read.
#[test]
fn a_model_that_breaks_beyond_its_end_may_end() {
    let (target, _) = answering(|asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        "POST /v1/chat/completions" if asked.has("ignore_eos") && asked.output_tokens() > 24 => {
            let broken = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n\
                          data: {\"error\":{\"message\":\"Unexpected token 200002\"}}\n\n";
            answer(200, "text/event-stream", broken)
        }
        "POST /v1/chat/completions" => as_asked(asked),
        _ => json(404, "{}"),
    });
    let ready = ask(&target, &options(None)).unwrap();
    assert_eq!(ready.info.left_out, [Feature::IgnoreEos]);
    assert!(ready.left_out[0].1.contains("Unexpected token 200002"));
}

#[test]
fn with_a_model_named_no_list_is_needed() {
    let key = r#"{"error":{"message":"Incorrect API key provided"}}"#;
    let table: [(&str, Reply, &str); 9] = [
        (
            "bare",
            json(200, r#"[{"id":"x","context_length":8192}]"#),
            "",
        ),
        ("null", json(200, r#"{"data":null}"#), "lists no model"),
        ("empty", json(200, r#"{"data":[]}"#), "lists no model"),
        ("page", answer(200, "text/html", "<html>"), "is a web page"),
        ("key", json(401, key), "the API key is missing or wrong"),
        ("none", json(404, "{}"), "lists no model"),
        (
            "broken",
            json(500, r#"{"error":"internal"}"#),
            "answers 500",
        ),
        ("busy", json(429, r#"{"error":"slow down"}"#), "answers 429"),
        ("odd", json(200, "{}"), "no model list"),
    ];
    for (name, list, unnamed) in table {
        let (target, _) = answering(move |asked| match asked.line.as_str() {
            "GET /v1/models" => list.clone(),
            "POST /v1/completions" => as_asked(asked),
            _ => json(404, "{}"),
        });
        let found = ask(&target, &named()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.info.model, "m", "{name}");
        match ask(&target, &options(None)) {
            Ok(found) => assert_eq!((found.info.model.as_str(), unnamed), ("x", "")),
            Err(error) => {
                let error = error.to_string();
                assert!(
                    !unnamed.is_empty() && error.contains(unnamed),
                    "{name}: {error}"
                );
            }
        }
    }
}

/// With the name given, a list that never comes or breaks costs a moment and is passed over.
#[test]
fn with_a_model_named_a_list_that_hangs_is_not_waited_for() {
    for list in [Reply::Nothing, Reply::Drop] {
        let (target, _) = answering(move |asked| match asked.line.as_str() {
            "GET /v1/models" => list.clone(),
            "POST /v1/completions" => as_asked(asked),
            _ => json(404, "{}"),
        });
        let found = ask(&target, &brief(named())).unwrap();
        assert_eq!(found.info.model, "m");
        let error = ask(&target, &brief(options(None))).unwrap_err();
        assert!(matches!(error, PreflightError::Fetch(_)), "{error}");
    }
}

/// The same with less time for each answer.
fn brief(options: PreflightOptions) -> PreflightOptions {
    PreflightOptions {
        timeout: Duration::from_secs(2),
        ..options
    }
}

#[test]
fn a_server_that_loads_is_waited_for() {
    let count = Arc::new(AtomicUsize::new(0));
    let (target, _) = answering(move |asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        "POST /v1/completions" => match count.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => json(503, "Loading model"),
            _ => as_asked(asked),
        },
        _ => json(404, "{}"),
    });
    let mut told = Vec::new();
    let patient = PreflightOptions {
        wait: Duration::from_secs(60),
        ..options(None)
    };
    let ready = preflight(&target, &patient, &mut |news| told.push(news.clone())).unwrap();
    assert_eq!(ready.info.left_out, []);
    let News::Waiting {
        status, said, left, ..
    } = &told[0]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*status, said.as_str()), (503, "Loading model"));
    assert_eq!((*left, told.len()), (Duration::from_secs(59), 1));
}

#[test]
fn a_server_that_never_takes_a_request_is_given_up() {
    for (status, words) in [(503, "Loading model"), (429, "Rate limit reached")] {
        let (target, _) = answering(move |asked| match asked.line.as_str() {
            "GET /v1/models" => models(),
            _ => json(status, words),
        });
        let error = ask(&target, &options(None)).unwrap_err().to_string();
        assert!(
            error.contains(&status.to_string()) && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn requests_go_where_the_same_server_sends_them() {
    let (target, asked) = answering(|asked| {
        let (method, path) = asked.line.split_once(' ').unwrap();
        match path.strip_prefix("/real") {
            None => Reply::Bytes(format!(
                "HTTP/1.1 308 X\r\nLocation: /real{path}\r\nContent-Length: 0\r\n\r\n"
            )),
            Some("/v1/models") => models(),
            Some("/v1/chat/completions") if method == "POST" => as_asked(asked),
            Some(_) => json(404, "{}"),
        }
    });
    let mut told = Vec::new();
    let ready = preflight(&target, &options(None), &mut |news| told.push(news.clone())).unwrap();
    assert_eq!(ready.info.endpoint, Protocol::Chat);
    let to = "/real/v1/chat/completions".to_owned();
    assert!(told.contains(&News::Moved { to }), "{told:?}");
    let before = asked.lock().unwrap().len();
    ask(&ready.target, &options(Some(Protocol::Chat))).unwrap();
    let asked = asked.lock().unwrap();
    let mut later = asked[before..]
        .iter()
        .filter(|one| one.line.starts_with("POST"));
    assert!(later.all(|one| one.line == "POST /real/v1/chat/completions"));
}

#[test]
fn a_key_does_not_follow_a_redirect_to_another_server() {
    for status in [302, 307, 308] {
        let (elsewhere, seen) = answering(as_asked);
        let to = elsewhere.url();
        let (target, _) = answering(move |asked| match asked.line.as_str() {
            "GET /v1/models" => models(),
            _ => Reply::Bytes(format!(
                "HTTP/1.1 {status} X\r\nLocation: {to}/login?token=sesame\r\nContent-Length: 0\r\n\r\n"
            )),
        });
        let keyed = target.with_key("sesame", &Protocol::ALL);
        let error = ask(&keyed, &options(None)).unwrap_err().to_string();
        assert!(error.contains("leads to another server"), "{error}");
        assert!(!error.contains("sesame"), "{error}");
        assert_eq!(seen.lock().unwrap().len(), 0);
    }
}

/// A server that remembers the first words of every prompt would answer the second one faster.
#[test]
fn no_probe_has_the_prompt_of_another() {
    let (target, asked) = answering(|asked| match asked.line.as_str() {
        "GET /v1/models" => models(),
        "POST /v1/chat/completions" => {
            says(asked.has("ignore_eos"), 422, "ignore_eos").unwrap_or_else(|| as_asked(asked))
        }
        "POST /v1/completions" => refusal(500, "no"),
        _ => json(404, "{}"),
    });
    ask(&target, &options(None)).unwrap();
    let second = PreflightOptions {
        probe_seed: 3,
        ..options(None)
    };
    ask(&target, &second).unwrap();
    let mut seen = HashSet::new();
    for one in asked
        .lock()
        .unwrap()
        .iter()
        .filter(|one| one.line.starts_with("POST"))
    {
        let words: Vec<&str> = one.text().split(' ').take(8).collect();
        let first = if one.has_ids() {
            one.body["prompt"].as_array().unwrap()[..8]
                .iter()
                .map(ToString::to_string)
                .collect()
        } else {
            words.join(" ")
        };
        assert!(seen.insert(first), "{}", one.line);
    }
    assert!(seen.len() > 20);
}
