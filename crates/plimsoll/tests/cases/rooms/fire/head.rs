//! Heads: status lines, headers, refusals and redirects.

use super::mode::Made::{Answer, Failure};
use super::mode::Mode;
use super::mode::Then::{Close, Flood, Hang, Next};
use super::wire::{answer, page};

const JSON: &str = "Content-Type: application/json\r\n";

pub(super) fn modes() -> Vec<Mode> {
    [refusals(), redirects(), odd(), long()].concat()
}

fn refusals() -> Vec<Mode> {
    let said = r#"{"error":{"message":"no"}}"#;
    let refusal = |name, does, status: &str, made| {
        Mode::new(name, does, (page(status, JSON, said), Next), made)
    };
    vec![
        refusal("s400", "status 400", "400 Bad Request", Failure("http_400")),
        refusal(
            "s401",
            "status 401",
            "401 Unauthorized",
            Failure("http_401"),
        ),
        refusal("s403", "status 403", "403 Forbidden", Failure("http_403")),
        refusal("s404", "status 404", "404 Not Found", Failure("http_404")),
        refusal("s408", "status 408", "408 Timeout", Failure("http_408")),
        refusal("s413", "status 413", "413 Too Large", Failure("http_413")),
        refusal("s422", "status 422", "422 No", Failure("http_422")),
        refusal("s429", "status 429", "429 Slow", Failure("http_429")),
        refusal("s500", "status 500", "500 Oops", Failure("http_500")),
        refusal("s502", "status 502", "502 Gateway", Failure("http_502")),
        refusal("s503", "status 503", "503 Busy", Failure("http_503")),
        refusal("s504", "status 504", "504 Late", Failure("http_504")),
        refusal("s000", "status 000", "000 X", Failure("http_0")),
        refusal("s999", "status 999", "999 X", Failure("http_999")),
        Mode::new(
            "s429_later",
            "status 429 with Retry-After of a year",
            (page("429 Slow", "Retry-After: 31536000\r\n", said), Next),
            Failure("http_429"),
        ),
        Mode::new(
            "s503_page",
            "status 503 with a web page",
            (
                page("503 Busy", "Content-Type: text/html\r\n", "<h1>Busy</h1>"),
                Next,
            ),
            Failure("http_503"),
        ),
        Mode::new(
            "s500_binary",
            "status 500 with every byte there is",
            (page("500 X", "", (0..=255).collect::<Vec<u8>>()), Next),
            Failure("http_500"),
        ),
        Mode::new(
            "s500_long",
            "status 500 with 4 MB",
            (page("500 X", "", "a".repeat(4 << 20)), Next),
            Failure("http_500"),
        ),
        Mode::new(
            "s500_endless",
            "status 500 with a body without end",
            ("HTTP/1.1 500 X\r\n\r\n", Flood(b"aaaaaaaa")),
            Failure("http_500"),
        ),
        Mode::new(
            "s204",
            "status 204, which has no body, with one",
            (page("204 None", "", answer()), Close),
            Failure("ended_early"),
        ),
    ]
}

fn redirects() -> Vec<Mode> {
    let away = |name, does, status: &str, made| {
        let to = "Location: http://127.0.0.1:9/v1/completions\r\n";
        Mode::new(name, does, (page(status, to, ""), Next), made)
    };
    vec![
        away("r301", "a redirect, 301", "301 Moved", Failure("http_301")),
        away("r302", "a redirect, 302", "302 Found", Failure("http_302")),
        away("r304", "status 304", "304 Same", Failure("http_304")),
        away(
            "r307",
            "a redirect to another server",
            "307 Go",
            Failure("http_307"),
        ),
        away(
            "r308",
            "a redirect to another server",
            "308 Go",
            Failure("http_308"),
        ),
    ]
}

fn odd() -> Vec<Mode> {
    let not_http = Failure("malformed");
    vec![
        Mode::new("http09", "no head at all", (answer(), Close), not_http),
        Mode::new(
            "http2_line",
            "the status line of HTTP/2.0",
            (format!("HTTP/2.0 200 OK\r\n\r\n{}", answer()), Close),
            not_http,
        ),
        Mode::new(
            "garbage",
            "every byte there is",
            ((0..=255).collect::<Vec<u8>>(), Close),
            not_http,
        ),
        Mode::new(
            "tls_alert",
            "an alert of TLS",
            (b"\x15\x03\x03\x00\x02\x02\x28", Close),
            not_http,
        ),
        Mode::new(
            "ssh",
            "the greeting of SSH",
            ("SSH-2.0-OpenSSH_9.6\r\n", Hang),
            not_http,
        ),
        Mode::new(
            "no_colon",
            "a header without a colon",
            (
                format!("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n{}", answer()),
                Close,
            ),
            not_http,
        ),
        Mode::new(
            "nul_header",
            "NUL in a header",
            (
                format!("HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n{}", answer()),
                Close,
            ),
            not_http,
        ),
        Mode::new(
            "hints",
            "100 and 103 before an answer",
            (
                format!(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}",
                    answer()
                ),
                Close,
            ),
            Answer,
        ),
        Mode::new(
            "http10",
            "HTTP/1.0, to the close",
            (format!("HTTP/1.0 200 OK\r\n\r\n{}", answer()), Close),
            Answer,
        ),
    ]
}

/// Heads without end, or with more than any has.
fn long() -> Vec<Mode> {
    let not_http = Failure("malformed");
    let lines = "x-h: aaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    vec![
        Mode::new(
            "many_headers",
            "5,000 headers",
            (
                format!("HTTP/1.1 200 OK\r\n{}\r\n", lines.repeat(5_000)),
                Close,
            ),
            not_http,
        ),
        Mode::new(
            "long_header",
            "a header of 1 MB",
            (
                format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(1 << 20)),
                Close,
            ),
            not_http,
        ),
        Mode::new(
            "endless_headers",
            "headers without end",
            (
                "HTTP/1.1 200 OK\r\n",
                Flood(b"x-h: aaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
            ),
            not_http,
        ),
        Mode::new(
            "hints_endless",
            "103 Early Hints without end",
            ("", Flood(b"HTTP/1.1 103 Hints\r\n\r\n")),
            not_http,
        ),
        Mode::new(
            "switches",
            "101 Switching Protocols",
            ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", Hang),
            not_http,
        ),
    ]
}
