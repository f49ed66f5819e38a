//! Requests for a workload, as one server wants them.

use plimsoll_core::protocol::{Extras, Prompt, PromptForm, Protocol, Request};
use plimsoll_core::workload::{Calibration, Workload};

use crate::source::{Built, RequestSource};

/// How requests must look for this server, as preflight found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Model name.
    pub model: String,
    /// Which API.
    pub protocol: Protocol,
    /// How prompts are made.
    pub prompt_form: PromptForm,
    /// Words for tokens, where prompts are words.
    pub calibration: Option<Calibration>,
    /// What the server knows beside the usual.
    pub extras: Extras,
}

impl Dialect {
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
        let (text, ids);
        let prompt = match self.prompt_form {
            PromptForm::TokenIds => {
                ids = workload.token_ids(index, prompt_tokens);
                Prompt::TokenIds(&ids)
            }
            PromptForm::Words => {
                text = workload.words(index, words);
                Prompt::Text(&text)
            }
        };
        let body = self.protocol.body(&Request {
            model: &self.model,
            prompt,
            output_tokens,
            extras: self.extras,
            sampling: &[("temperature", "0".to_owned())],
        });
        Built {
            path: self.protocol.path().to_owned(),
            headers: Vec::new(),
            body: body.into_bytes(),
            asked_prompt_tokens: prompt_tokens,
            asked_output_tokens: output_tokens,
        }
    }
}

/// A workload spoken in a dialect.
#[derive(Clone, Debug)]
pub struct WorkloadSource {
    /// How requests look.
    pub dialect: Dialect,
    /// What they ask for.
    pub workload: Workload,
}

impl RequestSource for WorkloadSource {
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

    #[test]
    fn prompts_have_the_length_asked_for_in_either_form() {
        let source = |protocol, prompt_form| WorkloadSource {
            dialect: Dialect {
                model: "m".to_owned(),
                protocol,
                prompt_form,
                calibration: None,
                extras: Extras::NONE,
            },
            workload: Workload::uniform(5, 7, 0.0, 1),
        };
        let body = |source: &WorkloadSource| -> serde_json::Value {
            serde_json::from_slice(&source.build(3).body).unwrap()
        };
        let ids = body(&source(Protocol::Completions, PromptForm::TokenIds));
        assert_eq!(ids["prompt"].as_array().unwrap().len(), 5);
        assert_eq!(ids["max_tokens"], 7);
        let chat = body(&source(Protocol::Chat, PromptForm::Words));
        let content = chat["messages"][0]["content"].as_str().unwrap();
        assert_eq!(content.split(' ').count(), 5);
    }
}
