//! Arguments of every command that connects to a server.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use plimsoll_core::run::{Connection, HttpVersion};
use plimsoll_load::target::{HostPort, parse_header};

/// How the server is reached, and whom TLS trusts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// Version of HTTP: 1.1, a connection for each request; 2, many on a connection, unasked if it
    /// is plain and by agreement over TLS; auto, over TLS what the server chooses, else 1.1.
    #[arg(
        long,
        value_enum,
        value_name = "VERSION",
        default_value = "1.1",
        hide_possible_values = true
    )]
    pub(crate) http: HttpArg,
    /// Certificate to trust beside the system's, PEM: an authority's or the server's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Take any certificate of the server.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Certificate of the client, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// Key of --cert, PEM; in the same file if not given.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Connect here, not to the host of the URL, whose name TLS and Host keep; several take turns.
    #[arg(long, value_name = "ADDRESS", value_parser = HostPort::parse, conflicts_with = "proxy")]
    pub(crate) connect_to: Vec<HostPort>,
    /// Local address that connections come from; several take turns.
    #[arg(long, value_name = "IP")]
    pub(crate) source_ip: Vec<IpAddr>,
    // The names of variables want no backticks on a terminal: so these helps are no doc comments.
    #[arg(
        long,
        value_name = "URL",
        value_parser = SecretText::keep,
        help = "Proxy: http://, socks5:// or socks5h://[USER:PASSWORD@]HOST:PORT, or '' for none; \
                if not given: http_proxy, https_proxy or all_proxy of the environment, but never \
                for a server on this machine"
    )]
    pub(crate) proxy: Option<SecretText>,
    #[arg(
        long,
        value_name = "LIST",
        alias = "noproxy",
        help = "Hosts without a proxy, such as .example.com,10.0.0.0/8 or '*'; \
                if not given: NO_PROXY of the environment"
    )]
    pub(crate) no_proxy: Option<String>,
    /// Header of each request, as 'Name: value'; may be given several times. Values are never saved.
    #[arg(long, value_name = "HEADER", value_parser = SecretText::keep)]
    pub(crate) header: Vec<SecretText>,
    /// Put more than 64 streams or 64 requests per second on a server that is neither on this machine
    /// nor in a private network.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HttpArg {
    #[value(name = "1.1")]
    Http1,
    #[value(name = "2")]
    Http2,
    #[value(name = "auto")]
    Auto,
}

impl HttpArg {
    /// The version; `None` for the one that the server chooses.
    fn version(self) -> Option<HttpVersion> {
        match self {
            Self::Http1 => Some(HttpVersion::Http1),
            Self::Http2 => Some(HttpVersion::Http2),
            Self::Auto => None,
        }
    }
}

/// A proxy's address or a header as typed. It is read later: the parser of arguments would show it
/// in its errors, and a password or a key may stand in it.
#[derive(Clone)]
pub(crate) struct SecretText(String);

impl SecretText {
    #[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
    fn keep(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl SecretText {
    /// As it was typed, with what secret may stand in it.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl ConnectArgs {
    /// What of them is no secret, with the name of the variable that holds the API key.
    pub(crate) fn plan(&self, api_key_env: Option<&str>) -> Connection {
        Connection {
            http: self.http.version(),
            api_key_env: api_key_env.map(str::to_owned),
            cacert: self.cacert.clone(),
            insecure: self.insecure,
            cert: self.cert.clone(),
            key: self.key.clone(),
            connect_to: self.connect_to.iter().map(ToString::to_string).collect(),
            source_ips: self.source_ip.clone(),
            no_proxy: self.no_proxy.clone(),
            headers: self.header_names(),
        }
    }

    /// The names of the headers; what is none is refused where it is sent.
    fn header_names(&self) -> Vec<String> {
        let headers = self.header.iter();
        let headers = headers.filter_map(|one| parse_header(one.secret()).ok());
        headers.map(|(name, _)| name).collect()
    }
}
