//! Looking into JSON documents.

use anyhow::{Context, Result};
use serde_json::Value;

/// A number in a JSON document.
pub(crate) fn number(found: &Value, path: &str) -> Result<f64> {
    found
        .pointer(path)
        .and_then(Value::as_f64)
        .with_context(|| format!("no figure at {path}"))
}
