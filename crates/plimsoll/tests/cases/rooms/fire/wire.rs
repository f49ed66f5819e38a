//! The bytes that modes are made of. Events fit both of `OpenAI`'s APIs.

/// The head of a stream whose body comes in chunks.
pub(super) const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
/// The head of one that ends with its connection.
pub(super) const TO_CLOSE: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
/// An event with a token.
pub(super) const TOKEN: &str = "data: {\"choices\":[{\"index\":0,\"text\":\" w\",\"delta\":{\"content\":\" w\"},\"finish_reason\":null}]}\n\n";
/// The event that ends an answer.
pub(super) const FINISH: &str =
    "data: {\"choices\":[{\"index\":0,\"text\":\"\",\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
/// The last word.
pub(super) const DONE: &str = "data: [DONE]\n\n";
/// The end of a body in chunks.
pub(super) const END: &str = "0\r\n\r\n";

/// An answer of four tokens, to its last word.
pub(super) fn answer() -> String {
    [&TOKEN.repeat(4), FINISH, DONE].concat()
}

/// Bytes as one chunk.
pub(super) fn chunk(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// A whole stream of these events, whatever they are.
pub(super) fn stream(events: impl AsRef<[u8]>) -> Vec<u8> {
    [CHUNKED.as_bytes(), &chunk(events), END.as_bytes()].concat()
}

/// A stream of these events that never ends.
pub(super) fn open(events: impl AsRef<[u8]>) -> Vec<u8> {
    [CHUNKED.as_bytes(), &chunk(events)].concat()
}

/// A whole answer with this status line and these header lines.
pub(super) fn page(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}
