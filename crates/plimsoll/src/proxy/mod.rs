//! Which proxy stands before a target: by the arguments, else by the environment, as curl reads it.

mod no_proxy;

use std::net::IpAddr;

use plimsoll_load::target::Target;
use plimsoll_load::target::{Proxy, RouteError};
use thiserror::Error;

/// The lookup of an environment variable.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What the arguments say of proxies.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// `--proxy`; empty for none at all.
    pub(crate) proxy: Option<&'a str>,
    /// `--no-proxy`.
    pub(crate) no_proxy: Option<&'a str>,
}

/// A proxy's address that cannot be used.
#[derive(Debug, Error)]
#[error("`{from}`: {fault}")]
pub(crate) struct ProxyError {
    /// The argument or variable that holds it; its value may hold a password.
    pub(crate) from: &'static str,
    pub(crate) fault: RouteError,
}

/// The proxy for a target.
///
/// An explicit one is taken unless `--no-proxy` names the target. One of the environment is not
/// taken for a target on this machine: a proxy cannot reach it, or measures something else.
pub(crate) fn choose(
    target: &Target,
    wanted: Wanted<'_>,
    env: Env<'_>,
) -> Result<Option<Proxy>, ProxyError> {
    let excepted = |list: &str| no_proxy::names(list, &target.host, target.port);
    if wanted.no_proxy.is_some_and(excepted) {
        return Ok(None);
    }
    if let Some(text) = wanted.proxy {
        return if text.trim().is_empty() {
            Ok(None)
        } else {
            read("--proxy", text).map(Some)
        };
    }
    if is_this_machine(&target.host) {
        return Ok(None);
    }
    let by_environment = || first(env, &["no_proxy", "NO_PROXY"]);
    if wanted.no_proxy.is_none() && by_environment().is_some_and(|(_, list)| excepted(&list)) {
        return Ok(None);
    }
    let names = if target.tls {
        ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    };
    first(env, &names)
        .map(|(from, text)| read(from, &text))
        .transpose()
}

/// The first variable that is set to something.
fn first(env: Env<'_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        let value = env(name).filter(|value| !value.trim().is_empty())?;
        Some((*name, value))
    })
}

fn read(from: &'static str, text: &str) -> Result<Proxy, ProxyError> {
    Proxy::parse(text).map_err(|fault| ProxyError { from, fault })
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, wanted: Wanted<'_>, vars: &[(&str, &str)]) -> String {
        let target = Target::parse(url).unwrap();
        let env = |name: &str| {
            let var = vars.iter().find(|(known, _)| *known == name)?;
            Some(var.1.to_owned())
        };
        match choose(&target, wanted, &env) {
            Ok(Some(proxy)) => proxy.authority(),
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    const ALL: [(&str, &str); 3] = [
        ("http_proxy", "http://h:1"),
        ("HTTPS_PROXY", "http://s:2"),
        ("ALL_PROXY", "socks5://a:3"),
    ];

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        let table: [Case<'_>; 8] = [
            ("http://gpu", &ALL, "h:1"),
            ("https://gpu", &ALL, "s:2"),
            ("http://gpu", &ALL[1..], "a:3"),
            (
                "http://gpu",
                &[("http_proxy", ""), ("HTTP_PROXY", "b:4")],
                "b:4",
            ),
            (
                "http://gpu",
                &[("http_proxy", "c:5"), ("HTTP_PROXY", "b:4")],
                "c:5",
            ),
            (
                "http://gpu",
                &[("http_proxy", "c:5"), ("NO_PROXY", "gpu")],
                "none",
            ),
            (
                "http://gpu",
                &[("http_proxy", "c:5"), ("no_proxy", "cpu")],
                "c:5",
            ),
            ("http://gpu", &[], "none"),
        ];
        for (url, vars, expected) in table {
            assert_eq!(chosen(url, Wanted::default(), vars), expected, "{vars:?}");
        }
    }

    #[test]
    fn this_machine_is_reached_straight_unless_a_proxy_is_given() {
        let explicit = Wanted {
            proxy: Some("p:9"),
            no_proxy: None,
        };
        for host in [
            "localhost:1",
            "127.0.0.2",
            "[::1]:1",
            "a.localhost",
            "LOCALHOST.",
        ] {
            assert_eq!(chosen(host, Wanted::default(), &ALL), "none", "{host}");
            assert_eq!(chosen(host, explicit, &ALL), "p:9", "{host}");
        }
    }

    #[test]
    fn arguments_win_over_the_environment() {
        let vars = [("http_proxy", "h:1"), ("no_proxy", "gpu")];
        let table = [
            (Some("p:9"), None, "p:9"),
            (Some(""), None, "none"),
            (Some("p:9"), Some("gpu"), "none"),
            (None, Some("*"), "none"),
            (None, Some("cpu"), "h:1"),
            (None, Some(""), "h:1"),
        ];
        for (proxy, no_proxy, expected) in table {
            let wanted = Wanted { proxy, no_proxy };
            assert_eq!(chosen("http://gpu", wanted, &vars), expected, "{proxy:?}");
        }
    }

    #[test]
    fn a_bad_proxy_names_its_variable_and_no_password() {
        let vars = [("HTTP_PROXY", "https://user:sesame@p")];
        let text = chosen("http://gpu", Wanted::default(), &vars);
        assert!(
            text.starts_with("`HTTP_PROXY`: proxies are http://"),
            "{text}"
        );
        assert!(!text.contains("sesame"), "{text}");
    }
}
