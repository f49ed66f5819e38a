//! A request, as a scripted server sees it.

use std::io::{self, BufRead};

use serde_json::Value;

/// A request with its body.
pub(crate) struct Ask {
    pub(crate) method: String,
    /// Path and query, as they stood in the request.
    pub(crate) target: String,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    /// The body; `null` where it is no JSON.
    pub(crate) json: Value,
    /// Which request for text it is, from 1; 0 for any other request.
    pub(crate) number: usize,
}

impl Ask {
    /// Reads one; `None` if the client closed before it came.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let line = read_line(reader)?;
        let mut words = line.split(' ').map(str::to_owned);
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let mut headers = Vec::new();
        loop {
            let line = read_line(reader)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut ask = Self {
            method,
            target,
            headers,
            json: Value::Null,
            number: 0,
        };
        let length = ask.header("content-length");
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body)?;
        ask.json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Some(ask))
    }

    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Whether it is for the list of models.
    pub(crate) fn is_models(&self) -> bool {
        self.path().ends_with("/models")
    }

    /// Whether it asks for text, by OpenAI's paths or Ollama's.
    pub(crate) fn is_generation(&self) -> bool {
        self.method == "POST"
            && (self.path().ends_with("completions") || self.path().ends_with("/api/chat"))
    }

    pub(crate) fn is_chat(&self) -> bool {
        self.is_generation() && self.path().contains("chat")
    }

    /// The answer's length asked for, tokens.
    pub(crate) fn want(&self) -> usize {
        let body = &self.json;
        [
            &body["max_tokens"],
            &body["max_completion_tokens"],
            &body["options"]["num_predict"],
        ]
        .into_iter()
        .find_map(Value::as_u64)
        .map_or(16, |tokens| tokens as usize)
    }

    /// Whether the prompt is token ids.
    pub(crate) fn has_ids(&self) -> bool {
        self.json["prompt"].is_array()
    }

    /// What it asks: the text of the last message or of the prompt, or the token ids as text.
    pub(crate) fn prompt(&self) -> String {
        let messages = self.json["messages"].as_array();
        let content = match messages.and_then(|all| all.last()) {
            Some(message) => &message["content"],
            None => &self.json["prompt"],
        };
        match content {
            Value::String(text) => text.clone(),
            Value::Array(ids) if self.has_ids() => {
                let ids: Vec<String> = ids.iter().map(Value::to_string).collect();
                ids.join(" ")
            }
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part["text"].as_str());
                texts.collect()
            }
            _ => String::new(),
        }
    }

    /// The prompt's length in tokens, of which a word is one.
    pub(crate) fn prompt_tokens(&self) -> usize {
        self.prompt().split_whitespace().count()
    }

    /// Whether it asks for the count of tokens at the end of the answer.
    pub(crate) fn wants_usage(&self) -> bool {
        self.json["stream_options"]["include_usage"] == true
    }
}

/// One line without its end; empty at the end of what came.
fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
