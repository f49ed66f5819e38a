//! A header of the user's own.

use http::{HeaderName, HeaderValue};
use thiserror::Error;

use super::Secret;

/// Headers that speak of a connection or its framing, which are not the user's to set.
const TAKEN: [&str; 7] = [
    "host",
    "connection",
    "content-length",
    "expect",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Why a header is none. Its value is not shown: it may be a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderFault {
    /// There is no name before a colon.
    #[error("a header is written as 'Name: value'")]
    Form,
    /// Its name has characters that no name has (RFC 9110 §5.6.2). It is not shown either: a value may
    /// have come to stand in its place.
    #[error(
        "what stands before the colon is no name of a header: a header is written as 'Name: value'"
    )]
    Name,
    /// Its value has control characters, which would end it.
    #[error("the value of the header `{0}` has a line break or another control character")]
    Value(String),
    /// A key has control characters; the variable that holds it is named.
    #[error("the key in {0} has a line break or another control character")]
    Key(String),
    /// It is the program's own.
    #[error("the header `{0}` belongs to the connection and cannot be set")]
    Taken(String),
}

/// Reads `Name: value`.
///
/// # Errors
/// It is no header that can be sent.
pub fn parse_header(text: &str) -> Result<(String, Secret), HeaderFault> {
    let (name, value) = text.split_once(':').ok_or(HeaderFault::Form)?;
    header(name, value)
}

/// A header by its name and value, spaces around them taken off.
///
/// # Errors
/// It cannot be sent, or is not the user's to set.
pub fn header(name: &str, value: &str) -> Result<(String, Secret), HeaderFault> {
    // Spaces alone: a line break at the end is a fault, and not nothing.
    let (name, value) = (name.trim_matches(' '), value.trim_matches(' '));
    if name.is_empty() {
        return Err(HeaderFault::Form);
    }
    let known = HeaderName::try_from(name).map_err(|_| HeaderFault::Name)?;
    if TAKEN.contains(&known.as_str()) {
        return Err(HeaderFault::Taken(name.to_owned()));
    }
    if HeaderValue::from_bytes(value.as_bytes()).is_err() {
        return Err(HeaderFault::Value(name.to_owned()));
    }
    Ok((name.to_owned(), Secret::new(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_no_value_is_shown() {
        let read = |text| parse_header(text).map(|(name, value)| (name, value.expose().to_owned()));
        let own = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(read("api-key: sesame"), own("api-key", "sesame"));
        assert_eq!(read("X-A:b: c"), own("X-A", "b: c"));
        assert_eq!(read("X-Empty:"), own("X-Empty", ""));
        for bad in [
            "sesame",
            ": sesame",
            "a b: sesame",
            "Authorization=Basic sesame:",
            "x: sesame\r\nEvil: 1",
            "x: sesame\n",
            "x\r\nEvil: sesame",
            "x: se\0same",
            "Host: sesame",
            "content-length: 5",
        ] {
            let fault = parse_header(bad).unwrap_err().to_string();
            assert!(!fault.contains("sesame"), "{fault}");
        }
    }
}
