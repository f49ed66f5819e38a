//! From a request's JSON to what it asks for, checked and tokenised.

use super::error::ApiError;
use super::words;
use serde::Deserialize;

/// The two generating endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Completion,
    Chat,
}

/// What one inference request asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) kind: Kind,
    pub(super) prompt: Vec<u32>,
    pub(super) max_tokens: u32,
    pub(super) min_tokens: u32,
    pub(super) ignore_eos: bool,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
}

/// The fields that are read; all others are ignored, as sampling does not matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    model: Option<String>,
    prompt: Option<Prompt>,
    messages: Option<Vec<Message>>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    min_tokens: Option<u32>,
    ignore_eos: Option<bool>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Prompt {
    Text(String),
    Ids(Vec<u32>),
    Texts(Vec<String>),
    IdLists(Vec<Vec<u32>>),
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body)
            .map_err(|error| ApiError::bad_request(format!("invalid request body: {error}")))
    }

    /// Refuses a model other than the served one; no model at all is accepted, as by vLLM.
    pub(super) fn check_model(&self, served: &str) -> Result<(), ApiError> {
        match &self.model {
            Some(model) if model != served => Err(ApiError::unknown_model(model)),
            _ => Ok(()),
        }
    }

    /// Returns the prompt's token ids, from `prompt` or `messages`, whichever is there.
    pub(super) fn prompt_tokens(self) -> Result<Vec<u32>, ApiError> {
        if let Some(messages) = self.messages {
            return Ok(chat_tokens(messages));
        }
        let several = || ApiError::bad_request("only one prompt per request is served");
        match self.prompt {
            Some(Prompt::Text(text)) => Ok(words::tokenize(&text)),
            Some(Prompt::Ids(ids)) => Ok(ids),
            Some(Prompt::Texts(texts)) => match texts.as_slice() {
                [text] => Ok(words::tokenize(text)),
                _ => Err(several()),
            },
            Some(Prompt::IdLists(mut lists)) if lists.len() == 1 => Ok(lists.remove(0)),
            Some(Prompt::IdLists(_)) => Err(several()),
            None => Err(ApiError::bad_request("`prompt` or `messages` is missing")),
        }
    }

    /// Returns what is asked for; `limit_tokens` bounds prompt and output together.
    pub(super) fn into_ask(self, kind: Kind, limit_tokens: u64) -> Result<Ask, ApiError> {
        match kind {
            Kind::Chat if self.messages.is_none() => {
                return Err(ApiError::bad_request("`messages` is missing"));
            }
            Kind::Completion if self.prompt.is_none() => {
                return Err(ApiError::bad_request("`prompt` is missing"));
            }
            _ => {}
        }
        let asked = self.max_completion_tokens.or(self.max_tokens);
        let mut ask = Ask {
            kind,
            prompt: Vec::new(),
            max_tokens: 0,
            min_tokens: self.min_tokens.unwrap_or(0),
            ignore_eos: self.ignore_eos.unwrap_or(false),
            stream: self.stream.unwrap_or(false),
            include_usage: self
                .stream_options
                .as_ref()
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
        };
        ask.prompt = match kind {
            Kind::Completion => Fields {
                messages: None,
                ..self
            }
            .prompt_tokens()?,
            Kind::Chat => self.prompt_tokens()?,
        };
        if ask.prompt.is_empty() {
            return Err(ApiError::bad_request("the prompt has no token"));
        }
        let room = limit_tokens.saturating_sub(ask.prompt.len() as u64);
        ask.max_tokens = match (asked, kind) {
            (Some(tokens), _) => tokens,
            // The API's own defaults: 16 for a completion, all that fits for a chat.
            (None, Kind::Completion) => 16,
            (None, Kind::Chat) => room.min(u64::from(u32::MAX)) as u32,
        };
        if asked == Some(0) {
            return Err(ApiError::bad_request(
                "`max_tokens` must be at least 1, got `0`",
            ));
        }
        if ask.max_tokens == 0 || u64::from(ask.max_tokens) > room {
            return Err(ApiError::bad_request(too_long(limit_tokens, &ask)));
        }
        Ok(ask)
    }
}

fn too_long(limit_tokens: u64, ask: &Ask) -> String {
    format!(
        "This model's maximum context length is {limit_tokens} tokens. However, you requested \
         {} output tokens and your prompt contains {} input tokens.",
        ask.max_tokens,
        ask.prompt.len()
    )
}

fn chat_tokens(messages: Vec<Message>) -> Vec<u32> {
    let mut tokens = Vec::new();
    for message in messages {
        let content = match message.content {
            Some(Content::Text(text)) => text,
            Some(Content::Parts(parts)) => parts
                .iter()
                .map(|part| part.text.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            None => String::new(),
        };
        words::append_message(&mut tokens, &message.role, &content);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::{Fields, Kind};

    fn prompt_len(json: &str) -> Result<usize, String> {
        let fields = Fields::parse(json.as_bytes()).map_err(|error| error.body())?;
        fields
            .prompt_tokens()
            .map(|tokens| tokens.len())
            .map_err(|error| error.body())
    }

    #[test]
    fn every_form_of_prompt_is_read() {
        assert_eq!(prompt_len(r#"{"prompt":"a b c"}"#), Ok(3));
        assert_eq!(prompt_len(r#"{"prompt":[5,6]}"#), Ok(2));
        assert_eq!(prompt_len(r#"{"prompt":["a b"]}"#), Ok(2));
        assert_eq!(prompt_len(r#"{"prompt":[[1,2,3,4]]}"#), Ok(4));
        assert!(prompt_len(r#"{"prompt":["a","b"]}"#).is_err());
        assert!(prompt_len("{").is_err());
        let parts = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a b"}]}]}"#;
        assert_eq!(prompt_len(parts), Ok(6));
    }

    #[test]
    fn output_length_has_the_apis_defaults_and_bounds() {
        let ask = |json: &str, kind| {
            Fields::parse(json.as_bytes()).and_then(|fields| fields.into_ask(kind, 100))
        };
        let max = |json: &str, kind| ask(json, kind).map(|ask| ask.max_tokens).ok();
        assert_eq!(max(r#"{"prompt":"a"}"#, Kind::Completion), Some(16));
        assert_eq!(
            max(r#"{"messages":[{"role":"u","content":"a"}]}"#, Kind::Chat),
            Some(95)
        );
        assert_eq!(
            max(r#"{"prompt":"a","max_tokens":99}"#, Kind::Completion),
            Some(99)
        );
        assert_eq!(
            max(r#"{"prompt":"a","max_tokens":100}"#, Kind::Completion),
            None
        );
        assert_eq!(
            max(r#"{"prompt":"a","max_tokens":0}"#, Kind::Completion),
            None
        );
        assert_eq!(max(r#"{"prompt":"a"}"#, Kind::Chat), None);
    }
}
