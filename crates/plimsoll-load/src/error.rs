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
    /// An address of `--source-ip` is none of this machine's.
    #[error("`{ip}` is no address of this machine that connections can come from")]
    SourceIp {
        /// As given.
        ip: std::net::IpAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The local addresses are of one family, those of the host of the other.
    #[error("none of the local addresses given can reach `{host}`, which has {missing} only")]
    OtherFamily {
        /// The host.
        host: String,
        /// The family that is needed.
        missing: &'static str,
    },
    /// Certificates or keys cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A worker ended before its work was done.
    #[error("a worker stopped unexpectedly; this is a fault of the tool")]
    WorkerLost,
}
