//! How the target is reached: a proxy, other addresses in its place, the local addresses to come
//! from.

use std::fmt;
use std::net::IpAddr;

use super::authority::split_port;
use super::{Proxy, RouteError};

/// The way to a target. Empty: straight to the host of the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
    /// Connect to these in turn, instead of to the URL's host. `Host` header, TLS name and
    /// certificate check stay those of the URL. Without effect where there is a proxy.
    pub connect_to: Vec<HostPort>,
    /// Local addresses that connections come from in turn.
    pub source_ips: Vec<IpAddr>,
}

/// A host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// Port; that of the URL if `None`.
    pub port: Option<u16>,
}

impl HostPort {
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

impl fmt::Display for HostPort {
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
    fn hosts_are_read_in_every_usual_form() {
        let table = [
            ("h", "h"),
            ("h:1", "h:1"),
            ("10.0.0.5:8000", "10.0.0.5:8000"),
            ("::1", "[::1]"),
            ("[::1]:9", "[::1]:9"),
        ];
        for (text, shown) in table {
            assert_eq!(HostPort::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in ["", ":1", "h:0", "h:x", "http://h:1", "a b", "[::1", "h:1/x"] {
            assert!(HostPort::parse(bad).is_err(), "{bad}");
        }
    }
}
