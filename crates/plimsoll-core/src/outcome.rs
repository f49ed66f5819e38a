//! How a request ended. Every request that was due ends as exactly one of these.

use serde::{Deserialize, Serialize};

/// The one way in which a request ended (method.md §3).
///
/// All but [`Outcome::Completed`], [`Outcome::CutAtEnd`] and [`Outcome::NeverSent`] count against
/// the success of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The answer came to its end, with output.
    Completed,
    /// The server answered with a status that is not 2xx.
    HttpStatus {
        /// The HTTP status code.
        status: u16,
    },
    /// The connection could not be made.
    Connect,
    /// The TLS handshake or a TLS record failed.
    Tls,
    /// The connection was reset or closed before the answer ended.
    Reset,
    /// The answer did not end within the request's time limit.
    TimedOut,
    /// The bytes were not HTTP, not an event stream, or not the protocol's JSON.
    Malformed,
    /// An error event came inside a stream with status 200.
    ErrorEvent,
    /// The stream ended with neither a finish reason nor `[DONE]`.
    EndedEarly,
    /// The stream ended properly without any output.
    Empty,
    /// The tool itself cut the request: the level or the run ended.
    CutAtEnd,
    /// The request was due but never sent; the load was not delivered as asked.
    NeverSent,
}

impl Outcome {
    /// Whether the answer came whole.
    pub fn is_completed(self) -> bool {
        self == Self::Completed
    }

    /// Whether this outcome counts against the server's success.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Completed | Self::CutAtEnd | Self::NeverSent)
    }

    /// The same of a key in counts; a key that is not known here is a failure.
    pub fn is_failure_key(key: &str) -> bool {
        Self::from_key(key).is_none_or(Self::is_failure)
    }

    /// A short stable name, used as a key in counts: `http_429`, `reset`, `timed_out`.
    pub fn key(self) -> String {
        match self {
            Self::HttpStatus { status } => format!("http_{status}"),
            other => other.name().to_owned(),
        }
    }

    /// The outcome of a key; `None` of a text that is none.
    pub fn from_key(key: &str) -> Option<Self> {
        const ALL: [Outcome; 11] = [
            Outcome::Completed,
            Outcome::Connect,
            Outcome::Tls,
            Outcome::Reset,
            Outcome::TimedOut,
            Outcome::Malformed,
            Outcome::ErrorEvent,
            Outcome::EndedEarly,
            Outcome::Empty,
            Outcome::CutAtEnd,
            Outcome::NeverSent,
        ];
        match key.strip_prefix("http_") {
            Some(status) => Some(Self::HttpStatus {
                status: status.parse().ok()?,
            }),
            None => ALL.into_iter().find(|outcome| outcome.name() == key),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::HttpStatus { .. } => "http_status",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::ErrorEvent => "error_event",
            Self::EndedEarly => "ended_early",
            Self::Empty => "empty",
            Self::CutAtEnd => "cut_at_end",
            Self::NeverSent => "never_sent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_is_blamed_for_failures() {
        let blameless = [Outcome::Completed, Outcome::CutAtEnd, Outcome::NeverSent];
        assert!(blameless.iter().all(|outcome| !outcome.is_failure()));
        let failures = [
            Outcome::HttpStatus { status: 429 },
            Outcome::Connect,
            Outcome::Tls,
            Outcome::Reset,
            Outcome::TimedOut,
            Outcome::Malformed,
            Outcome::ErrorEvent,
            Outcome::EndedEarly,
            Outcome::Empty,
        ];
        assert!(failures.iter().all(|outcome| outcome.is_failure()));
    }

    #[test]
    fn the_key_of_a_status_names_the_status() {
        assert_eq!(Outcome::HttpStatus { status: 503 }.key(), "http_503");
        assert_eq!(Outcome::TimedOut.key(), "timed_out");
        for key in ["http_503", "timed_out", "completed", "never_sent", "empty"] {
            assert_eq!(Outcome::from_key(key).unwrap().key(), key);
        }
        assert_eq!(Outcome::from_key("http_"), None);
        assert_eq!(Outcome::from_key("lost"), None);
        assert!(Outcome::is_failure_key("http_500") && Outcome::is_failure_key("lost"));
        assert!(!Outcome::is_failure_key("cut_at_end"));
    }
}
