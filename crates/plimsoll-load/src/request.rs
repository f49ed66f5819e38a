//! The bytes of a request.

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
    let mut text = format!(
        "{method} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: plimsoll/{}\r\nAccept: text/event-stream, application/json\r\n",
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
}
