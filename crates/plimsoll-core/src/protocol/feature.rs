//! What not every server of a protocol takes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What not every server of a protocol takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// A prompt of token ids; without it the prompt is words.
    TokenIds,
    /// `ignore_eos`: the answer goes on to the length asked for. vLLM's and llama.cpp's.
    IgnoreEos,
    /// `stream_options`: token counts at the end of a stream.
    StreamOptions,
    /// `temperature` 0; without it the server's own.
    Temperature,
    /// `max_tokens`; without it the length stands in `max_completion_tokens`.
    MaxTokens,
}

impl Feature {
    /// In the order in which they are left out where nobody says which: those first that fewest
    /// servers take.
    pub const ALL: [Self; 5] = [
        Self::TokenIds,
        Self::IgnoreEos,
        Self::StreamOptions,
        Self::Temperature,
        Self::MaxTokens,
    ];

    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenIds => "token ids",
            Self::IgnoreEos => "ignore_eos",
            Self::StreamOptions => "stream_options",
            Self::Temperature => "temperature",
            Self::MaxTokens => "max_tokens",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
