//! The way to a server: from a plan, which holds no secret, and what of this call is one.

use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::{Connection, HttpVersion, RunPlan};
use plimsoll_load::target::{ClientCertificate, HostPort, HttpChoice, Route, Target, TlsOptions};
use plimsoll_sim::SimServer;

use crate::cli::{ConnectArgs, ProxyText};
use crate::fault::{AskFault, Failure};
use crate::proxy::{self, Env, Wanted};

/// How the server is reached in this call.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) connection: Connection,
    /// May hold a password, so no plan has it.
    pub(crate) proxy: Option<ProxyText>,
}

impl Way {
    /// As it was typed.
    pub(crate) fn of(args: &ConnectArgs, api_key_env: Option<&str>) -> Self {
        Self {
            connection: args.plan(api_key_env),
            proxy: args.proxy.clone(),
        }
    }

    /// Whether the address makes sense, and the key is there.
    ///
    /// # Errors
    /// One of them does not, which a dry run says as well.
    pub(crate) fn check(&self, plan: &RunPlan) -> Result<(), Failure> {
        if plan.engine.is_none() {
            drop(parse(&plan.target)?);
        }
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
        let mut target = parse(&plan.target)?;
        self.apply(&mut target, &env)?;
        let variable = self.connection.api_key_env.as_deref();
        Ok(with_key(target, plan.endpoint, variable, &env))
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
            proxy: self.proxy.as_ref().map(ProxyText::secret),
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
pub(crate) fn with_key(
    target: Target,
    protocol: Option<Protocol>,
    variable: Option<&str>,
    env: Env<'_>,
) -> Target {
    let asked = protocol.map_or(Protocol::USUAL.to_vec(), |one| vec![one]);
    let (usual, protocols) = match variable {
        Some(name) => (name, Protocol::ALL.to_vec()),
        None => (asked[0].key_variable(), asked),
    };
    match env(usual) {
        Some(key) if !key.trim().is_empty() => target.with_key(key.trim(), &protocols),
        _ => target,
    }
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

    fn target(words: &[&str]) -> Result<Target, String> {
        let line = Line::try_parse_from([&["x"], words].concat()).map_err(|e| e.to_string())?;
        let mut target = Target::parse("https://gpu1").unwrap();
        let env = |name: &str| (name == "https_proxy").then(|| "http://env:1".to_owned());
        let applied = Way::of(&line.connect, None).apply(&mut target, &env);
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
