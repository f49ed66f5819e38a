use super::*;

const NONE: &[Feature] = &[];

fn status(status: u16) -> Outcome {
    Outcome::HttpStatus { status }
}

/// Asks a server until the end; the server is a function of the form. Also how often it was asked.
fn ask(
    named: Option<Protocol>,
    unwanted: &[Feature],
    server: impl Fn(&Form) -> Option<(Outcome, &'static str)>,
) -> (Next, Negotiation, usize) {
    let mut negotiation = Negotiation::new(named, unwanted);
    let mut form = negotiation.first();
    for count in 1..60 {
        let next = match server(&form) {
            None => negotiation.hear(Heard::Answer),
            Some((outcome, said)) => negotiation.hear(Heard::Failure { outcome, said }),
        };
        match next {
            Next::Ask(next) => form = next,
            end => return (end, negotiation, count),
        }
    }
    panic!("it never ends");
}

/// Without this API; what is there takes everything.
fn without(form: &Form, protocol: Protocol) -> Option<(Outcome, &'static str)> {
    (form.protocol == protocol).then_some((status(404), "Not Found"))
}

fn found(end: &Next) -> &Form {
    match end {
        Next::Found(form) => form,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_takes_everything_is_asked_once() {
    let (end, negotiation, count) = ask(None, NONE, |_| None);
    let form = found(&end);
    assert_eq!(form.protocol, Protocol::Completions);
    assert_eq!(form.features().collect::<Vec<_>>(), Feature::ALL);
    assert_eq!((negotiation.left_out(), count), (vec![], 1));
}

/// Every set of fields, refused in every way, in both APIs that have them: what is left out is that
/// set and nothing else, and what is sent is the rest.
#[test]
fn any_fields_may_be_refused_in_any_way() {
    let ways = [
        (status(400), "Bad Request"),
        (status(422), ""),
        (status(500), "TypeError"),
        (Outcome::Reset, "closed"),
        (Outcome::ErrorEvent, "internal"),
        (Outcome::Empty, ""),
    ];
    for protocol in Protocol::USUAL {
        for set in 0..1_u32 << Feature::ALL.len() {
            let refused: Vec<Feature> = (0..)
                .zip(Feature::ALL)
                .filter(|(bit, one)| set >> bit & 1 == 1 && protocol.features().contains(one))
                .map(|(_, one)| one)
                .collect();
            for way in ways {
                let server = |form: &Form| {
                    form.features()
                        .any(|one| refused.contains(&one))
                        .then_some(way)
                };
                let (end, negotiation, count) = ask(Some(protocol), NONE, server);
                let form = found(&end);
                let mut left_out = negotiation.left_out();
                left_out.sort_unstable();
                assert_eq!(left_out, refused, "{protocol:?} {way:?}");
                assert_eq!(*form, Form::richest(protocol, &refused));
                assert!(count <= 15, "{count} probes for {refused:?}");
            }
        }
    }
}

#[test]
fn what_is_named_is_left_out_at_once() {
    let table: [(&str, Feature); 4] = [
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
            Feature::MaxTokens,
        ),
        (
            "'temperature' does not support 0 with this model. Only the default (1) value is \
             supported.",
            Feature::Temperature,
        ),
        (
            r#"{"type":"extra_forbidden","loc":["body","ignore_eos"]}"#,
            Feature::IgnoreEos,
        ),
        (
            "Unrecognized request argument supplied: stream_options",
            Feature::StreamOptions,
        ),
    ];
    for (said, feature) in table {
        let server = |form: &Form| form.has(feature).then_some((status(400), said));
        let (end, negotiation, count) = ask(Some(Protocol::Chat), NONE, server);
        assert!(!found(&end).has(feature));
        assert_eq!(
            (negotiation.left_out(), count),
            (vec![feature], 2),
            "{said}"
        );
        let words: Vec<(Feature, &str)> = negotiation.left_out_with_words().collect();
        assert_eq!(words, [(feature, said)]);
    }
}

#[test]
fn a_server_that_repeats_the_request_names_nothing() {
    let echo = "bad input: {ignore_eos: true, stream_options: {}, temperature: 0}";
    let server = |form: &Form| {
        form.has(Feature::Temperature)
            .then_some((status(422), echo))
    };
    let (_, negotiation, _) = ask(Some(Protocol::Chat), NONE, server);
    assert_eq!(negotiation.left_out(), [Feature::Temperature]);
}

#[test]
fn ids_that_count_otherwise_are_not_sent() {
    let mut negotiation = Negotiation::new(Some(Protocol::Completions), NONE);
    let Next::Ask(form) = negotiation.hear(Heard::OtherPrompt) else {
        panic!("words are to be tried");
    };
    assert!(!form.has(Feature::TokenIds));
    assert_eq!(negotiation.hear(Heard::Answer), Next::Found(form));
    assert_eq!(negotiation.left_out(), [Feature::TokenIds]);
}

#[test]
fn chat_is_spoken_where_completions_are_refused() {
    let ways = [
        (status(404), "Invalid URL (POST /v1/completions)"),
        (status(405), ""),
        (status(403), "endpoint not allowed for this key"),
        (status(422), "messages: field required"),
        (status(500), "text completion not supported"),
        (Outcome::Reset, ""),
        (Outcome::Malformed, "a web page"),
    ];
    for way in ways {
        let server = |form: &Form| (form.protocol == Protocol::Completions).then_some(way);
        let (end, negotiation, _) = ask(None, NONE, server);
        assert_eq!(found(&end).protocol, Protocol::Chat, "{way:?}");
        assert_eq!(
            negotiation.left_out(),
            [],
            "nothing is said of the other API"
        );
    }
}

#[test]
fn other_apis_are_tried_where_none_of_the_usual_is_there() {
    let server = |form: &Form| {
        without(form, Protocol::Completions).or_else(|| without(form, Protocol::Chat))
    };
    let (end, ..) = ask(None, NONE, server);
    assert_eq!(found(&end).protocol, Protocol::Ollama);
    let (end, ..) = ask(None, NONE, |_| Some((status(404), "no")));
    let tried = Protocol::ALL.to_vec();
    let said = "no".to_owned();
    assert_eq!(end, Next::Fails(Refusal::Missing { tried, said }));
    let refused = |form: &Form| {
        without(form, Protocol::Completions).or(Some((status(400), "no chat for this model")))
    };
    let (end, ..) = ask(None, NONE, refused);
    let Next::Fails(Refusal::NotTaken { tried, said }) = end else {
        panic!("{end:?}");
    };
    assert_eq!(
        (tried.as_slice(), said.as_str()),
        (&Protocol::USUAL[..], "no chat for this model")
    );
}

#[test]
fn what_no_other_request_would_mend_ends_it_at_once() {
    let ways = [
        status(502),
        status(503),
        status(429),
        status(402),
        Outcome::TimedOut,
        Outcome::Connect,
        Outcome::Tls,
    ];
    for way in ways {
        let (end, _, count) = ask(None, NONE, |_| Some((way, "words")));
        let failed = Refusal::Failed {
            protocol: Protocol::Completions,
            outcome: way,
            said: "words".to_owned(),
        };
        assert_eq!((end, count), (Next::Fails(failed), 1));
    }
}

#[test]
fn a_key_is_bad_only_where_the_server_says_so() {
    let bad = [
        (401, r#"{"error":"Unauthorized"}"#),
        (401, "Incorrect API key provided: sk-1"),
        (401, ""),
        (403, "Access denied due to missing subscription key"),
        (401, "The API key in the request is missing or invalid."),
        (401, "An API key is required"),
    ];
    for (code, said) in bad {
        let (end, _, count) = ask(None, NONE, |_| Some((status(code), said)));
        assert!(matches!(end, Next::Fails(Refusal::Denied { .. })), "{said}");
        assert_eq!(count, 1, "{said}");
    }
    let good = [
        (
            401,
            "key not allowed to access model. This key can only access models=['a']",
        ),
        (
            403,
            "AllocationQuota.FreeTierOnly: The free tier of the model has been exhausted.",
        ),
        (403, ""),
    ];
    for (code, said) in good {
        assert!(!is_about_the_key(code, said), "{said}");
        let (end, _, count) = ask(None, NONE, |_| Some((status(code), said)));
        assert!(matches!(end, Next::Fails(Refusal::Denied { .. })), "{said}");
        assert_eq!(count, 2, "both APIs are asked: {said}");
    }
}

#[test]
fn what_is_too_long_and_what_is_no_model_are_called_that() {
    let table = [
        (
            400,
            "This model's maximum context length is 256 tokens. However, you requested 300",
        ),
        (
            500,
            "the request exceeds the available context size (512 tokens)",
        ),
        (413, "prompt is too long: 210000 tokens > 200000 maximum"),
    ];
    for (code, said) in table {
        let (end, ..) = ask(None, NONE, |_| Some((status(code), said)));
        assert!(
            matches!(end, Next::Fails(Refusal::TooLong { .. })),
            "{said}"
        );
    }
    let said = "The model `gpt` does not exist.";
    let (end, ..) = ask(None, NONE, |_| Some((status(404), said)));
    let said = said.to_owned();
    assert_eq!(end, Next::Fails(Refusal::UnknownModel { said }));
}

#[test]
fn a_failure_that_passes_costs_nothing() {
    for way in [
        status(500),
        Outcome::Reset,
        Outcome::EndedEarly,
        Outcome::Empty,
    ] {
        let first = std::cell::Cell::new(true);
        let server = |_: &Form| first.replace(false).then_some((way, ""));
        let (end, negotiation, count) = ask(None, NONE, server);
        assert!(found(&end).has(Feature::TokenIds));
        assert_eq!((negotiation.left_out(), count), (vec![], 2), "{way:?}");
    }
}

#[test]
fn what_is_unwanted_is_never_sent() {
    let server = |form: &Form| {
        assert!(!form.has(Feature::IgnoreEos));
        form.has(Feature::Temperature).then_some((status(400), ""))
    };
    let (end, negotiation, _) = ask(None, &[Feature::IgnoreEos], server);
    assert!(found(&end).has(Feature::StreamOptions));
    assert_eq!(negotiation.left_out(), [Feature::Temperature]);
}

#[test]
fn an_answer_that_breaks_at_its_length_is_not_made_to_go_on() {
    let mut negotiation = Negotiation::new(Some(Protocol::Chat), NONE);
    let Next::Found(form) = negotiation.hear(Heard::Answer) else {
        panic!("it takes everything");
    };
    let said = "Unexpected token 200002";
    let next = negotiation.hear_at_length(Outcome::ErrorEvent, said);
    assert_eq!(next, Next::Ask(form.without(Feature::IgnoreEos)));
    assert_eq!(negotiation.left_out(), [Feature::IgnoreEos]);
    let next = negotiation.hear_at_length(Outcome::ErrorEvent, said);
    assert!(matches!(next, Next::Fails(Refusal::Failed { .. })));
    let next = negotiation.hear_at_length(status(400), "maximum context length is 320 tokens");
    assert!(matches!(next, Next::Fails(Refusal::TooLong { .. })));
}

/// A server that fails one request in three says nothing of `ignore_eos` with one failure.
#[test]
fn an_answer_that_fails_once_at_its_length_is_asked_for_again() {
    let mut negotiation = Negotiation::new(Some(Protocol::Chat), NONE);
    let Next::Found(form) = negotiation.hear(Heard::Answer) else {
        panic!("it takes everything");
    };
    let mut hear = || negotiation.hear_at_length(status(500), "CUDA error");
    assert_eq!(hear(), Next::Ask(form.clone()));
    assert_eq!(hear(), Next::Ask(form.without(Feature::IgnoreEos)));
}
