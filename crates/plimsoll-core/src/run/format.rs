//! Which version a saved run is of, and how each is read.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Result, Value};

use super::{Run, RunEvent, SCHEMA_VERSION, v1};

/// The version of a saved run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of version 1: it is read as the run that it would be today, and cannot be gone on with.
    V1,
    /// The one that is written.
    Current,
}

/// A run of a version that is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownVersion {
    /// Its version.
    pub schema_version: u32,
}

/// What is the same in every version.
#[derive(Deserialize)]
struct Versioned {
    schema_version: Option<u32>,
}

impl Format {
    /// By the run file or the first event of a log. What does not say its version is taken for a
    /// current one, and fails when it is read.
    ///
    /// # Errors
    /// It is newer than this program.
    pub fn of(run_or_first_event: &[u8]) -> std::result::Result<Self, UnknownVersion> {
        let versioned = serde_json::from_slice::<Versioned>(run_or_first_event).ok();
        match versioned.and_then(|of| of.schema_version) {
            Some(1) => Ok(Self::V1),
            None | Some(SCHEMA_VERSION) => Ok(Self::Current),
            Some(schema_version) => Err(UnknownVersion { schema_version }),
        }
    }

    /// Reads a run file.
    ///
    /// # Errors
    /// It is no run of this version.
    pub fn run(self, bytes: &[u8]) -> Result<Run> {
        self.read(bytes, v1::run)
    }

    /// Reads an event of a log.
    ///
    /// # Errors
    /// It is no event of this version.
    pub fn event(self, line: &[u8]) -> Result<RunEvent> {
        self.read(line, v1::event)
    }

    fn read<T: DeserializeOwned>(self, bytes: &[u8], upgrade: fn(&mut Value)) -> Result<T> {
        match self {
            Self::Current => serde_json::from_slice(bytes),
            Self::V1 => {
                let mut value = serde_json::from_slice(bytes)?;
                upgrade(&mut value);
                serde_json::from_value(value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_its_version() {
        let of = |text: &str| Format::of(text.as_bytes());
        assert_eq!(of(r#"{"schema_version":1}"#), Ok(Format::V1));
        assert_eq!(of(r#"{"schema_version":2}"#), Ok(Format::Current));
        assert_eq!(of("{"), Ok(Format::Current));
        let unknown = |schema_version| Err(UnknownVersion { schema_version });
        assert_eq!(of(r#"{"schema_version":3}"#), unknown(3));
        assert_eq!(of(r#"{"schema_version":0}"#), unknown(0));
    }
}
