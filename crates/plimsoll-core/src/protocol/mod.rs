//! API protocols: what a request looks like, and what the bytes of an answer say. One file each.
//!
//! | file | holds |
//! |---|---|
//! | `completions`, `chat`, `anthropic`, `ollama` | one protocol each, as a `Spec` |
//! | `openai` | what completions and chat share: payloads and the model list |
//! | `request`, `auth` | the body and the headers of a request |
//! | `feature` | what not every server takes of them |
//! | `framing`, `chunk`, `template`, `json` | from bytes to payloads, and what a payload says |
//! | `refusal` | that it is an error, in the server's words |
//! | `usage` | token counts, and what of them is believed |
//! | `answer` | the whole way of an answer, as one machine |
//! | `models` | the list of served models |
//!
//! Nothing here reads a socket or a clock. HTTP and the framings themselves are in [`crate::wire`].

mod answer;
mod anthropic;
mod auth;
mod chat;
mod chunk;
mod completions;
mod feature;
mod framing;
#[cfg(test)]
mod golden;
mod json;
mod models;
mod ollama;
mod openai;
mod refusal;
mod request;
mod template;
mod usage;

use serde::{Deserialize, Serialize};

pub use answer::{Answer, AnswerEnd};
pub use auth::Auth;
pub use chunk::{Chunk, ChunkFault};
pub use feature::Feature;
pub use framing::Framing;
pub use models::{ModelList, ServedModel};
pub use request::{Extras, Prompt, PromptForm, Request};
pub use usage::{Counted, Seen, Usage};

use chunk::Located;

/// An API that generates text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// `OpenAI`'s `/v1/completions`.
    #[default]
    Completions,
    /// `OpenAI`'s `/v1/chat/completions`.
    Chat,
    /// Ollama's `/api/chat`.
    Ollama,
    /// Anthropic's `/v1/messages`.
    Anthropic,
}

/// What a protocol is. Each has one, in its file.
struct Spec {
    /// As it is typed.
    name: &'static str,
    /// Path of the requests.
    path: &'static str,
    /// How a key is shown.
    auth: Auth,
    /// Environment variable in which its users keep the key.
    key_variable: &'static str,
    /// How a stream is cut into payloads.
    framing: Framing,
    /// The payload, or its part, after which nothing follows.
    last_word: &'static str,
    /// Where the served models are listed.
    models: ModelList,
    /// What may be sent and is not taken by every server.
    features: &'static [Feature],
    /// Writes the body of a request.
    body: fn(&Request<'_>) -> String,
    /// Reads one payload of an answer, streamed or whole.
    read: fn(&[u8]) -> Result<Located, ChunkFault>,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 4] = [Self::Completions, Self::Chat, Self::Ollama, Self::Anthropic];
    /// What is tried where none is named, in this order.
    pub const USUAL: [Self; 2] = [Self::Completions, Self::Chat];

    fn spec(self) -> &'static Spec {
        match self {
            Self::Completions => &completions::SPEC,
            Self::Chat => &chat::SPEC,
            Self::Ollama => &ollama::SPEC,
            Self::Anthropic => &anthropic::SPEC,
        }
    }

    /// Its name, as it is typed and saved.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The protocol of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Path of the requests, below the server's base.
    pub fn path(self) -> &'static str {
        self.spec().path
    }

    /// How a key is shown.
    pub fn auth(self) -> Auth {
        self.spec().auth
    }

    /// The environment variable in which its users keep the key.
    pub fn key_variable(self) -> &'static str {
        self.spec().key_variable
    }

    /// How a stream is cut into payloads.
    pub fn framing(self) -> Framing {
        self.spec().framing
    }

    /// The list of served models.
    pub fn models(self) -> ModelList {
        self.spec().models
    }

    /// Whether a prompt may be token ids.
    pub fn takes_token_ids(self) -> bool {
        self.features().contains(&Feature::TokenIds)
    }

    /// What may be sent and is not taken by every server.
    pub fn features(self) -> &'static [Feature] {
        self.spec().features
    }

    /// Whether a request can ask for an answer of a fixed length. Without it an answer may end
    /// earlier than asked.
    pub fn can_fix_length(self) -> bool {
        self.features().contains(&Feature::IgnoreEos)
    }

    /// The JSON body of a streaming request.
    pub fn body(self, request: &Request<'_>) -> String {
        (self.spec().body)(request)
    }

    /// Reads one payload of an answer, streamed or whole.
    ///
    /// # Errors
    /// It is not of this protocol's shape.
    pub fn read(self, payload: &[u8]) -> Result<Chunk, ChunkFault> {
        self.locate(payload).map(|located| located.chunk)
    }

    /// As [`Protocol::read`], with the places of what may change from payload to payload.
    fn locate(self, payload: &[u8]) -> Result<Located, ChunkFault> {
        (self.spec().read)(payload)
    }

    fn last_word(self) -> &'static str {
        self.spec().last_word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_saved_under_the_name_that_is_typed() {
        for protocol in Protocol::ALL {
            let saved = serde_json::to_value(protocol).unwrap();
            assert_eq!(saved, protocol.name());
            assert_eq!(Protocol::named(protocol.name()), Some(protocol));
        }
        assert_eq!(Protocol::named("auto"), None);
    }
}
