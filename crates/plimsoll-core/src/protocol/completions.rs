//! `OpenAI`'s completions: `POST /v1/completions`, the prompt as text or token ids.

use super::openai::{BEARER_KEY, DONE, MODELS, length_field, locate, with_extras};
use super::request::{Fields, Request};
use super::{Auth, Feature, Framing, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "completions",
    path: "/v1/completions",
    auth: Auth::Bearer,
    key_variable: BEARER_KEY,
    framing: Framing::Sse,
    last_word: DONE,
    models: MODELS,
    features: &Feature::ALL,
    body,
    read: locate,
};

fn body(request: &Request<'_>) -> String {
    let fields = Fields::beside(request.extra)
        .text("model", request.model)
        .json("prompt", request.prompt.json())
        .json(length_field(request.extras), request.output_tokens)
        .sampling(request.sampling)
        .json("stream", true);
    with_extras(fields, request.extras).end()
}

#[cfg(test)]
mod tests {
    use super::super::{Extras, Prompt, Protocol, Request};

    #[test]
    fn a_body_is_json_with_the_prompt_asked_for() {
        let request = Request {
            model: "a \"b\"",
            prompt: Prompt::TokenIds(&[5, 6]),
            output_tokens: 7,
            extras: Extras {
                ignore_eos: true,
                include_usage: true,
                max_completion_tokens: false,
            },
            sampling: &[("temperature", "0".to_owned())],
            extra: None,
        };
        assert_eq!(
            Protocol::Completions.body(&request),
            r#"{"model":"a \"b\"","prompt":[5,6],"max_tokens":7,"temperature":0,"stream":true,"stream_options":{"include_usage":true},"ignore_eos":true}"#
        );
    }
}
