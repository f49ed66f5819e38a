//! Why a load could not be carried at all. Requests that fail are data, not errors.

use thiserror::Error;

/// The load cannot be carried.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A worker's runtime could not be made.
    #[error("could not start a worker")]
    Worker(#[source] std::io::Error),
    /// The host name has no address.
    #[error("`{host}` has no address")]
    Resolve {
        /// The host.
        host: String,
        /// What the resolver said.
        #[source]
        source: std::io::Error,
    },
    /// Certificates or keys cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A worker ended before its work was done.
    #[error("a worker stopped unexpectedly; this is a fault of the tool")]
    WorkerLost,
}
