//! Requests for a workload, as one server wants them.

use plimsoll_core::negotiation::Form;
use plimsoll_core::protocol::{Feature, Prompt, PromptForm, Request};
use plimsoll_core::run::BodyPlan;
use plimsoll_core::workload::{Calibration, Workload};

use crate::source::{Built, RequestSource};

/// How requests must look for this server, as preflight found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Model name.
    pub model: String,
    /// Which API, and what of it the server takes.
    pub form: Form,
    /// Words for tokens, where prompts are words.
    pub calibration: Option<Calibration>,
    /// What the user wants in each body.
    pub body: BodyPlan,
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
        let prompt = match self.form.prompt_form() {
            PromptForm::TokenIds => {
                ids = workload.token_ids(index, prompt_tokens);
                Prompt::TokenIds(&ids)
            }
            PromptForm::Words => {
                text = workload.words(index, words);
                Prompt::Text(&text)
            }
        };
        let protocol = self.form.protocol;
        let body = protocol.body(&Request {
            model: &self.model,
            prompt,
            output_tokens,
            extras: self.form.extras(),
            sampling: &self.sampling(),
            extra: Some(&self.body.extra),
        });
        Built {
            path: protocol.path().to_owned(),
            headers: Vec::new(),
            body: body.into_bytes(),
            asked_prompt_tokens: prompt_tokens,
            asked_output_tokens: output_tokens,
        }
    }

    /// The user's settings of the sampling, and the greedy one where there is none for it.
    fn sampling(&self) -> Vec<(&str, String)> {
        let own = self.body.sampling.iter();
        let own = own.map(|(name, value)| (name.as_str(), value.to_string()));
        let is_greedy = self.form.has(Feature::Temperature)
            && !self.body.sampling.contains_key(Feature::Temperature.name());
        let greedy = is_greedy.then(|| (Feature::Temperature.name(), "0".to_owned()));
        greedy.into_iter().chain(own).collect()
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
    use plimsoll_core::protocol::Protocol;
    use serde_json::{Value, json};

    use super::*;

    fn body(form: Form, plan: Value) -> Value {
        let source = WorkloadSource {
            dialect: Dialect {
                model: "m".to_owned(),
                form,
                calibration: None,
                body: serde_json::from_value(plan).unwrap(),
            },
            workload: Workload::uniform(5, 7, 0.0, 1),
        };
        serde_json::from_slice(&source.build(3).body).unwrap()
    }

    #[test]
    fn prompts_have_the_length_asked_for_in_either_form() {
        let ids = body(Form::richest(Protocol::Completions, &[]), json!({}));
        assert_eq!(ids["prompt"].as_array().unwrap().len(), 5);
        assert_eq!(
            (&ids["max_tokens"], &ids["temperature"]),
            (&json!(7), &json!(0))
        );
        let chat = body(Form::richest(Protocol::Chat, &[]), json!({}));
        let content = chat["messages"][0]["content"].as_str().unwrap();
        assert_eq!(content.split(' ').count(), 5);
    }

    #[test]
    fn what_is_not_taken_is_not_sent_and_what_the_user_wants_is() {
        let bare = body(Form::richest(Protocol::Chat, &Feature::ALL), json!({}));
        let mut names: Vec<&String> = bare.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(
            names,
            ["max_completion_tokens", "messages", "model", "stream"]
        );
        let own = json!({
            "sampling": { "temperature": 0.5, "top_k": 3 },
            "extra": { "stream_options": { "more": 1 }, "top_k": 4 },
        });
        let own = body(Form::richest(Protocol::Chat, &[]), own);
        assert_eq!(
            (&own["temperature"], &own["top_k"]),
            (&json!(0.5), &json!(4))
        );
        let options = json!({ "include_usage": true, "more": 1 });
        assert_eq!(own["stream_options"], options);
    }
}
