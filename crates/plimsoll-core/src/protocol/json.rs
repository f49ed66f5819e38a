//! A JSON document as a tree, read for what it says and not for its shape: a field of another type
//! than expected is one that says nothing. Strings without escapes are borrowed from the bytes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;

/// A JSON value.
#[derive(Debug)]
pub(super) enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Self>),
    /// An object, in the order of its fields.
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Json<'a> {
    /// Reads a whole document.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// A field of an object; of several with the name the last (as most readers have it). `None` if
    /// it is `null`, or this is no object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        let (_, value) = fields.iter().rev().find(|(key, _)| key == name)?;
        (!matches!(value, Self::Null)).then_some(value)
    }

    /// The string that it is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number that it is.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The parts of an array; none of anything else.
    pub(super) fn parts(&self) -> &[Self] {
        match self {
            Self::List(parts) => parts,
            _ => &[],
        }
    }

    /// Whether it is an object.
    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// Whether it says nothing: `null`, `false`, `0`, `""`, `[]`, `{}`.
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => true,
            Self::Bool(true) => false,
            Self::Number(number) => number.as_f64() == Some(0.0),
            Self::Text(text) => text.trim().is_empty(),
            Self::List(parts) => parts.is_empty(),
            Self::Object(fields) => fields.is_empty(),
        }
    }

    /// Where a string stands in the bytes it was read from; `None` where it has escapes.
    pub(super) fn place(&self, document: &[u8]) -> Option<Range<usize>> {
        let Self::Text(Cow::Borrowed(text)) = self else {
            return None;
        };
        let start = text.as_ptr().addr() - document.as_ptr().addr();
        Some(start..start + text.len())
    }
}

/// A string as it is, anything else as JSON.
impl fmt::Display for Json<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            other => out.write_str(&serde_json::to_string(other).map_err(|_| fmt::Error)?),
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(is) => serializer.serialize_bool(*is),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(parts) => parts.serialize(serializer),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

/// The name of a field.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Tree).map(|key| match key {
            Json::Text(text) => Self(text),
            _ => Self(Cow::Borrowed("")),
        })
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(is))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(part) = parts.next_element()? {
            list.push(part);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some((Key(key), value)) = entries.next_entry::<Key<'de>, Json<'de>>()? {
            fields.push((key, value));
        }
        Ok(Json::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_and_written_as_it_is() {
        let text = r#"{"a":[1,-2,2.5,true,null,"b\n天"],"c":{}}"#;
        let read = Json::parse(text.as_bytes()).unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(read.get("a").unwrap().parts().len(), 6);
        assert!(read.get("c").unwrap().is_nothing());
        assert!(Json::parse(b"<html>").is_err());
        assert!(Json::parse(&[b'['; 1_000]).is_err(), "it is not that deep");
    }

    #[test]
    fn the_last_of_a_name_counts_and_null_is_none() {
        let read = Json::parse(br#"{"a":1,"a":2,"b":null}"#).unwrap();
        assert_eq!(read.get("a").and_then(Json::number), Some(2.0));
        assert!(read.get("b").is_none() && read.get("c").is_none());
    }

    #[test]
    fn only_a_string_without_escapes_has_a_place() {
        let bytes = br#"{"a":"xy","b":"x\ny","c":7}"#;
        let read = Json::parse(bytes).unwrap();
        let place = |name| read.get(name).unwrap().place(bytes);
        assert_eq!(&bytes[place("a").unwrap()], b"xy");
        assert_eq!((place("b"), place("c")), (None, None));
    }

    #[test]
    fn what_says_nothing_is_told_from_what_does() {
        for nothing in ["null", "false", "0", "0.0", "\"\"", "\" \"", "[]", "{}"] {
            assert!(
                Json::parse(nothing.as_bytes()).unwrap().is_nothing(),
                "{nothing}"
            );
        }
        for thing in ["true", "1", "\"a\"", "[0]", "{\"a\":0}"] {
            assert!(
                !Json::parse(thing.as_bytes()).unwrap().is_nothing(),
                "{thing}"
            );
        }
    }
}
