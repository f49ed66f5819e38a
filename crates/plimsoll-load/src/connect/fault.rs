//! What went wrong while a connection was made.

use std::io;
use std::net::{IpAddr, SocketAddr};

use plimsoll_core::outcome::Outcome;
use thiserror::Error;

pub use super::proxy_fault::ProxyFault;
pub use super::tls_fault::{TlsFault, TlsMeaning};

/// Why there is no connection; each variant is a stage.
#[derive(Debug, Error)]
pub enum ConnectFault {
    /// The local end could not be bound to an address of `--source-ip`.
    #[error("bind to {source_ip}: {}", words(error))]
    Bind {
        /// The local address.
        source_ip: IpAddr,
        /// What the system said.
        error: io::Error,
    },
    /// TCP: refused, unreachable.
    #[error("connect to {address}: {}", words(error))]
    Tcp {
        /// Whom it was to reach.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The proxy cannot be reached, or does not go on to the target.
    #[error("the proxy {proxy} {fault}")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// What is wrong, as the rest of the sentence.
        fault: ProxyFault,
    },
    /// The TLS handshake.
    #[error("TLS with {peer}: {error}")]
    Tls {
        /// The address that the socket reaches, or the target behind a proxy.
        peer: String,
        /// A [`TlsFault`], or what the system said.
        error: io::Error,
    },
    /// HTTP/2 was asked for, and the server does not speak it.
    #[error("no HTTP/2: {fault}")]
    Http2 {
        /// What it does instead.
        fault: Http2Fault,
    },
}

/// What a server does that was to speak HTTP/2.
#[derive(Debug, Error)]
pub enum Http2Fault {
    /// It chose another version in the handshake of TLS.
    #[error("the server does not agree to it in TLS")]
    NotAgreed,
    /// Its first bytes are HTTP/1.
    #[error("the server answers in HTTP/1.1")]
    OldHttp,
    /// Its first bytes are nothing that is known.
    #[error("the server answers in no version of HTTP")]
    NoHttp,
    /// It went away.
    #[error("the server closed the connection at the first frame")]
    Closed,
    /// Its limit is 0.
    #[error("the server takes no streams")]
    NoStreams,
    /// Something else, in the words of the library.
    #[error("{0}")]
    Library(String),
}

impl ConnectFault {
    /// How a request ended that got no connection.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Tls { .. } => Outcome::Tls,
            _ => Outcome::Connect,
        }
    }
}

/// A system error in words, without its number where it has a name of its own.
pub(super) fn words(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrNotAvailable {
        return "no free local port or address; --source-ip and --connect-to spread the connections over more addresses".to_owned();
    }
    let kind = error.kind().to_string();
    // Kinds that the standard library has no name for.
    if error.raw_os_error().is_none() || kind.starts_with("uncategorized") || kind == "other error"
    {
        error.to_string()
    } else {
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_and_the_reason_stand_in_the_text() {
        let fault = ConnectFault::Tcp {
            address: "10.0.0.5:8000".parse().unwrap(),
            error: io::Error::from_raw_os_error(111),
        };
        assert_eq!(
            fault.to_string(),
            "connect to 10.0.0.5:8000: connection refused"
        );
        assert_eq!(fault.outcome(), Outcome::Connect);
    }

    #[test]
    fn errors_without_a_name_keep_the_systems_words() {
        let text = words(&io::Error::from_raw_os_error(24));
        assert!(text.contains("open files"), "{text}");
    }
}
