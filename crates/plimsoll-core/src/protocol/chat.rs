//! `OpenAI`'s chat completions: `POST /v1/chat/completions`, the prompt as one message of a user.

use super::openai::{BEARER_KEY, DONE, MODELS, length_field, locate, with_extras};
use super::request::{Fields, Request};
use super::{Auth, Feature, Framing, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "chat",
    path: "/v1/chat/completions",
    auth: Auth::Bearer,
    key_variable: BEARER_KEY,
    framing: Framing::Sse,
    last_word: DONE,
    models: MODELS,
    features: &[
        Feature::IgnoreEos,
        Feature::StreamOptions,
        Feature::Temperature,
        Feature::MaxTokens,
    ],
    body,
    read: locate,
};

fn body(request: &Request<'_>) -> String {
    let fields = Fields::beside(request.extra)
        .text("model", request.model)
        .json("messages", request.prompt.messages())
        .json(length_field(request.extras), request.output_tokens)
        .sampling(request.sampling)
        .json("stream", true);
    with_extras(fields, request.extras).end()
}

#[cfg(test)]
mod tests {
    use super::super::{Extras, Prompt, Protocol, Request};

    #[test]
    fn a_body_is_one_message_of_a_user() {
        let request = Request {
            model: "m",
            prompt: Prompt::Text("a \"b\""),
            output_tokens: 7,
            extras: Extras::NONE,
            sampling: &[],
            extra: None,
        };
        let newer = Request {
            extras: Extras {
                max_completion_tokens: true,
                ..Extras::NONE
            },
            ..request
        };
        assert!(
            Protocol::Chat
                .body(&newer)
                .contains(r#","max_completion_tokens":7,"#)
        );
        assert_eq!(
            Protocol::Chat.body(&request),
            r#"{"model":"m","messages":[{"role":"user","content":"a \"b\""}],"max_tokens":7,"stream":true}"#
        );
    }
}
