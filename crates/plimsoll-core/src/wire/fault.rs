//! Faults of a response's framing.

use thiserror::Error;

/// Longest head that is accepted, in bytes; more is a fault of the server.
pub(super) const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What is wrong with the bytes of a response.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpFault {
    /// The head is not HTTP/1.x.
    #[error("the answer is not HTTP/1.1: {0}")]
    NotHttp(String),
    /// The head is longer than the limit.
    #[error("the head of the answer is longer than {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    /// The length of the body is stated in a way that cannot be right (RFC 9112 §6.3).
    #[error("the length of the answer is not one: `{0}`")]
    BadLength(String),
    /// A coding that was not asked for and is not known here.
    #[error(
        "the answer comes in the coding `{0}`, which was not asked for and is not known here; turn it off in the server or the gateway before it"
    )]
    UnknownCoding(String),
    /// The body is not of the coding that its head names.
    #[error("the answer is not of the coding that its head names")]
    BadCoding,
    /// More came than an answer of its kind has.
    #[error("the answer does not end: it has more than {0} bytes")]
    DoesNotEnd(u64),
    /// The body decodes to more than any answer has.
    #[error("the answer does not end: decoded it is longer than any can be")]
    DecodesToTooMuch,
    /// A chunk's size line or end is malformed.
    #[error("malformed chunked encoding")]
    BadChunk,
    /// The connection closed before the response ended.
    #[error("the connection closed before the answer ended")]
    Truncated,
}
