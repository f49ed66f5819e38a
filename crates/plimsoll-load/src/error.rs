//! Why a load could not be carried at all. Requests that fail are data, not errors.

use std::io;
use std::path::PathBuf;

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
        /// As given.
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
        /// As given.
        host: String,
        /// The family that is needed.
        missing: &'static str,
    },
    /// Certificates or keys cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(TlsSetupError),
    /// A worker ended before its work was done.
    #[error("a worker stopped unexpectedly; this is a fault of the tool")]
    WorkerLost,
}

impl From<TlsSetupError> for LoadError {
    fn from(error: TlsSetupError) -> Self {
        Self::Tls(error)
    }
}

/// Why there are no settings for TLS.
#[derive(Debug, Error)]
pub enum TlsSetupError {
    /// A file of certificates or keys.
    #[error("`{}`: {fault}", file.display())]
    File {
        /// Where it was looked for.
        file: PathBuf,
        /// What is wrong with it.
        fault: PemFault,
    },
    /// The system trusts nobody.
    #[error(
        "this machine has no certificate authorities; name one with --cacert FILE, or take any \
         certificate with --insecure"
    )]
    NoRoots,
    /// No certificate can be for the host.
    #[error("`{0}` is no name that a certificate can be for")]
    HostName(String),
    /// Something else, in the words of the library.
    #[error("{0}")]
    Library(String),
}

/// What is wrong with a PEM file.
#[derive(Debug, Error)]
pub enum PemFault {
    /// It cannot be read.
    #[error("{0}")]
    Io(io::Error),
    /// It has no certificate.
    #[error("there is no PEM certificate in it")]
    NoCertificate,
    /// It has no key.
    #[error(
        "there is no PEM private key in it (PKCS#8, SEC1 or PKCS#1); open an encrypted one with \
         `openssl pkey -in FILE -out PLAIN`"
    )]
    NoKey,
    /// Its key belongs to another certificate than the one in this file.
    #[error("this is not the key of the certificate in `{}`", .0.display())]
    OtherKey(PathBuf),
    /// Something else, in the words of the library.
    #[error("{0}")]
    Library(String),
}
