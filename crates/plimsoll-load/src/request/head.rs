//! The bytes of a request, and its head for HTTP/2.

use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};

use crate::source::Built;
use crate::target::{Proxy, Target};

/// Method and path of a request without a body, or with a JSON one. Without `keep_alive` the server
/// is asked to close the connection after its answer.
pub(crate) fn head_and_body(
    target: &Target,
    method: &str,
    built: &Built,
    keep_alive: bool,
) -> Vec<u8> {
    let forward = target.forward_proxy();
    // A proxy reads from the request line where it goes (RFC 9112 §3.2.2).
    let origin = forward.map_or(String::new(), |_| format!("http://{}", target.authority()));
    let mut text = format!(
        "{method} {origin}{} HTTP/1.1\r\nHost: {}\r\n",
        target.path(&built.path),
        target.authority(),
    );
    for (name, value) in usual_headers(target, built) {
        text.extend([name, ": ", &value, "\r\n"]);
    }
    if !built.body.is_empty() {
        let length = built.body.len().to_string();
        text.extend(["Content-Length: ", &length, "\r\n"]);
    }
    if !keep_alive {
        text.push_str("Connection: close\r\n");
    }
    if let Some(value) = forward.and_then(Proxy::authorization) {
        text.push_str("Proxy-Authorization: ");
        text.push_str(&value);
        text.push_str("\r\n");
    }
    let auth = target.auth_headers();
    let auth = auth.iter().map(|(name, value)| (*name, value.expose()));
    let own = target
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()));
    for (name, value) in auth.chain(own).chain(
        built
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    ) {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&built.body);
    bytes
}

/// What every request says of itself, unless the user says otherwise.
fn usual_headers(target: &Target, built: &Built) -> Vec<(&'static str, String)> {
    let agent = concat!("plimsoll/", env!("CARGO_PKG_VERSION"));
    let mut usual = vec![
        ("User-Agent", agent.to_owned()),
        ("Accept", accepted(target)),
        ("Accept-Encoding", "identity".to_owned()),
    ];
    if !built.body.is_empty() {
        usual.push(("Content-Type", "application/json".to_owned()));
    }
    usual.retain(|(name, _)| !target.has_header(name));
    usual
}

/// The content types of the answers that are understood: a stream, or the same as a whole.
fn accepted(target: &Target) -> String {
    let stream = target.protocol.framing().content_type();
    format!("{stream}, application/json")
}

/// Headers that speak of an HTTP/1.1 connection or its framing. They do not exist in HTTP/2, which
/// names the host elsewhere (RFC 9113 §8.2.2).
const NOT_IN_HTTP2: [&str; 7] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The head of the same request for HTTP/2.
///
/// # Errors
/// The path or a header cannot be sent; the text names it, and no value.
pub(crate) fn http2_head(
    target: &Target,
    method: &str,
    built: &Built,
) -> Result<Request<()>, String> {
    let scheme = if target.tls { "https" } else { "http" };
    let path = target.path(&built.path);
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(target.authority())
        .path_and_query(path.as_str())
        .build()
        .map_err(|error| format!("the path `{}` cannot be sent: {error}", built.path))?;
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in usual_headers(target, built) {
        request = request.header(name, value);
    }
    let mut request = request.body(()).map_err(|error| error.to_string())?;
    let auth = target.auth_headers();
    let auth = auth
        .iter()
        .map(|(name, value)| (*name, value.expose(), true));
    let own = target.headers.iter();
    let own = own.map(|(name, value)| (name.as_str(), value.expose(), true));
    let built = built.headers.iter();
    let built = built.map(|(name, value)| (name.as_str(), value.as_str(), false));
    for (name, value, is_secret) in auth.chain(own).chain(built) {
        let cannot = || format!("the header `{name}` cannot be sent");
        let name = HeaderName::try_from(name).map_err(|_| cannot())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| cannot())?;
        value.set_sensitive(is_secret);
        if !NOT_IN_HTTP2.contains(&name.as_str()) {
            let _ = request.headers_mut().append(name, value);
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use plimsoll_core::protocol::Protocol;

    use super::*;
    use crate::target::Secret;

    #[test]
    fn a_request_is_what_the_wire_wants() {
        let target = Target::parse("http://h:1/base/v1")
            .unwrap()
            .with_key("k", &[Protocol::Completions]);
        let built = Built {
            path: "/v1/completions".to_owned(),
            headers: vec![("x-request-id".to_owned(), "7".to_owned())],
            body: b"{}".to_vec(),
            ..Built::default()
        };
        let text = String::from_utf8(head_and_body(&target, "POST", &built, true)).unwrap();
        assert!(
            text.starts_with("POST /base/v1/completions HTTP/1.1\r\nHost: h:1\r\n"),
            "{text}"
        );
        assert!(
            text.contains("Authorization: Bearer k\r\nx-request-id: 7\r\n\r\n{}"),
            "{text}"
        );
        assert!(text.contains("Content-Length: 2\r\n"));
        assert!(!text.contains("Connection:"), "{text}");
        let text = String::from_utf8(head_and_body(&target, "POST", &built, false)).unwrap();
        assert!(text.contains("\r\nConnection: close\r\n"), "{text}");
    }

    #[test]
    fn a_header_of_the_users_own_stands_alone() {
        let mut target = Target::parse("h:1").unwrap();
        target.headers = vec![("user-agent".to_owned(), Secret::new("mine"))];
        let built = Built::default();
        let text = String::from_utf8(head_and_body(&target, "GET", &built, true)).unwrap();
        assert!(text.contains("user-agent: mine\r\n"), "{text}");
        assert!(!text.contains("User-Agent"), "{text}");
        let head = http2_head(&target, "GET", &built).unwrap();
        let agents = head.headers().get_all("user-agent").iter();
        assert_eq!(agents.collect::<Vec<_>>(), ["mine"]);
    }

    #[test]
    fn http2_has_the_same_request_without_what_belongs_to_a_connection() {
        let mut target = Target::parse("https://h:1/base/v1")
            .unwrap()
            .with_key("sesame", &[Protocol::Completions]);
        let header = |name: &str| (name.to_owned(), Secret::new("x"));
        target
            .headers
            .extend([header("Connection"), header("Host")]);
        let mut built = Built {
            path: "/v1/completions?a=b".to_owned(),
            headers: vec![("X-Request-Id".to_owned(), "7".to_owned())],
            body: b"{}".to_vec(),
            ..Built::default()
        };
        let head = http2_head(&target, "POST", &built).unwrap();
        let uri = "https://h:1/base/v1/completions?a=b";
        assert_eq!(
            (head.method().as_str(), head.uri().to_string()),
            ("POST", uri.to_owned())
        );
        let text = |name: &str| Some(head.headers().get(name)?.to_str().unwrap().to_owned());
        assert_eq!(text("authorization").as_deref(), Some("Bearer sesame"));
        assert_eq!(text("content-type").as_deref(), Some("application/json"));
        assert_eq!(text("x-request-id").as_deref(), Some("7"));
        assert_eq!((text("connection"), text("host")), (None, None));
        assert!(!format!("{head:?}").contains("sesame"));
        built.headers.push(("bad".to_owned(), "a\nb".to_owned()));
        let error = http2_head(&target, "POST", &built).unwrap_err();
        assert!(error.contains("`bad`"), "{error}");
    }

    #[test]
    fn an_http_proxy_is_told_the_whole_address_and_who_asks() {
        let mut target = Target::parse("http://h:1/base").unwrap();
        target.route.proxy = Some(Proxy::parse("http://u:p@proxy:2").unwrap());
        let text = |target: &Target| {
            let built = Built {
                path: "/v1/models".to_owned(),
                ..Built::default()
            };
            String::from_utf8(head_and_body(target, "GET", &built, true)).unwrap()
        };
        let through = text(&target);
        assert!(
            through.starts_with("GET http://h:1/base/v1/models HTTP/1.1\r\nHost: h:1\r\n"),
            "{through}"
        );
        assert!(through.contains("Proxy-Authorization: Basic dTpw\r\n"));
        for (url, proxy) in [
            ("https://h:1", "http://u:p@proxy:2"),
            ("http://h:1", "socks5://u:p@proxy:2"),
        ] {
            let mut target = Target::parse(url).unwrap();
            target.route.proxy = Some(Proxy::parse(proxy).unwrap());
            let tunnelled = text(&target);
            assert!(tunnelled.starts_with("GET /v1/models "), "{tunnelled}");
            assert!(!tunnelled.contains("Proxy-"), "{tunnelled}");
        }
    }
}
