//! Where requests go: scheme, host, port, base path, headers; and the way there.
//!
//! | part | does |
//! |---|---|
//! | `route` | what the way may lead over: a proxy, other addresses, local addresses |
//! | `proxy` | a proxy and its login |
//! | `authority` | host and port as they are written |
//! | `place` | where on its host the API stands |
//! | `redirect` | where the server sends requests on to |
//! | `header` | a header of the user's own |
//! | `shown` | an address as people may see it |
//! | `login` | a user and a password before the host |
//! | `secret` | a value that no text shows |
//! | `secrets` | all of them, taken out of what a peer says |
//! | `fault` | why a route is none |

mod authority;
mod fault;
mod header;
mod login;
mod place;
mod proxy;
mod redirect;
mod route;
mod secret;
mod secrets;
mod shown;

use std::path::PathBuf;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::quote::{has_unseen, quoted};
use thiserror::Error;

use authority::split_port;
pub use fault::{ProxyAddressFault, RouteError};
pub use header::{HeaderFault, header, parse_header};
pub(crate) use login::Login;
use place::Place;
pub use proxy::{Proxy, ProxyKind};
pub use redirect::RedirectFault;
pub use route::{HostPort, Route};
pub use secret::Secret;
pub use secrets::Secrets;
pub use shown::shown_address;
use shown::shown_malformed;

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// The scheme is neither http nor https.
    #[error("`{url}`: only http:// and https:// are known, not `{scheme}://`")]
    Scheme {
        /// As given.
        url: String,
        /// The scheme found.
        scheme: String,
    },
    /// No host, or a bad port.
    #[error("`{url}`: {fault}; write it as host:port, http://host:port or https://host/path")]
    Malformed {
        /// As given.
        url: String,
        /// What is wrong.
        fault: AddressFault,
    },
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressFault {
    /// Its login is none.
    #[error(
        "the user name or the password before the host is longer than 255 bytes, or its percent-encoding is broken"
    )]
    Login,
    /// Its port is none.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// Nothing stands where the host should.
    #[error("there is no host")]
    NoHost,
    /// It would end the line of a request in which it stands.
    #[error(
        "a space or a control character stands in it, which an address has as %20 and the like"
    )]
    Space,
}

/// Whom TLS trusts, and who it says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// PEM file of certificates to trust beside the system's: authorities, or the server's own.
    pub ca_file: Option<PathBuf>,
    /// Whether the server's certificate is taken as it is.
    pub insecure: bool,
    /// What the client shows to a server that asks for a certificate.
    pub client: Option<ClientCertificate>,
}

/// A certificate of the client's, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and those of its issuers after it.
    pub cert_file: PathBuf,
    /// The key: PKCS#8, SEC1 or PKCS#1. It may be in the same file.
    pub key_file: PathBuf,
}

/// Which version of HTTP to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpChoice {
    /// HTTP/1.1, a connection for each request in flight.
    #[default]
    Http1,
    /// HTTP/2: unasked on a plain connection (prior knowledge), and over TLS only if the server
    /// agrees in the handshake.
    Http2,
    /// Over TLS what the server chooses in the handshake (ALPN), HTTP/2 if it can; HTTP/1.1 on a
    /// plain connection.
    Auto,
}

/// The header of a login, and in most APIs of the key.
const AUTHORIZATION: &str = "Authorization";

/// A server and how to speak to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whether the connection is TLS.
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path before `/v1`, without a slash at its end; often empty.
    pub base_path: String,
    /// What stands in the place of `/v1` in paths, such as `/v3`; it may be nothing.
    pub root: String,
    /// The query of every request: it may hold a key.
    pub query: Option<Secret>,
    /// Who asks, by the `Basic` scheme: what stands before the host.
    pub(crate) login: Option<Login>,
    /// Places that the server has sent requests on from, and where to.
    moved: Vec<(String, Secret)>,
    /// The API it is spoken to in.
    pub protocol: Protocol,
    /// Its key in each API; in one that is not here it is spoken to without.
    pub keys: Vec<(Protocol, Secret)>,
    /// Headers of every request, beside that of the key and over it.
    pub headers: Vec<(String, Secret)>,
    /// Which version of HTTP it is spoken to in.
    pub http: HttpChoice,
    /// How it is reached.
    pub route: Route,
    /// Certificates, where the connection is TLS.
    pub tls_options: TlsOptions,
}

impl Target {
    /// Reads an address: the scheme may be missing (http), the path may end in the API's version or be
    /// that of an endpoint, and its query goes along with each request.
    ///
    /// # Errors
    /// The address has another scheme, no host or a bad port.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        let text = url.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => ("http".to_owned(), text),
        };
        let tls = match scheme.as_str() {
            "http" => false,
            "https" => true,
            _ => {
                return Err(TargetError::Scheme {
                    url: shown_malformed(text),
                    scheme: quoted(&scheme),
                });
            }
        };
        let malformed = |fault| TargetError::Malformed {
            url: shown_malformed(text),
            fault,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        if rest.contains(' ') || has_unseen(rest) {
            return Err(malformed(AddressFault::Space));
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query).filter(|query| !query.is_empty())),
            None => (rest, None),
        };
        let (authority, path) = rest
            .find('/')
            .map_or((rest, ""), |slash| rest.split_at(slash));
        let place = Place::of(path);
        let (login, authority) = match authority.rsplit_once('@') {
            Some((login, host)) => {
                let login = Login::read(login).ok_or_else(|| malformed(AddressFault::Login))?;
                (Some(login), host)
            }
            None => (None, authority),
        };
        let (host, port) = split_port(authority).ok_or_else(|| malformed(AddressFault::Port))?;
        if host.is_empty() {
            return Err(malformed(AddressFault::NoHost));
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: port.unwrap_or(if tls { 443 } else { 80 }),
            base_path: place.base.to_owned(),
            root: place.root.to_owned(),
            query: query.map(Secret::new),
            login,
            moved: Vec::new(),
            protocol: Protocol::default(),
            keys: Vec::new(),
            headers: Vec::new(),
            http: HttpChoice::default(),
            route: Route::default(),
            tls_options: TlsOptions::default(),
        })
    }

    /// The address as it stands in reports and in the `Host` header: `host:port`, IPv6 in brackets.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The base address, as `http://host:port/base`, with the root of the API if it is not `/v1`.
    pub fn url(&self) -> String {
        let root = Some(self.root.as_str()).filter(|root| *root != place::USUAL_ROOT);
        self.address_of(&format!("{}{}", self.base_path, root.unwrap_or_default()))
    }

    /// The address of a path on this server, without its query.
    pub fn url_of(&self, path: &str) -> String {
        self.address_of(&self.place(path))
    }

    fn address_of(&self, path: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority())
    }

    /// The API whose endpoint an address is.
    pub fn named_protocol(url: &str) -> Option<Protocol> {
        let url = url.trim().split(['?', '#']).next().unwrap_or_default();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        Place::of(&rest[rest.find('/')?..]).names
    }

    /// Where a path of an API stands here, with the query and after the redirects that are known.
    pub(crate) fn path(&self, path: &str) -> String {
        let place = self.place(path);
        let mut moved = self.moved.iter();
        match (moved.find(|(from, _)| *from == place), &self.query) {
            (Some((_, to)), _) => to.expose().to_owned(),
            (None, None) => place,
            (None, Some(query)) => {
                let mark = if place.contains('?') { '&' } else { '?' };
                format!("{place}{mark}{}", query.expose())
            }
        }
    }

    fn place(&self, path: &str) -> String {
        let below = path.strip_prefix(place::USUAL_ROOT);
        match below.filter(|below| below.starts_with('/')) {
            Some(below) => format!("{}{}{below}", self.base_path, self.root),
            None => format!("{}{path}", self.base_path),
        }
    }

    /// The proxy that takes whole requests and sends them on: an HTTP proxy, unless TLS is on, which
    /// it must not see into, or HTTP/2, which it is not asked in.
    pub(crate) fn forward_proxy(&self) -> Option<&Proxy> {
        self.route
            .proxy
            .as_ref()
            .filter(|proxy| proxy.kind == ProxyKind::Http && !self.tls)
            .filter(|_| self.http != HttpChoice::Http2)
    }

    /// The same server, spoken to in this API.
    #[must_use]
    pub fn speaking(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// A key for these APIs. Each shows it in a header of its own, and in no other.
    #[must_use]
    pub fn with_key(mut self, key: &str, protocols: &[Protocol]) -> Self {
        let keys = protocols.iter().map(|one| (*one, Secret::new(key)));
        self.keys.extend(keys);
        self
    }

    /// Whether the user has given a header of this name.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        let mut given = self.headers.iter();
        given.any(|(given, _)| given.eq_ignore_ascii_case(name))
    }

    /// The headers that say who asks: the API's key, if there is one, and its version, unless
    /// [`Target::headers`] has them. A login in the address stands in the place of a key.
    pub(crate) fn auth_headers(&self) -> Vec<(&'static str, Secret)> {
        let login = self.login.as_ref();
        let login = login.map(|login| (AUTHORIZATION, login.basic()));
        let mut keys = self.keys.iter();
        let key = keys.find(|(protocol, _)| *protocol == self.protocol);
        let headers = self
            .protocol
            .auth()
            .headers(key.map(|(_, key)| key.expose()));
        let of_api = headers.into_iter();
        login
            .iter()
            .cloned()
            .chain(of_api.filter(|(name, _)| login.is_none() || *name != AUTHORIZATION))
            .filter(|(name, _)| !self.has_header(name))
            .map(|(name, value)| (name, Secret::new(value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_usual_form() {
        let table = [
            ("localhost:8000", "http://localhost:8000"),
            ("http://localhost:8000/v1", "http://localhost:8000"),
            ("http://localhost:8000/v1/", "http://localhost:8000"),
            ("http://h:1/v1/chat/completions", "http://h:1"),
            ("http://h:1/api/chat", "http://h:1"),
            ("https://h/team/v1/messages", "https://h:443/team"),
            (
                "https://api.example.com/team/v1",
                "https://api.example.com:443/team",
            ),
            ("10.0.0.5", "http://10.0.0.5:80"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("::1", "http://[::1]:80"),
            (" h:80 ", "http://h:80"),
            ("https://ark/api/v3", "https://ark:443/api/v3"),
            (
                "https://ark/api/v3/chat/completions",
                "https://ark:443/api/v3",
            ),
            ("h:1/v1?token=sesame#part", "http://h:1"),
        ];
        for (text, url) in table {
            assert_eq!(Target::parse(text).unwrap().url(), url, "{text}");
        }
    }

    #[test]
    fn paths_stand_below_the_root_with_the_query() {
        let azure =
            "https://r.example.com/openai/deployments/gpt-4o/chat/completions?api-version=1";
        let table = [
            ("h", "/v1/models", "/v1/models"),
            (
                "h/api/v3",
                "/v1/chat/completions",
                "/api/v3/chat/completions",
            ),
            ("h/api/v3", "/metrics", "/api/metrics"),
            ("h?token=t", "/v1/models", "/v1/models?token=t"),
            ("h?token=t", "/x?a=b", "/x?a=b&token=t"),
            (
                azure,
                "/v1/chat/completions",
                "/openai/deployments/gpt-4o/chat/completions?api-version=1",
            ),
            ("h/ollama/api/chat", "/api/chat", "/ollama/api/chat"),
        ];
        for (url, path, expected) in table {
            assert_eq!(Target::parse(url).unwrap().path(path), expected, "{url}");
        }
        assert_eq!(Target::named_protocol(azure), Some(Protocol::Chat));
        assert_eq!(Target::named_protocol("h:1"), None);
        let target = Target::parse("h/v1?token=sesame").unwrap();
        assert_eq!(target.url_of("/v1/models"), "http://h:80/v1/models");
        assert!(!format!("{target:?}").contains("sesame"));
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        let table = [
            ("ftp://h", "only http:// and https://"),
            ("http://", "no host"),
            ("h:70000", "port is not a number"),
            ("h:x", "port is not a number"),
            ("http://user:pw%zz@h", "percent-encoding"),
            ("http://user:pw/x@h", "port is not a number"),
            ("h/a\r\nEvil: 1", "space or a control"),
            ("h/v1?a=b HTTP/1.1", "space or a control"),
            ("a b", "space or a control"),
        ];
        for (text, expected) in table {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn a_key_never_shows() {
        let target = Target::parse("h:1").unwrap();
        let target = target.with_key("sk-very-secret", &Protocol::ALL);
        assert!(!format!("{target:?}").contains("sk-very-secret"));
        assert!(!format!("{:?}", target.auth_headers()).contains("sk-very-secret"));
    }

    #[test]
    fn a_login_in_the_address_is_sent_and_never_shown() {
        let target = Target::parse("http://Aladdin:open%20ses@me@h:1/v1").unwrap();
        assert_eq!(target.url(), "http://h:1");
        let target = target.with_key("sk-other", &Protocol::ALL);
        let sent: Vec<(&str, String)> = target
            .auth_headers()
            .iter()
            .map(|(name, value)| (*name, value.expose().to_owned()))
            .collect();
        // "Aladdin:open ses@me"
        let basic = "Basic QWxhZGRpbjpvcGVuIHNlc0BtZQ==".to_owned();
        assert_eq!(sent, [("Authorization", basic)]);
        assert!(!format!("{target:?}").contains("ses@me"));
        let mut own = target;
        own.headers
            .push(("authorization".to_owned(), Secret::new("x")));
        assert!(own.auth_headers().is_empty());
    }

    #[test]
    fn a_key_is_shown_to_the_api_it_is_for_alone() {
        let target = Target::parse("h:1").unwrap();
        let target = target.with_key("k", &[Protocol::Chat]);
        let names = |target: &Target| -> Vec<&str> {
            let headers = target.auth_headers().into_iter();
            headers.map(|(name, _)| name).collect()
        };
        assert_eq!(names(&target), [""; 0]);
        let mut chat = target.speaking(Protocol::Chat);
        assert_eq!(names(&chat), ["Authorization"]);
        chat.headers
            .push(("authorization".to_owned(), Secret::new("x")));
        assert_eq!(names(&chat), [""; 0]);
    }
}
