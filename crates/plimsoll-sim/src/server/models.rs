//! The list of the one model that is served, in each protocol's form.

use plimsoll_core::protocol::Protocol;
use serde_json::json;

/// The served model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model<'a> {
    pub(crate) name: &'a str,
    /// Seconds since 1970.
    pub(crate) created: u64,
    /// Longest prompt and answer together, tokens.
    pub(crate) max_tokens: Option<u32>,
}

impl Model<'_> {
    /// The JSON of the list.
    pub(crate) fn list(self, protocol: Protocol) -> String {
        let Self { name, created, .. } = self;
        if protocol == Protocol::Ollama {
            return json!({ "models": [{ "name": name, "model": name }] }).to_string();
        }
        let mut model = json!({
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "plimsoll-sim",
            "root": name,
            "parent": null,
        });
        if let Some(max_tokens) = self.max_tokens {
            model["max_model_len"] = max_tokens.into();
        }
        json!({ "object": "list", "data": [model] }).to_string()
    }
}
