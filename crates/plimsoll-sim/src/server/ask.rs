//! From a request's JSON to what it asks for, checked and tokenised.

use super::error::ApiError;
use super::words;
use plimsoll_core::protocol::Protocol;
use serde::Deserialize;

/// What one inference request asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ask {
    pub(super) protocol: Protocol,
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
    options: Option<Options>,
}

/// What Ollama has beside the message.
#[derive(Debug, Deserialize)]
pub(crate) struct Options {
    /// Longest answer, tokens; below 0 there is no bound.
    num_predict: Option<i64>,
}

impl Options {
    /// The longest answer, if one is asked for, tokens.
    pub(crate) fn output_tokens(&self) -> Option<u32> {
        self.num_predict
            .and_then(|tokens| u32::try_from(tokens).ok())
    }
}

/// Whether an answer streams where the request does not say.
pub(crate) fn streams_unasked(protocol: Protocol) -> bool {
    protocol == Protocol::Ollama
}

/// Whether token counts are a part of every answer.
pub(crate) fn always_counts(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Ollama | Protocol::Anthropic)
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
    pub(super) fn into_ask(self, protocol: Protocol, limit_tokens: u64) -> Result<Ask, ApiError> {
        let asked = self.output_tokens(protocol)?;
        let mut ask = Ask {
            protocol,
            prompt: Vec::new(),
            max_tokens: 0,
            min_tokens: self.min_tokens.unwrap_or(0),
            ignore_eos: self.ignore_eos.unwrap_or(false) && protocol.can_fix_length(),
            stream: self.stream.unwrap_or_else(|| streams_unasked(protocol)),
            include_usage: always_counts(protocol)
                || self
                    .stream_options
                    .as_ref()
                    .and_then(|options| options.include_usage)
                    .unwrap_or(false),
        };
        ask.prompt = self.prompt_of(protocol)?;
        let room = limit_tokens.saturating_sub(ask.prompt.len() as u64);
        ask.max_tokens = match (asked, protocol) {
            (Some(tokens), _) => tokens,
            // The APIs' own defaults: 16 for a completion, all that fits for a chat.
            (None, Protocol::Completions) => 16,
            (None, _) => room.min(u64::from(u32::MAX)) as u32,
        };
        if ask.max_tokens == 0 || u64::from(ask.max_tokens) > room {
            return Err(ApiError::bad_request(too_long(limit_tokens, &ask)));
        }
        Ok(ask)
    }

    /// The longest answer, if one is asked for.
    fn output_tokens(&self, protocol: Protocol) -> Result<Option<u32>, ApiError> {
        let asked = match protocol {
            Protocol::Ollama => self.options.as_ref().and_then(Options::output_tokens),
            _ => self.max_completion_tokens.or(self.max_tokens),
        };
        match asked {
            Some(0) => Err(ApiError::bad_request(
                "`max_tokens` must be at least 1, got `0`",
            )),
            None if protocol == Protocol::Anthropic => {
                Err(ApiError::bad_request("max_tokens: Field required"))
            }
            asked => Ok(asked),
        }
    }

    /// The prompt, from the field that the protocol has it in.
    fn prompt_of(self, protocol: Protocol) -> Result<Vec<u32>, ApiError> {
        let (is_missing, name) = match protocol {
            Protocol::Completions => (self.prompt.is_none(), "prompt"),
            _ => (self.messages.is_none(), "messages"),
        };
        if is_missing {
            return Err(ApiError::bad_request(format!("`{name}` is missing")));
        }
        let messages = self.messages.filter(|_| protocol != Protocol::Completions);
        let fields = Self {
            messages,
            prompt: self.prompt,
            ..Self::default()
        };
        let prompt = fields.prompt_tokens()?;
        if prompt.is_empty() {
            return Err(ApiError::bad_request("the prompt has no token"));
        }
        Ok(prompt)
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
    use super::Fields;
    use plimsoll_core::protocol::Protocol;

    fn prompt_len(json: &str) -> Result<usize, String> {
        let fields =
            Fields::parse(json.as_bytes()).map_err(|error| error.body(Protocol::Completions))?;
        fields
            .prompt_tokens()
            .map(|tokens| tokens.len())
            .map_err(|error| error.body(Protocol::Completions))
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
    fn each_protocol_has_its_own_way_to_ask() {
        let ask = |json: &str, protocol| {
            let fields = Fields::parse(json.as_bytes());
            fields.and_then(|fields| fields.into_ask(protocol, 100))
        };
        let messages = r#""messages":[{"role":"user","content":"a"}]"#;
        let ollama = format!(r#"{{{messages},"options":{{"num_predict":7}},"ignore_eos":true}}"#);
        let ollama = ask(&ollama, Protocol::Ollama).unwrap();
        assert_eq!((ollama.max_tokens, ollama.stream), (7, true));
        assert!(ollama.include_usage && !ollama.ignore_eos);
        let endless = format!(r#"{{{messages},"options":{{"num_predict":-1}},"stream":false}}"#);
        let endless = ask(&endless, Protocol::Ollama).unwrap();
        assert_eq!((endless.max_tokens, endless.stream), (95, false));
        let anthropic = format!(r#"{{{messages},"max_tokens":9}}"#);
        let anthropic = ask(&anthropic, Protocol::Anthropic).unwrap();
        assert_eq!((anthropic.max_tokens, anthropic.stream), (9, false));
        let endless = ask(&format!("{{{messages}}}"), Protocol::Anthropic);
        assert!(
            endless
                .unwrap_err()
                .body(Protocol::Anthropic)
                .contains("Field required")
        );
    }

    #[test]
    fn output_length_has_the_apis_defaults_and_bounds() {
        let ask = |json: &str, protocol| {
            Fields::parse(json.as_bytes()).and_then(|fields| fields.into_ask(protocol, 100))
        };
        let max = |json: &str, protocol| ask(json, protocol).map(|ask| ask.max_tokens).ok();
        assert_eq!(max(r#"{"prompt":"a"}"#, Protocol::Completions), Some(16));
        assert_eq!(
            max(
                r#"{"messages":[{"role":"u","content":"a"}]}"#,
                Protocol::Chat
            ),
            Some(95)
        );
        assert_eq!(
            max(r#"{"prompt":"a","max_tokens":99}"#, Protocol::Completions),
            Some(99)
        );
        assert_eq!(
            max(r#"{"prompt":"a","max_tokens":100}"#, Protocol::Completions),
            None
        );
        assert_eq!(
            max(r#"{"prompt":"a","max_tokens":0}"#, Protocol::Completions),
            None
        );
        assert_eq!(max(r#"{"prompt":"a"}"#, Protocol::Chat), None);
    }
}
