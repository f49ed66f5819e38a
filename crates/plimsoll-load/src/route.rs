//! How the target is reached: a proxy, other addresses in its place, the local addresses to come
//! from.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use crate::proxy::Proxy;
use crate::target::split_port;

/// The way to a target. Empty: straight to the host of the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
    /// Connect to these in turn, instead of to the URL's host. `Host` header, TLS name and
    /// certificate check stay those of the URL. Without effect where there is a proxy.
    pub connect_to: Vec<Place>,
    /// Local addresses that connections come from in turn.
    pub source_ips: Vec<IpAddr>,
}

/// A host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name or address, without brackets.
    pub host: String,
    /// Port; that of the URL if `None`.
    pub port: Option<u16>,
}

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

impl Place {
    /// Reads `host`, `host:port`, `[IPv6]:port` or a bare IPv6 address.
    ///
    /// # Errors
    /// There is no host, or the port is no number from 1 to 65535.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let fault = || RouteError::Place {
            text: text.to_owned(),
        };
        let (host, port) = split_port(text.trim()).ok_or_else(fault)?;
        let odd = |c: char| c.is_whitespace() || "/@[]".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err(fault());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_in_every_usual_form() {
        let table = [
            ("h", "h"),
            ("h:1", "h:1"),
            ("10.0.0.5:8000", "10.0.0.5:8000"),
            ("::1", "[::1]"),
            ("[::1]:9", "[::1]:9"),
        ];
        for (text, shown) in table {
            assert_eq!(Place::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in ["", ":1", "h:0", "h:x", "http://h:1", "a b", "[::1", "h:1/x"] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}
