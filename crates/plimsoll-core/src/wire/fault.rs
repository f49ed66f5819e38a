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
    /// A chunk's size line or end is malformed.
    #[error("malformed chunked encoding")]
    BadChunk,
    /// The connection closed before the response ended.
    #[error("the connection closed before the answer ended")]
    Truncated,
}
