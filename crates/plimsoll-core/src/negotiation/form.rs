//! What a request looks like, as far as servers differ in it.

use std::collections::BTreeSet;

use crate::protocol::{Extras, Feature, PromptForm, Protocol};

/// An API and what is sent of its optional fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The API.
    pub protocol: Protocol,
    features: BTreeSet<Feature>,
}

impl Form {
    /// All that a protocol has, but for what is unwanted.
    pub fn richest(protocol: Protocol, unwanted: &[Feature]) -> Self {
        let features = protocol.features().iter().copied();
        Self {
            protocol,
            features: features.filter(|one| !unwanted.contains(one)).collect(),
        }
    }

    /// Whether it has this.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// What it has, in the order in which it is left out.
    pub fn features(&self) -> impl Iterator<Item = Feature> {
        self.features.iter().copied()
    }

    /// The same with one thing less.
    #[must_use]
    pub fn without(mut self, feature: Feature) -> Self {
        let _ = self.features.remove(&feature);
        self
    }

    /// The same with one thing more.
    #[must_use]
    pub fn with(&self, feature: Feature) -> Self {
        let mut more = self.clone();
        let _ = more.features.insert(feature);
        more
    }

    /// How its prompts are made.
    pub fn prompt_form(&self) -> PromptForm {
        if self.has(Feature::TokenIds) {
            PromptForm::TokenIds
        } else {
            PromptForm::Words
        }
    }

    /// The optional fields of its body.
    pub fn extras(&self) -> Extras {
        let can_rename = self.protocol.features().contains(&Feature::MaxTokens);
        Extras {
            ignore_eos: self.has(Feature::IgnoreEos),
            include_usage: self.has(Feature::StreamOptions),
            max_completion_tokens: can_rename && !self.has(Feature::MaxTokens),
        }
    }
}
