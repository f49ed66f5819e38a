//! What a generating request asks for. The prompt is measured, not read.

use crate::server::ask::{Options, always_counts, streams_unasked};
use crate::server::error::ApiError;
use plimsoll_core::protocol::Protocol;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Bytes of body that count as one prompt token where the prompt is text.
const BYTES_PER_TOKEN: usize = 4;
/// Longer answers are refused: one that is not streamed is written in memory.
const MOST_TOKENS: u32 = 1_000_000;

/// What one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) protocol: Protocol,
    /// Length of the answer, in tokens; ≥ 1.
    pub(super) tokens: u32,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// The number of token ids in the prompt, or an estimate by the body's length.
    pub(super) prompt_tokens: u32,
}

/// What a request leaves open.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) model: String,
    pub(super) output_tokens: u32,
}

#[derive(Debug, Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    prompt: Option<Prompt>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    options: Option<Options>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl Ask {
    /// Reads the JSON of a request.
    pub(super) fn read(
        protocol: Protocol,
        body: &[u8],
        defaults: &Defaults,
    ) -> Result<Self, ApiError> {
        let fields: Fields<'_> = serde_json::from_slice(body)
            .map_err(|error| ApiError::bad_request(format!("invalid request body: {error}")))?;
        if let Some(model) = fields.model.filter(|model| *model != defaults.model) {
            return Err(ApiError::unknown_model(&model));
        }
        let options = fields.options.as_ref().and_then(Options::output_tokens);
        let asked = match protocol {
            Protocol::Ollama => options,
            _ => fields.max_completion_tokens.or(fields.max_tokens),
        };
        let tokens = asked.unwrap_or(defaults.output_tokens);
        if !(1..=MOST_TOKENS).contains(&tokens) {
            return Err(ApiError::bad_request(format!(
                "`max_tokens` must be 1 to {MOST_TOKENS}, got `{tokens}`",
            )));
        }
        let counted = fields.prompt.and_then(|prompt| prompt.ids);
        let estimate = || (body.len() / BYTES_PER_TOKEN) as u32;
        let counts = fields.stream_options;
        let counts = counts.and_then(|options| options.include_usage);
        Ok(Self {
            protocol,
            tokens,
            stream: fields.stream.unwrap_or_else(|| streams_unasked(protocol)),
            include_usage: always_counts(protocol) || counts.unwrap_or(false),
            prompt_tokens: counted.unwrap_or_else(estimate),
        })
    }
}

/// A prompt of any form, as its number of token ids if it is made of these.
#[derive(Debug, PartialEq, Eq)]
struct Prompt {
    ids: Option<u32>,
}

impl<'de> Deserialize<'de> for Prompt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PromptVisitor)
    }
}

struct PromptVisitor;

impl<'de> Visitor<'de> for PromptVisitor {
    type Value = Prompt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, token ids, or a list of either")
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Prompt, E> {
        Ok(Prompt { ids: None })
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Prompt, E> {
        Ok(Prompt { ids: Some(1) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Prompt, A::Error> {
        let mut ids = Some(0_u32);
        while ids.is_some() {
            match seq.next_element::<Prompt>()? {
                Some(element) => ids = ids.zip(element.ids).map(|(sum, more)| sum + more),
                None => break,
            }
        }
        if ids.is_none() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(Prompt { ids })
    }
}

#[cfg(test)]
mod tests {
    use super::{Ask, Defaults};
    use plimsoll_core::protocol::Protocol;

    fn read(json: &str) -> Result<Ask, String> {
        let defaults = Defaults {
            model: "sim".to_owned(),
            output_tokens: 32,
        };
        Ask::read(Protocol::Chat, json.as_bytes(), &defaults)
            .map_err(|error| error.body(Protocol::Chat))
    }

    #[test]
    fn lengths_and_options_are_honoured() {
        let ask = read(
            r#"{"model":"sim","messages":[{"role":"user","content":"a"}],"stream":true,
                "max_tokens":9,"max_completion_tokens":7,"stream_options":{"include_usage":true}}"#,
        )
        .unwrap();
        assert_eq!((ask.tokens, ask.stream, ask.include_usage), (7, true, true));
        let bare = read("{}").unwrap();
        assert_eq!(
            (bare.tokens, bare.stream, bare.include_usage),
            (32, false, false)
        );
        for bad in [r#"{"max_tokens":0}"#, r#"{"model":"gpt"}"#, "{", "[]"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prompt_of_ids_is_counted_and_a_text_estimated() {
        let prompt = |json: &str| read(json).map(|ask| ask.prompt_tokens);
        assert_eq!(prompt(r#"{"prompt":[5,6,7]}"#), Ok(3));
        assert_eq!(prompt(r#"{"prompt":[[1,2],[3]]}"#), Ok(3));
        assert_eq!(prompt(r#"{"prompt":"a \"quoted\" word"}"#), Ok(7));
        assert_eq!(prompt(r#"{"prompt":["a b","c"]}"#), Ok(5));
        assert!(prompt(r#"{"prompt":{}}"#).is_err());
    }
}
