//! Where requests go: `--base-url` or `--host` and `--port`, `--endpoint`, and the headers of all.

use std::path::PathBuf;

use plimsoll_core::protocol::Protocol;
use plimsoll_load::target::{ClientCertificate, Secret, Target, TlsOptions, header};
use plimsoll_load::target::{HostPort, Route};

use super::args::Parsed;
use super::failure::{BenchFault, Failure, Instead, WayOut};
use super::fault::needs;
use crate::measure::with_key;
use crate::proxy::{self, Wanted};
use crate::secrets;

/// The protocol of a backend, by its name or that of the older script.
pub(crate) fn backend(name: &str) -> Result<Protocol, Failure> {
    let instead = match name {
        "vllm" | "openai" => return Ok(Protocol::Completions),
        // Servers of other kinds by the same requests, as the older script sends them; TGI had a
        // protocol of its own there, and has taken these since its version 2.
        "sglang" | "lmdeploy" | "scalellm" | "llama.cpp" | "tgi" => {
            return Ok(Protocol::Completions);
        }
        "openai-chat" => return Ok(Protocol::Chat),
        "deepspeed-mii" | "tensorrt-llm" => Instead::OpenAiBackend,
        "openai-responses" => Instead::ChatBackend,
        "openai-audio"
        | "openai-embeddings"
        | "openai-embeddings-chat"
        | "openai-embeddings-clip"
        | "openai-embeddings-vlm2vec"
        | "infinity-embeddings"
        | "infinity-embeddings-clip"
        | "vllm-pooling"
        | "vllm-rerank" => Instead::TextOnly,
        // The other protocols are not vLLM's: each is a backend of its own name.
        _ => match Protocol::named(name) {
            Some(protocol) if !Protocol::USUAL.contains(&protocol) => return Ok(protocol),
            _ => return Err(unknown(name)),
        },
    };
    let fault = BenchFault::NotOffered(format!("--backend {name}"));
    Err(Failure::from(fault).hint(WayOut::Instead(instead)))
}

fn unknown(name: &str) -> Failure {
    let others = Protocol::ALL.into_iter();
    let others = others.filter(|one| !Protocol::USUAL.contains(one));
    let known = ["vllm", "openai", "openai-chat"].into_iter();
    let known: Vec<&str> = known.chain(others.map(Protocol::name)).collect();
    let fault = BenchFault::InvalidChoice {
        name: "--backend",
        value: name.to_owned(),
    };
    Failure::from(fault).hint(WayOut::ChooseFrom(known.join(", ")))
}

/// The server and the path of the requests on it.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// The server, with the headers of all requests.
    pub(crate) target: Target,
    /// Path of the requests, behind the target's base path.
    pub(crate) path: String,
}

impl Address {
    /// Reads the flags of the address. The key of the environment is shown as the protocol has it,
    /// unless `--header` holds that header.
    pub(crate) fn read(
        parsed: &Parsed,
        protocol: Protocol,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let endpoint = endpoint(parsed, protocol)?;
        let base = base_url(parsed)?;
        // What is wrong with the whole of it is said before it is taken apart.
        drop(Target::parse(&base)?);
        let base = base.split('#').next().unwrap_or_default();
        // Its query goes along with each request, whatever the path.
        let (base, query) = base.split_at(base.find('?').unwrap_or(base.len()));
        let (origin, base_path) = split_base(base);
        let mut target = Target::parse(&[origin, query].concat())?;
        let (base_path, path) = join(base_path, endpoint, protocol);
        target.base_path = base_path;
        target.protocol = protocol;
        target.tls_options = tls_options(parsed)?;
        target.route = route(parsed, &target, env)?;
        target.headers = headers(parsed.list("header"))?;
        let target = with_key(target, Some(protocol), None, env)?;
        secrets::know(&target);
        Ok(Self { target, path })
    }
}

fn tls_options(parsed: &Parsed) -> Result<TlsOptions, Failure> {
    let file = |name| parsed.text(name).map(PathBuf::from);
    if file("key").is_some() && file("cert").is_none() {
        return Err(needs("--key", "--cert").into());
    }
    Ok(TlsOptions {
        ca_file: file("cacert"),
        insecure: parsed.on("insecure"),
        client: file("cert").map(|cert_file| ClientCertificate {
            key_file: file("key").unwrap_or_else(|| cert_file.clone()),
            cert_file,
        }),
    })
}

/// Where connections go. The proxy is that of the environment, as with vLLM; an argument for it
/// would show its password in the line of all values.
fn route(
    parsed: &Parsed,
    target: &Target,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Route, Failure> {
    let connect_to = parsed.list("connect-to").iter();
    let connect_to: Vec<HostPort> = connect_to
        .map(|text| HostPort::parse(text))
        .collect::<Result<_, _>>()
        .map_err(BenchFault::ConnectTo)?;
    let source_ips = parsed.list("source-ip").iter();
    let source_ips = source_ips
        .map(|text| text.parse().map_err(|_| BenchFault::NoIp(text.clone())))
        .collect::<Result<_, _>>()?;
    let proxy = if connect_to.is_empty() {
        proxy::choose(target, Wanted::default(), env)?
    } else {
        None
    };
    Ok(Route {
        proxy,
        connect_to,
        source_ips,
    })
}

fn base_url(parsed: &Parsed) -> Result<String, Failure> {
    if let Some(url) = parsed.text("base-url") {
        return Ok(url.to_owned());
    }
    let host = parsed.text("host").unwrap_or_default();
    if host.contains(['@', '/', '?', '#']) {
        return Err(BenchFault::NoHost.into());
    }
    let port = parsed.int("port").unwrap_or_default();
    if !(1..=65_535).contains(&port) {
        return Err(BenchFault::OutOfBounds {
            name: "--port".to_owned(),
            least: 1,
            most: 65_535,
            got: port,
        }
        .into());
    }
    let bracketed = host.contains(':') && !host.starts_with('[');
    Ok(if bracketed {
        format!("http://[{host}]:{port}")
    } else {
        format!("http://{host}:{port}")
    })
}

/// Scheme and host of an address, and its path without a slash at the end.
fn split_base(url: &str) -> (&str, &str) {
    let host_at = url.find("://").map_or(0, |at| at + 3);
    let path_at = url[host_at..]
        .find('/')
        .map_or(url.len(), |at| host_at + at);
    (&url[..path_at], url[path_at..].trim_end_matches('/'))
}

/// Base path and request path, split before `/v1` so that `/v1/models` is found as well; or before
/// what the protocol has in its place. A base that ends in it before an endpoint that starts with it
/// means it once.
fn join(base_path: &str, endpoint: &str, protocol: Protocol) -> (String, String) {
    let (root, _) = split_root(protocol.path());
    let in_root = |path: &str| {
        let rest = path.strip_prefix(root);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let base_path = match base_path.strip_suffix(root) {
        Some(shorter) if in_root(endpoint) => shorter,
        _ => base_path,
    };
    let slash = if endpoint.starts_with('/') { "" } else { "/" };
    let whole = format!("{base_path}{slash}{endpoint}");
    // The last one: a gateway's own path may have such a part as well.
    let at = whole.rfind(&format!("{root}/")).unwrap_or(base_path.len());
    (whole[..at].to_owned(), whole[at..].to_owned())
}

/// The first part of a protocol's path, as `/v1`, and what follows its slash.
fn split_root(path: &str) -> (&str, &str) {
    let end = path[1..].find('/').map_or(path.len(), |slash| slash + 1);
    (&path[..end], path[end..].trim_start_matches('/'))
}

/// The path of the requests. As with vLLM it does not follow from `--backend`, but for those that
/// vLLM does not have.
fn endpoint(parsed: &Parsed, protocol: Protocol) -> Result<&str, Failure> {
    if !parsed.given("endpoint") && !Protocol::USUAL.contains(&protocol) {
        return Ok(protocol.path());
    }
    let endpoint = parsed.text("endpoint").unwrap_or_default();
    let is_chat = endpoint.ends_with("chat/completions");
    let fits = endpoint.ends_with(split_root(protocol.path()).1)
        && (protocol != Protocol::Completions || !is_chat);
    if fits {
        return Ok(endpoint);
    }
    let fault = BenchFault::Endpoint(endpoint.to_owned());
    Err(Failure::from(fault).hint(WayOut::Add(fitting(endpoint, protocol))))
}

/// What would make an endpoint and a backend fit.
fn fitting(endpoint: &str, protocol: Protocol) -> String {
    let mut others = Protocol::ALL.into_iter();
    let other = others.find(|one| endpoint.ends_with(one.path()));
    match (protocol, other.filter(|one| !Protocol::USUAL.contains(one))) {
        (_, Some(other)) => format!("--backend {}", other.name()),
        (Protocol::Completions, None) => {
            "--endpoint /v1/completions, or --backend openai-chat".to_owned()
        }
        (protocol, None) => format!("--endpoint {}", protocol.path()),
    }
}

/// `KEY=VALUE` headers; `x-request-id` is this command's own.
fn headers(pairs: &[String]) -> Result<Vec<(String, Secret)>, Failure> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    for pair in pairs {
        let (name, value) = pair
            .split_once('=')
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or(BenchFault::KeyValue("--header"))?;
        let name = name.trim();
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if !name.eq_ignore_ascii_case("x-request-id") {
            headers.push(header(name, value.trim())?);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, parse};
    use super::*;

    fn address(line: &str, key: Option<&str>) -> Result<Address, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let Command::Run(parsed) = parse(&words)? else {
            panic!("help");
        };
        let protocol = backend(parsed.text("backend").unwrap())?;
        Address::read(&parsed, protocol, &|_| key.map(str::to_owned))
    }

    #[test]
    fn addresses_are_built_as_vllm_builds_them() {
        let table = [
            ("", "http://127.0.0.1:8000", "/v1/completions"),
            ("--host ::1 --port 9", "http://[::1]:9", "/v1/completions"),
            ("--base-url http://h:1", "http://h:1", "/v1/completions"),
            ("--base-url http://h:1/", "http://h:1", "/v1/completions"),
            ("--base-url http://h:1/v1", "http://h:1", "/v1/completions"),
            (
                "--base-url http://h:1/v1?token=t",
                "http://h:1",
                "/v1/completions",
            ),
            (
                "--base-url http://h:1/team/v1",
                "http://h:1/team",
                "/v1/completions",
            ),
            (
                "--base-url http://h:1/v1/account/openai",
                "http://h:1/v1/account/openai",
                "/v1/completions",
            ),
            (
                "--base-url http://h:1/v1 --endpoint /completions",
                "http://h:1",
                "/v1/completions",
            ),
            (
                "--base-url http://h:1/x --endpoint y/completions",
                "http://h:1/x",
                "/y/completions",
            ),
        ];
        let others = [
            (
                "--backend ollama --base-url http://h:1/x",
                "http://h:1/x",
                "/api/chat",
            ),
            (
                "--backend ollama --base-url http://h:1/api --endpoint /api/chat",
                "http://h:1",
                "/api/chat",
            ),
            (
                "--backend anthropic",
                "http://127.0.0.1:8000",
                "/v1/messages",
            ),
            (
                "--backend anthropic --base-url http://h:1/v1 --endpoint /messages",
                "http://h:1",
                "/v1/messages",
            ),
        ];
        for (line, url, path) in table.into_iter().chain(others) {
            let address = address(line, None).unwrap();
            assert_eq!(
                (address.target.url().as_str(), address.path.as_str()),
                (url, path),
                "{line}"
            );
        }
    }

    #[test]
    fn the_query_of_an_address_goes_along_and_is_not_shown() {
        let target = address("--base-url http://h:1/?token=sesame", None);
        let target = target.unwrap().target;
        assert!(target.query.is_some());
        assert_eq!(target.secrets().hide("sesame"), "***");
    }

    #[test]
    fn endpoints_must_fit_the_backend() {
        for line in [
            "--backend openai-chat",
            "--endpoint /v1/chat/completions",
            "--endpoint /v1/embeddings",
            "--base-url ftp://h",
            "--port 0",
            "--header x",
        ] {
            assert_eq!(address(line, None).unwrap_err().code, 2, "{line}");
        }
        address(
            "--backend openai-chat --endpoint /v1/chat/completions",
            None,
        )
        .unwrap();
    }

    #[test]
    fn headers_are_the_last_of_their_name_and_the_key_is_the_environments() {
        let target = |line, key| address(line, key).unwrap().target;
        let line = "--header authorization=Basic A=1 a=2 X-Request-Id=3";
        let headers = target(line, Some("k")).headers.into_iter();
        let names: Vec<String> = headers.map(|(name, _)| name).collect();
        assert_eq!(names, ["authorization", "a"]);
        let keyed = |key| -> Vec<Protocol> {
            let keys = target("", key).keys.into_iter();
            keys.map(|(protocol, _)| protocol).collect()
        };
        assert_eq!(keyed(Some("k")), [Protocol::Completions]);
        assert_eq!(keyed(Some("")), []);
    }

    #[test]
    fn an_endpoint_of_another_protocol_names_its_backend() {
        let failure = address("--endpoint /api/chat", None).unwrap_err();
        assert_eq!(failure.hint.unwrap().to_string(), "add --backend ollama");
        let failure = address("--backend ollama --endpoint /v1/messages", None).unwrap_err();
        assert_eq!(failure.hint.unwrap().to_string(), "add --backend anthropic");
    }

    #[test]
    fn the_way_to_the_server_is_read() {
        let words = "--connect-to h:1 [::1]:2 --source-ip 127.0.0.3 --cacert a --cert c --key k";
        let target = address(words, None).unwrap().target;
        assert_eq!(target.route.connect_to.len(), 2);
        assert_eq!(target.route.source_ips.len(), 1);
        assert!(target.tls_options.client.is_some());
        for bad in ["--key k", "--source-ip h", "--connect-to h:x"] {
            assert_eq!(address(bad, None).unwrap_err().code, 2, "{bad}");
        }
    }

    #[test]
    fn the_proxy_is_the_environments_but_not_for_this_machine() {
        // Every variable is "p:3128" here, which names no host of `no_proxy`.
        let proxy = |line| address(line, Some("p:3128")).unwrap().target.route.proxy;
        let through = proxy("--base-url http://gpu1:8000").unwrap();
        assert_eq!(through.authority(), "p:3128");
        assert_eq!(proxy("--port 8000"), None);
        assert_eq!(proxy("--base-url http://gpu1 --connect-to h:1"), None);
    }

    /// As vLLM's own script does, which tells nothing of the server but this name.
    #[test]
    fn servers_of_other_kinds_are_asked_as_vllm_is() {
        for name in ["vllm", "sglang", "lmdeploy", "scalellm", "llama.cpp", "tgi"] {
            assert_eq!(backend(name).unwrap(), Protocol::Completions, "{name}");
        }
    }

    #[test]
    fn backends_that_are_not_offered_say_so() {
        for name in [
            "tensorrt-llm",
            "openai-embeddings",
            "openai-responses",
            "vllm-rerank",
            "x",
        ] {
            let failure = backend(name).unwrap_err();
            assert!(failure.code == 2 && failure.hint.is_some(), "{name}");
        }
    }
}
