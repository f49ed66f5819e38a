//! Why a route is none.

use thiserror::Error;

/// Why a route is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RouteError {
    /// No host, or a bad port.
    #[error("`{text}` is no address; write it as host, host:port or [IPv6]:port")]
    Place {
        /// As given.
        text: String,
    },
    /// The scheme is none of a proxy that is spoken to here.
    #[error("proxies are http://, socks5:// or socks5h://, not `{scheme}://`")]
    ProxyScheme {
        /// As given.
        scheme: String,
    },
    /// A proxy's address is malformed. It is not shown: it may hold a password.
    #[error("the proxy's address is none: {fault}; write it as http://[USER:PASSWORD@]HOST:PORT")]
    Proxy {
        /// What is wrong.
        fault: ProxyAddressFault,
    },
}

/// What is wrong with a proxy's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProxyAddressFault {
    /// Its port is none.
    #[error("its port is no number from 1 to 65535")]
    Port,
    /// Nothing stands where the host should, or too much.
    #[error("it has no host, or more than a host and a port")]
    Host,
    /// Something that is no scheme stands before it.
    #[error("its scheme is none")]
    Scheme,
    /// User and password cannot be read.
    #[error("its user or password is longer than 255 bytes or badly percent-encoded")]
    Login,
}
