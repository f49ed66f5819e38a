//! Arguments of every command that connects to a server.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use plimsoll_load::target::{ClientCertificate, HttpChoice, Target, TlsOptions};
use plimsoll_load::target::{HostPort, Route};

use crate::exit::Failure;
use crate::proxy::{self, Env, Wanted};

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
        value_parser = ProxyText::keep,
        help = "Proxy: http://, socks5:// or socks5h://[USER:PASSWORD@]HOST:PORT, or '' for none; \
                if not given: http_proxy, https_proxy or all_proxy of the environment, but never \
                for a server on this machine"
    )]
    pub(crate) proxy: Option<ProxyText>,
    #[arg(
        long,
        value_name = "LIST",
        alias = "noproxy",
        help = "Hosts without a proxy, such as .example.com,10.0.0.0/8 or '*'; \
                if not given: NO_PROXY of the environment"
    )]
    pub(crate) no_proxy: Option<String>,
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
    /// What it means for a target.
    pub(crate) fn choice(self) -> HttpChoice {
        match self {
            Self::Http1 => HttpChoice::Http1,
            Self::Http2 => HttpChoice::Http2,
            Self::Auto => HttpChoice::Auto,
        }
    }
}

/// A proxy's address as typed. It is read later: the parser of arguments would show it in its
/// errors, and a password may stand in it.
#[derive(Clone)]
pub(crate) struct ProxyText(String);

impl ProxyText {
    #[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
    fn keep(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for ProxyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl ConnectArgs {
    /// Puts what was typed, and what the environment says, into a target.
    pub(crate) fn apply(&self, target: &mut Target, env: Env<'_>) -> Result<(), Failure> {
        target.http = self.http.choice();
        target.tls_options = TlsOptions {
            ca_file: self.cacert.clone(),
            insecure: self.insecure,
            client: self.cert.as_ref().map(|cert_file| ClientCertificate {
                cert_file: cert_file.clone(),
                key_file: self.key.as_ref().unwrap_or(cert_file).clone(),
            }),
        };
        let wanted = Wanted {
            proxy: self.proxy.as_ref().map(|text| text.0.as_str()),
            no_proxy: self.no_proxy.as_deref(),
        };
        // Who names the place to connect to wants no proxy of the environment on the way there.
        let proxy = if self.connect_to.is_empty() {
            proxy::choose(target, wanted, env)?
        } else {
            None
        };
        target.route = Route {
            proxy,
            connect_to: self.connect_to.clone(),
            source_ips: self.source_ip.clone(),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use plimsoll_report::lang::Lang;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        connect: ConnectArgs,
    }

    fn target(words: &[&str]) -> Result<Target, String> {
        let line = Line::try_parse_from([&["x"], words].concat()).map_err(|e| e.to_string())?;
        let mut target = Target::parse("https://gpu1").unwrap();
        let env = |name: &str| (name == "https_proxy").then(|| "http://env:1".to_owned());
        let applied = line.connect.apply(&mut target, &env);
        applied.map_err(|failure| failure.words(Lang::En))?;
        Ok(target)
    }

    #[test]
    fn the_arguments_come_into_the_target() {
        let words = "--cacert ca --cert c --key k --source-ip 127.0.0.3 --source-ip ::1 \
                     --connect-to 10.0.0.5:8000 --connect-to [::1]";
        let target = target(&words.split_whitespace().collect::<Vec<_>>()).unwrap();
        let client = target.tls_options.client.unwrap();
        assert_eq!(client.key_file.to_str(), Some("k"));
        assert_eq!(target.route.connect_to.len(), 2);
        assert_eq!(target.route.source_ips.len(), 2);
        assert_eq!(target.route.proxy, None);
    }

    #[test]
    fn http2_is_spoken_only_if_asked_for() {
        let http = |words: &[&str]| target(words).map(|target| target.http);
        assert_eq!(http(&[]), Ok(HttpChoice::Http1));
        assert_eq!(http(&["--http", "2"]), Ok(HttpChoice::Http2));
        assert_eq!(http(&["--http", "auto"]), Ok(HttpChoice::Auto));
        assert!(http(&["--http", "3"]).unwrap_err().contains("1.1, 2, auto"));
    }

    #[test]
    fn the_key_may_be_in_the_certificates_file() {
        let client = target(&["--cert", "c"])
            .unwrap()
            .tls_options
            .client
            .unwrap();
        assert_eq!(client.cert_file, client.key_file);
        assert!(target(&["--key", "k"]).unwrap_err().contains("--cert"));
    }

    #[test]
    fn a_proxy_comes_from_the_arguments_or_the_environment() {
        let proxy = |words: &[&str]| target(words).unwrap().route.proxy.map(|p| p.authority());
        assert_eq!(proxy(&[]).as_deref(), Some("env:1"));
        assert_eq!(proxy(&["--proxy", "p:2"]).as_deref(), Some("p:2"));
        assert_eq!(proxy(&["--proxy", ""]), None);
        assert_eq!(proxy(&["--no-proxy", "gpu1"]), None);
        assert_eq!(proxy(&["--noproxy", "*"]), None);
    }

    #[test]
    fn no_password_shows_in_errors_or_arguments() {
        for bad in ["ftp://u:sesame@p", "http://u:sesame@p:x"] {
            let text = target(&["--proxy", bad]).unwrap_err();
            assert!(
                text.contains("--proxy") && !text.contains("sesame"),
                "{text}"
            );
        }
        let words = ["x", "--proxy", "http://u:sesame@p:1"];
        let line = Line::try_parse_from(words).unwrap();
        assert!(!format!("{line:?}").contains("sesame"));
        let both = ["--proxy", "http://u:sesame@p:1", "--connect-to", "h"];
        let text = target(&both).unwrap_err();
        assert!(text.contains("cannot be used with"), "{text}");
        assert!(!text.contains("sesame"), "{text}");
    }
}
