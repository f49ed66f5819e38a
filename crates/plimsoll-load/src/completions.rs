//! Requests of the OpenAI protocol for a workload.

use std::fmt::Write;

use plimsoll_core::run::{Endpoint, PromptForm};
use plimsoll_core::workload::{Calibration, Workload};

use crate::source::{Built, RequestSource};

/// How requests must look for this server, as preflight found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Model name.
    pub model: String,
    /// Which API.
    pub endpoint: Endpoint,
    /// How prompts are made.
    pub prompt_form: PromptForm,
    /// Words for tokens, where prompts are words.
    pub calibration: Option<Calibration>,
    /// Whether `ignore_eos` is sent: the server knows it.
    pub ignore_eos: bool,
    /// Whether `stream_options.include_usage` is sent: the server knows it.
    pub include_usage: bool,
}

impl Dialect {
    /// The path of the endpoint.
    pub fn path(&self) -> &'static str {
        match self.endpoint {
            Endpoint::Completions => "/v1/completions",
            Endpoint::Chat => "/v1/chat/completions",
        }
    }

    /// One streaming request of the given lengths.
    pub fn build(
        &self,
        workload: &Workload,
        index: u64,
        prompt_tokens: u32,
        output_tokens: u32,
    ) -> Built {
        let words = self
            .calibration
            .map_or(prompt_tokens, |fitted| fitted.words_for(prompt_tokens));
        let prompt = match self.prompt_form {
            PromptForm::TokenIds => json_ids(&workload.token_ids(index, prompt_tokens)),
            PromptForm::Words => json_string(&workload.words(index, words)),
        };
        let mut body = format!("{{\"model\":{},", json_string(&self.model));
        match self.endpoint {
            Endpoint::Completions => add(&mut body, format_args!("\"prompt\":{prompt},")),
            Endpoint::Chat => {
                add(
                    &mut body,
                    format_args!("\"messages\":[{{\"role\":\"user\",\"content\":{prompt}}}],"),
                );
            }
        }
        add(
            &mut body,
            format_args!("\"max_tokens\":{output_tokens},\"temperature\":0,\"stream\":true"),
        );
        if self.include_usage {
            body.push_str(",\"stream_options\":{\"include_usage\":true}");
        }
        if self.ignore_eos {
            body.push_str(",\"ignore_eos\":true");
        }
        body.push('}');
        Built {
            path: self.path().to_owned(),
            headers: Vec::new(),
            body: body.into_bytes(),
            asked_prompt_tokens: prompt_tokens,
            asked_output_tokens: output_tokens,
        }
    }
}

fn add(body: &mut String, text: std::fmt::Arguments<'_>) {
    body.write_fmt(text)
        .expect("writing to a string does not fail");
}

fn json_ids(ids: &[u32]) -> String {
    let mut text = String::with_capacity(ids.len() * 6 + 2);
    text.push('[');
    for (i, id) in ids.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(&id.to_string());
    }
    text.push(']');
    text
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A workload spoken in a dialect.
#[derive(Clone, Debug)]
pub struct CompletionSource {
    /// How requests look.
    pub dialect: Dialect,
    /// What they ask for.
    pub workload: Workload,
}

impl RequestSource for CompletionSource {
    fn build(&self, index: u64) -> Built {
        let lengths = self.workload.lengths(index);
        self.dialect.build(
            &self.workload,
            index,
            lengths.input_tokens,
            lengths.output_tokens,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(endpoint: Endpoint, prompt_form: PromptForm) -> Dialect {
        Dialect {
            model: "a \"b\"".to_owned(),
            endpoint,
            prompt_form,
            calibration: None,
            ignore_eos: true,
            include_usage: true,
        }
    }

    #[test]
    fn bodies_are_json_with_the_prompt_asked_for() {
        let workload = Workload::uniform(5, 7, 0.0, 1);
        let ids = CompletionSource {
            dialect: dialect(Endpoint::Completions, PromptForm::TokenIds),
            workload,
        };
        let body: serde_json::Value = serde_json::from_slice(&ids.build(3).body).unwrap();
        assert_eq!(body["prompt"].as_array().unwrap().len(), 5);
        assert_eq!(
            (&body["max_tokens"], &body["model"]),
            (&7.into(), &"a \"b\"".into())
        );
        let chat = CompletionSource {
            dialect: dialect(Endpoint::Chat, PromptForm::Words),
            workload,
        };
        let body: serde_json::Value = serde_json::from_slice(&chat.build(3).body).unwrap();
        let content = body["messages"][0]["content"].as_str().unwrap();
        assert_eq!(content.split(' ').count(), 5);
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
}
