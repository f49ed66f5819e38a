//! The way to a server: from a plan, which holds no secret, and what of this call is one.

use std::time::Duration;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::{Connection, HttpVersion, RunPlan};
use plimsoll_load::connect::is_near;
use plimsoll_load::target::{
    ClientCertificate, HeaderFault, HostPort, HttpChoice, Route, Secret, Target, TlsOptions,
    header, parse_header,
};
use plimsoll_sim::SimServer;

use crate::cli::{ConnectArgs, RequestArgs, SecretText, ServerArgs};
use crate::fault::{AgainFault, AskFault, Failure, Hint};
use crate::proxy::{self, Env, Wanted};
use crate::secrets;

/// What a server that is not one's own is loaded with unasked: streams, or requests a second.
const MOST_UNMEANT: u32 = 64;

/// How the server is reached in this call.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) connection: Connection,
    /// May hold a password, so no plan has it.
    pub(crate) proxy: Option<SecretText>,
    /// The address, if it was typed: what the plan has of it is without what may be secret.
    url: Option<String>,
    /// May hold keys, so that a plan has their names alone.
    headers: Vec<SecretText>,
    /// How long a server that is not ready is waited for.
    pub(super) wait: Duration,
    /// How many requests may fail before the run ends; `None` for any number.
    pub(crate) max_failures: Option<u32>,
    /// Whether a server that is not near may be loaded as heavily as is asked for.
    is_meant: bool,
}

impl Way {
    /// As it was typed.
    pub(crate) fn of(server: &ServerArgs, args: &ConnectArgs, requests: &RequestArgs) -> Self {
        Self {
            connection: args.plan(server.api_key_env.as_deref()),
            proxy: args.proxy.clone(),
            url: server.url.clone(),
            headers: args.header.clone(),
            wait: requests.wait,
            max_failures: requests.max_failures,
            is_meant: args.yes,
        }
    }

    /// The same over another connection.
    pub(crate) fn over(self, connection: Connection) -> Self {
        Self { connection, ..self }
    }

    /// Whether all that a saved plan keeps the names of was typed again.
    ///
    /// # Errors
    /// A header or the address is missing: its value is not in the plan.
    pub(crate) fn has_secrets_of(&self, saved: &RunPlan) -> Result<(), Failure> {
        let typed = self.headers()?;
        let is_missing = |name: &&String| !typed.iter().any(|(typed, _)| typed == *name);
        if let Some(name) = self.connection.headers.iter().find(is_missing) {
            let fault = AgainFault::HeaderNotSaved { name: name.clone() };
            return Err(Failure::from(fault).hint(Hint::HeaderAgain));
        }
        if self.url.is_none() && saved.target.contains("***") {
            return Err(Failure::from(AgainFault::AddressNotSaved).hint(Hint::AddressAgain));
        }
        Ok(())
    }

    /// Whether the address makes sense, the headers can be sent, and the key is there.
    ///
    /// # Errors
    /// One of them does not, which a dry run says as well.
    pub(crate) fn check(&self, plan: &RunPlan) -> Result<(), Failure> {
        if plan.engine.is_none() {
            drop(parse(self.url.as_ref().unwrap_or(&plan.target))?);
        }
        drop(self.headers()?);
        self.check_key()
    }

    /// Whether the variable that was named for the key has one.
    ///
    /// # Errors
    /// It has none. A key that was pasted in its place must come no further.
    pub(crate) fn check_key(&self) -> Result<(), Failure> {
        let variable = self.connection.api_key_env.as_deref();
        let is_empty = |name: &str| {
            let value = std::env::var(name);
            value.map_or(true, |key| key.trim().is_empty())
        };
        if variable.is_some_and(is_empty) {
            return Err(AskFault::NoKey.into());
        }
        Ok(())
    }

    /// Whether so many streams, or requests a second, may be put on a server.
    ///
    /// # Errors
    /// It is neither on this machine nor in a private network, and nobody said that it is meant.
    pub(crate) fn check_meant(&self, load: u32, target: &Target) -> Result<(), Failure> {
        if load <= MOST_UNMEANT || self.is_meant || is_near(target)? {
            return Ok(());
        }
        let server = target.authority();
        Err(AskFault::NotMeant { load, server }.into())
    }

    fn headers(&self) -> Result<Vec<(String, Secret)>, Failure> {
        let headers = self.headers.iter();
        let headers = headers.map(|one| parse_header(one.secret()));
        Ok(headers.collect::<Result<_, _>>()?)
    }

    /// The target of a plan: the built-in engine, or the server with its key.
    pub(super) fn target(
        &self,
        plan: &RunPlan,
        engine: Option<&SimServer>,
    ) -> Result<Target, Failure> {
        let env = |name: &str| std::env::var(name).ok();
        if let Some(engine) = engine {
            let mut target = parse(&engine.url())?;
            target.http = http(self.connection.http);
            return Ok(target);
        }
        let mut target = parse(self.url.as_ref().unwrap_or(&plan.target))?;
        self.apply(&mut target, &env)?;
        target.headers = self.headers()?;
        let variable = self.connection.api_key_env.as_deref();
        let target = with_key(target, plan.endpoint, variable, &env)?;
        secrets::know(&target);
        Ok(target)
    }

    /// Puts what was asked for, and what the environment says, into a target.
    fn apply(&self, target: &mut Target, env: Env<'_>) -> Result<(), Failure> {
        let asked = &self.connection;
        target.http = http(asked.http);
        target.tls_options = TlsOptions {
            ca_file: asked.cacert.clone(),
            insecure: asked.insecure,
            client: asked.cert.as_ref().map(|cert_file| ClientCertificate {
                cert_file: cert_file.clone(),
                key_file: asked.key.as_ref().unwrap_or(cert_file).clone(),
            }),
        };
        let wanted = Wanted {
            proxy: self.proxy.as_ref().map(SecretText::secret),
            no_proxy: asked.no_proxy.as_deref(),
        };
        // Who names the place to connect to wants no proxy of the environment on the way there.
        let proxy = if asked.connect_to.is_empty() {
            proxy::choose(target, wanted, env)?
        } else {
            None
        };
        let places = asked.connect_to.iter().map(|text| HostPort::parse(text));
        let places: Result<Vec<HostPort>, _> = places.collect();
        target.route = Route {
            proxy,
            connect_to: places?,
            source_ips: asked.source_ips.clone(),
        };
        Ok(())
    }
}

/// The server with its key: that of `variable`, for whatever API is spoken, or the one of the
/// variable that is usual for the API asked for. A key of another API is shown to no server.
///
/// # Errors
/// The key has a line break or another control character, which would end its header.
pub(crate) fn with_key(
    target: Target,
    protocol: Option<Protocol>,
    variable: Option<&str>,
    env: Env<'_>,
) -> Result<Target, HeaderFault> {
    let asked = protocol.map_or(Protocol::USUAL.to_vec(), |one| vec![one]);
    let (usual, protocols) = match variable {
        Some(name) => (name, Protocol::ALL.to_vec()),
        None => (asked[0].key_variable(), asked),
    };
    let key = env(usual).map(|key| key.trim().to_owned());
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Ok(target);
    };
    if header("Authorization", &key).is_err() {
        return Err(HeaderFault::Key(usual.to_owned()));
    }
    Ok(target.with_key(&key, &protocols))
}

fn parse(url: &str) -> Result<Target, Failure> {
    Ok(Target::parse(url)?)
}

fn http(version: Option<HttpVersion>) -> HttpChoice {
    match version {
        Some(HttpVersion::Http1) => HttpChoice::Http1,
        Some(HttpVersion::Http2) => HttpChoice::Http2,
        None => HttpChoice::Auto,
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

    impl Line {
        fn way(&self) -> Way {
            Way {
                connection: self.connect.plan(None),
                proxy: self.connect.proxy.clone(),
                url: None,
                headers: self.connect.header.clone(),
                wait: Duration::ZERO,
                max_failures: None,
                is_meant: false,
            }
        }
    }

    #[test]
    fn a_header_is_sent_and_only_its_name_is_kept() {
        let words = ["x", "--header", "api-key: sesame", "--header", "X-A:b"];
        let line = Line::try_parse_from(words).unwrap();
        let way = line.way();
        assert_eq!(way.connection.headers, ["api-key", "X-A"]);
        assert_eq!(way.headers().unwrap().len(), 2);
        assert!(!format!("{line:?} {:?}", way.connection).contains("sesame"));
        let bad = Line::try_parse_from(["x", "--header", "a: sesame\r\nb: c"]).unwrap();
        let text = bad.way().headers().unwrap_err().words(Lang::En);
        assert!(text.contains("`a`") && !text.contains("sesame"), "{text}");
    }

    #[test]
    fn a_key_of_two_lines_is_refused_unseen() {
        let key = |value: &'static str| {
            let env = move |_: &str| Some(value.to_owned());
            with_key(Target::parse("h").unwrap(), None, None, &env)
        };
        assert_eq!(key("k\n").unwrap().keys.len(), 2);
        assert!(key("  ").unwrap().keys.is_empty());
        let text = key("sesame\r\nEvil: 1").unwrap_err().to_string();
        assert!(text.contains("OPENAI_API_KEY"), "{text}");
        assert!(!text.contains("sesame"), "{text}");
    }

    fn target(words: &[&str]) -> Result<Target, String> {
        let line = Line::try_parse_from([&["x"], words].concat()).map_err(|e| e.to_string())?;
        let mut target = Target::parse("https://gpu1").unwrap();
        let env = |name: &str| (name == "https_proxy").then(|| "http://env:1".to_owned());
        let applied = line.way().apply(&mut target, &env);
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
