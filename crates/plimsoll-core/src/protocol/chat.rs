//! `OpenAI`'s chat completions: `POST /v1/chat/completions`, the prompt as one message of a user.

use super::openai::{BEARER_KEY, DONE, EXTRAS, MODELS, locate, with_extras};
use super::request::{Fields, Request};
use super::{Auth, Framing, Spec};

pub(super) const SPEC: Spec = Spec {
    name: "chat",
    path: "/v1/chat/completions",
    auth: Auth::Bearer,
    key_variable: BEARER_KEY,
    framing: Framing::Sse,
    last_word: DONE,
    models: MODELS,
    takes_token_ids: false,
    extras: &EXTRAS,
    body,
    read: locate,
};

fn body(request: &Request<'_>) -> String {
    let fields = Fields::new()
        .text("model", request.model)
        .json("messages", request.prompt.messages())
        .json("max_tokens", request.output_tokens)
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
        };
        assert_eq!(
            Protocol::Chat.body(&request),
            r#"{"model":"m","messages":[{"role":"user","content":"a \"b\""}],"max_tokens":7,"stream":true}"#
        );
    }
}
