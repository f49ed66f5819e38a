//! Servers whose answers a test makes of the requests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use plimsoll_load::target::Target;
use serde_json::Value;

use super::raw::{reset, serve};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `POST /v1/completions`.
    pub(crate) line: String,
    /// Of a request without a body `null`.
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn has(&self, field: &str) -> bool {
        self.body.get(field).is_some()
    }

    pub(crate) fn is_chat(&self) -> bool {
        self.line.ends_with("/chat/completions")
    }

    pub(crate) fn is_completions(&self) -> bool {
        self.line.ends_with("/completions") && !self.is_chat()
    }

    pub(crate) fn has_ids(&self) -> bool {
        self.body["prompt"].is_array()
    }

    pub(crate) fn text(&self) -> &str {
        let message = &self.body["messages"][0]["content"];
        message
            .as_str()
            .or(self.body["prompt"].as_str())
            .unwrap_or_default()
    }

    pub(crate) fn prompt_tokens(&self) -> usize {
        match self.body["prompt"].as_array() {
            Some(ids) => ids.len(),
            None => self.text().split_whitespace().count(),
        }
    }

    pub(crate) fn output_tokens(&self) -> usize {
        let length = self.body["max_tokens"].as_u64();
        let length = length.or(self.body["max_completion_tokens"].as_u64());
        usize::try_from(length.unwrap_or(16)).unwrap()
    }
}

/// What a server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Says these bytes.
    Bytes(String),
    /// Closes the connection without an answer.
    Drop,
    /// Says nothing.
    Nothing,
}

/// A server that answers each request by itself, and the requests that it got.
pub(crate) fn answering(
    reply: impl Fn(&Asked) -> Reply + Clone + Send + 'static,
) -> (Target, Arc<Mutex<Vec<Asked>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let target = serve(move |_, mut socket| {
        while let Some(request) = read(&mut socket) {
            kept.lock().unwrap().push(request.clone());
            match reply(&request) {
                Reply::Bytes(bytes) => drop(socket.write_all(bytes.as_bytes())),
                Reply::Drop => return reset(&socket),
                Reply::Nothing => {}
            }
        }
    });
    (target, asked)
}

fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(asked) = whole(&bytes) {
            return Some(asked);
        }
        match socket.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

fn whole(bytes: &[u8]) -> Option<Asked> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    let line = head.lines().next()?.rsplit_once(' ')?.0;
    (body.len() >= length).then(|| Asked {
        line: line.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

/// A whole answer with this body.
pub(crate) fn answer(status: u16, content_type: &str, body: &str) -> Reply {
    Reply::Bytes(format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

pub(crate) fn json(status: u16, body: &str) -> Reply {
    answer(status, "application/json", body)
}

/// An error as `OpenAI`'s API has it.
pub(crate) fn refusal(status: u16, message: &str) -> Reply {
    let body = serde_json::json!({ "error": { "message": message } });
    json(status, &body.to_string())
}

/// A model list with one model.
pub(crate) fn models() -> Reply {
    json(200, r#"{"object":"list","data":[{"id":"m"}]}"#)
}

/// An answer of so many tokens to a prompt of so many.
pub(crate) fn tokens(asked: &Asked, prompt: usize, output: usize) -> Reply {
    let choice = if asked.is_chat() {
        r#"{"delta":{"content":" a"}}"#
    } else {
        r#"{"text":" a"}"#
    };
    let mut events = format!("data: {{\"choices\":[{choice}]}}\n\n").repeat(output);
    events.push_str(
        "data: {\"choices\":[{\"text\":\"\",\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
    );
    if asked.has("stream_options") {
        events.extend([format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{output}}}}}\n\n"
        )]);
    }
    events.push_str("data: [DONE]\n\n");
    answer(200, "text/event-stream", &events)
}

/// The answer that was asked for.
pub(crate) fn as_asked(asked: &Asked) -> Reply {
    tokens(asked, asked.prompt_tokens(), asked.output_tokens())
}
