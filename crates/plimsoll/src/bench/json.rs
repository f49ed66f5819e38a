//! JSON whose objects keep the order of their keys, written as Python's `json.dump` writes it:
//! `", "` and `": "` between things, everything beyond ASCII escaped, floats in Python's text.

use std::fmt::Write as _;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A string.
    Str(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in the order of insertion.
    Object(Object),
    /// Text that is JSON already.
    Raw(String),
}

/// An object with the habits of a Python dict.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Vec<(String, Json)>);

impl Object {
    /// Sets a key; one that is there already keeps its place, as in a Python dict.
    pub(crate) fn set(&mut self, key: impl Into<String>, value: impl Into<Json>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Sets every key of another object.
    pub(crate) fn update(&mut self, other: &Self) {
        for (key, value) in &other.0 {
            self.set(key.clone(), value.clone());
        }
    }

    /// Sets every key of another object, and in objects that both have, every key of these.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, value) in &other.0 {
            match (self.entry(key), value) {
                (Json::Object(old), Json::Object(new)) => old.merge(new),
                (old, new) => *old = new.clone(),
            }
        }
    }

    /// The keys with their values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// The value of a key, made `null` if there is none yet.
    pub(crate) fn entry(&mut self, key: &str) -> &mut Json {
        let place = self
            .0
            .iter()
            .position(|(known, _)| known == key)
            .unwrap_or_else(|| {
                self.0.push((key.to_owned(), Json::Null));
                self.0.len() - 1
            });
        &mut self.0[place].1
    }

    /// The keys, in order.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    /// The text of the object.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        write_object(self, &mut text);
        text
    }
}

impl Json {
    /// Reads JSON text.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text of the value.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        write_value(self, &mut text);
        text
    }

    /// A number, whole or not.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl From<Object> for Json {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// A float as Python's `repr` writes it: shortest digits that read back the same, always with a
/// fraction or an exponent, `inf` and `nan` in words.
pub(crate) fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(power) if value != 0.0 && !(-4..16).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", power.abs())
        }
        _ => format!("{value:?}"),
    }
}

fn write_value(value: &Json, text: &mut String) {
    match value {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Int(number) => text.push_str(&number.to_string()),
        Json::Float(number) => text.push_str(&json_float(*number)),
        Json::Str(string) => write_string(string, text),
        Json::List(values) => {
            text.push('[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    text.push_str(", ");
                }
                write_value(value, text);
            }
            text.push(']');
        }
        Json::Object(object) => write_object(object, text),
        Json::Raw(raw) => text.push_str(raw),
    }
}

/// JSON has no infinities: where Python writes the bare words, which strict readers refuse, this
/// writes the strings `"inf"`, as `request_rate` always has been, and `"nan"`.
fn json_float(number: f64) -> String {
    if number.is_finite() {
        python_float(number)
    } else {
        format!("\"{}\"", python_float(number))
    }
}

fn write_object(object: &Object, text: &mut String) {
    text.push('{');
    for (i, (key, value)) in object.0.iter().enumerate() {
        if i > 0 {
            text.push_str(", ");
        }
        write_string(key, text);
        text.push_str(": ");
        write_value(value, text);
    }
    text.push('}');
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a `String` cannot fail.
                    write!(text, "\\u{unit:04x}").unwrap_or_default();
                }
            }
        }
    }
    text.push('"');
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or_else(|_| Json::Raw(value.to_string()), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Str(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Object::default();
        while let Some((key, value)) = entries.next_entry::<String, Json>()? {
            object.set(key, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_pythons_text() {
        let table = [
            (20.0, "20.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (2.873_999_960_684_159_3e-6, "2.8739999606841593e-06"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1_384.677_317_553_752_8, "1384.6773175537528"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in table {
            assert_eq!(python_float(value), text);
        }
    }

    #[test]
    fn objects_keep_their_order_and_overwrite_in_place() {
        let mut object = Object::default();
        object.set("b", 1_u32);
        object.set("a", f64::INFINITY);
        object.set("b", "x");
        object.set("c", None::<f64>);
        assert_eq!(object.to_text(), r#"{"b": "x", "a": "inf", "c": null}"#);
    }

    #[test]
    fn strings_are_escaped_to_ascii() {
        let text = Json::from("é\u{1F600}\"\n\u{7f}首").to_text();
        assert_eq!(text, r#""\u00e9\ud83d\ude00\"\n\u007f\u9996""#);
    }

    #[test]
    fn what_is_read_is_written_back_in_order() {
        let text = r#"{"z": [1, 2.5, "a"], "a": {"y": null, "b": true}}"#;
        assert_eq!(Json::parse(text).unwrap().to_text(), text);
        assert!(Json::parse("{").is_err());
    }
}
