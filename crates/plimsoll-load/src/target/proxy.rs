//! A proxy in front of the target. Which one it is, the caller decides: the environment is not read
//! here.

use std::fmt;

use super::authority::split_port;
use super::{Login, ProxyAddressFault, RouteError};

/// Port of a proxy that names none, as with curl.
const DEFAULT_PORT: u16 = 1080;

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP: requests in absolute form, and tunnels by CONNECT for TLS.
    Http,
    /// SOCKS5 with addresses that are resolved here.
    Socks5,
    /// SOCKS5 with names that the proxy resolves.
    Socks5h,
}

/// What stands between this machine and the server, and how it lets us pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub kind: ProxyKind,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Who asks.
    pub(crate) login: Option<Login>,
}

impl Proxy {
    /// Reads `http://`, `socks5://` or `socks5h://`, then `[user:password@]host[:port]`. Without a
    /// scheme it is HTTP, without a port 1080. User and password may be percent-encoded.
    ///
    /// # Errors
    /// The scheme is another one, there is no host, or the port is bad. The text shows no part of
    /// the address but its scheme: a password may stand anywhere in one that is malformed.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .unwrap_or(("http", text.trim()));
        let kind = kind(scheme)?;
        let rest = rest.trim_end_matches('/');
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(read_login(login)?), authority),
            None => (None, rest),
        };
        let (host, port) = split_port(authority).ok_or(RouteError::Proxy {
            fault: ProxyAddressFault::Port,
        })?;
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/?#[]".contains(c)) {
            return Err(RouteError::Proxy {
                fault: ProxyAddressFault::Host,
            });
        }
        Ok(Self {
            kind,
            host: host.to_owned(),
            port: port.unwrap_or(DEFAULT_PORT),
            login,
        })
    }

    /// `host:port`, IPv6 in brackets.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The value of `Proxy-Authorization`, if there is a login.
    pub(crate) fn authorization(&self) -> Option<String> {
        self.login.as_ref().map(Login::basic)
    }
}

/// The address without user and password, for reports.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5",
            ProxyKind::Socks5h => "socks5h",
        };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn kind(scheme: &str) -> Result<ProxyKind, RouteError> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(ProxyKind::Http),
        "socks5" => Ok(ProxyKind::Socks5),
        "socks5h" => Ok(ProxyKind::Socks5h),
        scheme if scheme.len() < 12 && scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            Err(RouteError::ProxyScheme {
                scheme: scheme.to_owned(),
            })
        }
        _ => Err(RouteError::Proxy {
            fault: ProxyAddressFault::Scheme,
        }),
    }
}

fn read_login(text: &str) -> Result<Login, RouteError> {
    Login::read(text).ok_or(RouteError::Proxy {
        fault: ProxyAddressFault::Login,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_in_every_usual_form() {
        let table = [
            ("http://p:3128", "http://p:3128"),
            ("p:3128/", "http://p:3128"),
            ("HTTP://p", "http://p:1080"),
            ("http://u:w@[::1]:9", "http://[::1]:9"),
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050"),
            ("socks5h://u:w@tor", "socks5h://tor:1080"),
        ];
        for (text, shown) in table {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn the_login_is_decoded() {
        let proxy = Proxy::parse("http://Aladdin:open%20ses@me@p:1").unwrap();
        // "Aladdin:open ses@me"
        assert_eq!(
            proxy.authorization().unwrap(),
            "Basic QWxhZGRpbjpvcGVuIHNlc0BtZQ=="
        );
        assert_eq!(Proxy::parse("http://p:1").unwrap().authorization(), None);
    }

    #[test]
    fn bad_proxies_say_what_is_wrong_and_show_no_password() {
        let table = [
            ("https://u:sesame@p:1", "https://"),
            ("socks4://u:sesame@p:1", "socks4://"),
            ("u:sesame://p", "scheme is none"),
            ("http://u:sesame", "port"),
            ("http://u:sesame@p:x", "port"),
            ("http://u:sesame@", "no host"),
            ("http://u:sesame@p:1/x", "port"),
            ("http://u:sesame%zz@p:1", "percent"),
            ("", "no host"),
        ];
        for (text, expected) in table {
            let error = Proxy::parse(text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(expected), "{text}: {shown}");
            assert!(!shown.contains("sesame"), "{text}: {shown}");
        }
        let proxy = Proxy::parse("http://sesame:sesame@p:1").unwrap();
        assert!(!format!("{proxy:?} {proxy}").contains("sesame"));
    }
}
