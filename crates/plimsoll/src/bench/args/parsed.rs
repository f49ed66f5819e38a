//! The values of all flags, given or by default.

use std::collections::{BTreeMap, BTreeSet};

use super::flag::{Flag, Kind};
use super::typed;
use crate::bench::failure::Failure;
use crate::bench::json::{Json, Object};

/// The value of one flag.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// On or off.
    Switch(bool),
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// JSON.
    Json(Json),
    /// Several words.
    List(Vec<String>),
}

/// What was typed, read by the table. A flag without value and default has no entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    values: BTreeMap<&'static str, Value>,
    given: BTreeSet<&'static str>,
}

impl Parsed {
    /// The values before anything was typed.
    pub(super) fn defaults(flags: &'static [Flag]) -> Result<Self, Failure> {
        let mut parsed = Self::default();
        for flag in flags {
            let value = match (flag.kind, flag.default) {
                (Kind::Switch, _) => Value::Switch(false),
                (_, Some(default)) => typed(flag, default)?,
                (_, None) => continue,
            };
            parsed.values.insert(flag.name, value);
        }
        Ok(parsed)
    }

    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
        self.given.insert(name);
    }

    /// The JSON of a flag, an empty object if there is none yet.
    pub(super) fn json_mut(&mut self, name: &'static str) -> &mut Json {
        self.given.insert(name);
        let value = self
            .values
            .entry(name)
            .or_insert_with(|| Value::Json(Json::Object(Object::default())));
        if !matches!(value, Value::Json(_)) {
            *value = Value::Json(Json::Null);
        }
        match value {
            Value::Json(json) => json,
            _ => unreachable!("it was made JSON just above"),
        }
    }

    /// The value of a flag.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Whether a flag was typed.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    /// Whether a switch is on.
    pub(crate) fn on(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Switch(true)))
    }

    /// The text of a flag.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The whole number of a flag.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        match self.values.get(name) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The number of a flag.
    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        match self.values.get(name) {
            Some(Value::Float(number)) => Some(*number),
            _ => None,
        }
    }

    /// The JSON of a flag.
    pub(crate) fn json(&self, name: &str) -> Option<&Json> {
        match self.values.get(name) {
            Some(Value::Json(json)) => Some(json),
            _ => None,
        }
    }

    /// The words of a flag.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Value::List(words)) => words,
            _ => &[],
        }
    }
}
