//! What one payload of an answer says, in whatever protocol.

use std::ops::Range;

use thiserror::Error;

use super::json::Json;
use super::usage::Usage;

/// What one payload says.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a payload may say each of these beside the others"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// It is a part of the answer, with or without output: an event of its record.
    pub is_part: bool,
    /// Output text it carries: answer, reasoning or tool arguments. Empty for role-only deltas.
    pub text: String,
    /// Some of the text is reasoning: what the server counts of it was streamed.
    pub has_reasoning: bool,
    /// It says why the answer ended.
    pub finished: bool,
    /// Nothing of the answer comes after it.
    pub is_last: bool,
    /// Token counts, wherever they stand.
    pub usage: Option<Usage>,
    /// That the answer failed, in the server's words.
    pub error: Option<String>,
}

/// The payload is not of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a completion chunk: {0}")]
pub struct ChunkFault(pub String);

impl From<serde_json::Error> for ChunkFault {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a payload says, and where it stands in it.
#[derive(Debug, Default)]
pub(super) struct Located {
    /// What it says.
    pub(super) chunk: Chunk,
    /// Where the output text stands, if it is all that the payload says: one string without
    /// escapes, no end, no counts, no error.
    pub(super) text: Option<Range<usize>>,
    /// Where another string stands that differs from payload to payload.
    pub(super) aside: Option<Aside>,
}

/// A string beside the output text that differs from payload to payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// It says nothing, such as a time of creation. It stands before the text.
    Ignored(Range<usize>),
    /// It is the same text once more, under another name.
    Twin(Range<usize>),
}

/// The output of a payload: the values that it consists of, each of which counts once.
#[derive(Debug, Default)]
pub(super) struct Output<'d, 'a> {
    parts: Vec<&'d Json<'a>>,
    twin: Option<&'d Json<'a>>,
    has_tools: bool,
    has_reasoning: bool,
}

impl<'d, 'a> Output<'d, 'a> {
    /// Adds the text of a value, of a list of parts too. Says whether it had any.
    pub(super) fn add(&mut self, value: Option<&'d Json<'a>>) -> bool {
        let known = self.parts.len();
        if let Some(value) = value {
            collect(value, &mut self.parts);
        }
        self.parts.len() > known
    }

    /// Adds the first of several fields that has text. Gateways give the same text under several
    /// names; it is output once.
    pub(super) fn add_one_of(&mut self, object: &'d Json<'a>, names: &[&str]) -> bool {
        let mut values = names.iter().filter_map(|name| object.get(name));
        let Some(value) = values.find(|value| self.add(Some(*value))) else {
            return false;
        };
        let same = values.find(|other| value.text().is_some() && other.text() == value.text());
        self.twin = same.or(self.twin);
        true
    }

    /// Adds reasoning, as [`Output::add_one_of`] does.
    pub(super) fn add_reasoning(&mut self, object: &'d Json<'a>, names: &[&str]) {
        self.has_reasoning |= self.add_one_of(object, names);
    }

    /// Adds the name and the arguments of a call.
    pub(super) fn add_call(&mut self, function: &'d Json<'a>) {
        for value in ["name", "arguments"].map(|name| function.get(name)) {
            let value = value.filter(|value| !value.is_nothing());
            self.has_tools |= value.is_some();
            self.parts.extend(value);
        }
    }

    /// Notes the same text under another name.
    pub(super) fn note_twin(&mut self, other: Option<&'d Json<'a>>) {
        let same = other.filter(|other| match self.parts.as_slice() {
            [only] => other.text().is_some() && other.text() == only.text(),
            _ => false,
        });
        self.twin = same.or(self.twin);
    }

    /// All of it.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part.text() {
                Some(part) => text.push_str(part),
                None => text.push_str(&part.to_string()),
            }
        }
        text
    }

    /// Whether some of it is reasoning.
    pub(super) fn has_reasoning(&self) -> bool {
        self.has_reasoning
    }

    /// Where it stands in the payload, if it is one string without escapes, and where its twin does.
    pub(super) fn place(&self, payload: &[u8]) -> Option<(Range<usize>, Option<Aside>)> {
        let [only] = self.parts.as_slice() else {
            return None;
        };
        if self.has_tools {
            return None;
        }
        let place = only.place(payload)?;
        let Some(twin) = self.twin else {
            return Some((place, None));
        };
        let twin = twin.place(payload)?;
        // The later one is the text, and the other stands aside before it.
        let (first, second) = if twin.start < place.start {
            (twin, place)
        } else {
            (place, twin)
        };
        Some((second, Some(Aside::Twin(first))))
    }
}

/// The text of a value: a string, a number in its place, or a list of parts that have a `text` or a
/// `thinking`, which may be lists again.
fn collect<'d, 'a>(value: &'d Json<'a>, parts: &mut Vec<&'d Json<'a>>) {
    match value {
        Json::Text(text) if text.is_empty() => {}
        Json::Text(_) | Json::Number(_) => parts.push(value),
        Json::List(list) => list.iter().for_each(|part| collect(part, parts)),
        Json::Object(_) => {
            let inner = ["thinking", "text"]
                .into_iter()
                .find_map(|name| value.get(name));
            if let Some(inner) = inner {
                collect(inner, parts);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
}
