//! The bytes of a request.

use crate::proxy::Proxy;
use crate::source::Built;
use crate::target::Target;

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
        "{method} {origin}{}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: plimsoll/{}\r\nAccept: text/event-stream, application/json\r\n",
        target.base_path,
        built.path,
        target.authority(),
        env!("CARGO_PKG_VERSION"),
    );
    if !built.body.is_empty() {
        let length = built.body.len();
        text.push_str("Content-Type: application/json\r\nContent-Length: ");
        text.push_str(&length.to_string());
        text.push_str("\r\n");
    }
    if !keep_alive {
        text.push_str("Connection: close\r\n");
    }
    if let Some(value) = forward.and_then(Proxy::authorization) {
        text.push_str("Proxy-Authorization: ");
        text.push_str(&value);
        text.push_str("\r\n");
    }
    let own = target
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()));
    for (name, value) in own.chain(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_the_wire_wants() {
        let target = Target::parse("http://h:1/base/v1")
            .unwrap()
            .with_api_key("k");
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
