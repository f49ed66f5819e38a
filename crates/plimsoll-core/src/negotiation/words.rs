//! What a server's words are about. Each is an error message that a server is known for, in lower
//! case and as short as it stays unmistakable.

use super::Form;
use crate::outcome::Outcome;
use crate::protocol::Feature;

/// What a refusal names of the form. A server that repeats the whole request in its words names
/// everything, and so nothing.
pub(super) fn named(said: &str, form: &Form) -> Vec<Feature> {
    let said = said.to_lowercase();
    let named: Vec<Feature> = form.features().filter(|one| names(&said, *one)).collect();
    let is_echo = named.len() > 2;
    if is_echo { Vec::new() } else { named }
}

fn names(said: &str, feature: Feature) -> bool {
    let has = |words: &[&str]| words.iter().any(|one| said.contains(one));
    match feature {
        // What comes of ids has many names, and it is the first to be left out anyway.
        Feature::TokenIds => false,
        Feature::IgnoreEos => has(&["ignore_eos"]),
        Feature::StreamOptions => has(&["stream_options"]),
        Feature::Temperature => has(&["temperature"]),
        // A bound on the number is not a refusal of the field.
        Feature::MaxTokens => {
            has(&["max_completion_tokens"])
                || (has(&["max_tokens"])
                    && has(&[
                        "support",
                        "unknown",
                        "unrecognized",
                        "unexpected",
                        "extra",
                        "not permitted",
                        "not allowed",
                    ]))
        }
    }
}

/// Whether prompt and answer do not fit into the server's context.
pub fn is_too_long(outcome: Outcome, said: &str) -> bool {
    let says_no = match outcome {
        Outcome::HttpStatus { status } => matches!(status, 400 | 413 | 422 | 500),
        other => other == Outcome::ErrorEvent,
    };
    let said = said.to_lowercase();
    let long = [
        "context length",
        "context_length",
        "context size",
        "context window",
        "maximum context",
        "max_model_len",
        "maximum input length",
        "longer than the model",
        "too many tokens",
        "exceeds the maximum",
        "prompt is too long",
        "input is too long",
        "`inputs` tokens + `max_new_tokens`",
        "range of input length",
    ];
    says_no && long.iter().any(|one| said.contains(one))
}

/// Whether it is the model that is not there, and not the path.
pub(super) fn is_about_the_model(said: &str) -> bool {
    let said = said.to_lowercase();
    let missing = [
        "not exist",
        "not found",
        "unknown model",
        "no such model",
        "not a valid",
        "not available",
    ];
    said.contains("model") && missing.iter().any(|one| said.contains(one))
}

/// Whether a refusal with status 401 or 403 means that the key is missing or wrong. With words of
/// another kind it is a right, a budget or a quota; without words a 401 is about the key, as the
/// status says (RFC 9110 §15.5.2).
pub fn is_about_the_key(status: u16, said: &str) -> bool {
    let said = said.to_lowercase();
    let key = [
        "incorrect api key",
        "invalid api key",
        "invalid_api_key",
        "invalid_authentication",
        "api key provided",
        "no api key",
        "missing api key",
        "missing bearer",
        "invalid token",
        "invalid x-api-key",
        "invalid key",
        "unauthorized",
        "unauthenticated",
        "not authenticated",
        "authentication",
        "authorization required",
        "authorization header",
        "credential",
        "subscription key",
    ];
    // "The API key in the request is missing or invalid": the words stand apart.
    let is_named = said.contains("api key")
        && ["missing", "invalid", "required"]
            .iter()
            .any(|fault| said.contains(fault));
    let has_words = said.chars().any(char::is_alphabetic);
    (status == 401 && !has_words) || is_named || key.iter().any(|one| said.contains(one))
}
