//! The models that a server says it serves.

use serde_json::Value;

/// A model that the server offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServedModel {
    /// The name to send.
    pub id: String,
    /// Where it was loaded from, if the server says.
    pub root: Option<String>,
    /// Longest context, tokens.
    pub max_tokens: Option<u32>,
    /// Kind of server, by its own words.
    pub kind: Option<String>,
}

/// Where a protocol lists the models, and how the list is read.
#[derive(Clone, Copy, Debug)]
pub struct ModelList {
    /// Path below the server's base.
    pub path: &'static str,
    pub(super) read: fn(&Value) -> Option<Vec<ServedModel>>,
}

impl ModelList {
    /// The models of the list; `None` if the page is no list.
    pub fn read(&self, page: &[u8]) -> Option<Vec<ServedModel>> {
        let page = serde_json::from_slice(page).ok()?;
        (self.read)(&page)
    }
}

/// A text of an entry.
pub(super) fn text(entry: &Value, key: &str) -> Option<String> {
    entry.get(key).and_then(Value::as_str).map(str::to_owned)
}
