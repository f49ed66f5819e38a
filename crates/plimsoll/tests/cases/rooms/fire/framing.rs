//! Bodies: their length, their chunks, their codings (RFC 9112).

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::mode::Made::{Answer, Failure};
use super::mode::Mode;
use super::mode::Then::{Close, Flood, Hang, Next};
use super::wire::{CHUNKED, DONE, END, FINISH, TOKEN, answer, chunk, page};

const BROKEN: super::mode::Made = Failure("malformed");

pub(super) fn modes() -> Vec<Mode> {
    [lengths(), transfer(), chunks(), codings()].concat()
}

fn with_length(length: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}",
        answer()
    )
}

fn lengths() -> Vec<Mode> {
    let length = answer().len();
    let half = format!("{}", length / 2);
    vec![
        Mode::new(
            "cl_negative",
            "Content-Length: -5",
            (with_length("-5"), Close),
            BROKEN,
        ),
        Mode::new(
            "cl_overflow",
            "Content-Length of 23 digits",
            (with_length("99999999999999999999999"), Close),
            BROKEN,
        ),
        Mode::new(
            "cl_words",
            "Content-Length: ten",
            (with_length("ten"), Close),
            BROKEN,
        ),
        Mode::new(
            "cl_plus",
            "Content-Length: +5",
            (with_length("+5"), Close),
            BROKEN,
        ),
        Mode::new(
            "cl_differ",
            "two lengths that differ",
            (
                with_length(&format!("{length}\r\nContent-Length: 5")),
                Close,
            ),
            BROKEN,
        ),
        Mode::new(
            "cl_list_differs",
            "a list of lengths that differ",
            (with_length(&format!("{length}, 5")), Close),
            BROKEN,
        ),
        Mode::new(
            "cl_same",
            "the length twice, and the same",
            (with_length(&format!("{length}, {length}")), Next),
            Answer,
        ),
        Mode::new(
            "cl_short",
            "half of its length",
            (with_length(&half), Close),
            Failure("ended_early"),
        ),
        Mode::new(
            "cl_long",
            "a length that never comes, after the last word",
            (with_length(&format!("{}", length + 500)), Close),
            Answer,
        ),
        Mode::new(
            "cl_huge",
            "a length of 2^64 - 1, after the last word",
            (with_length("18446744073709551615"), Close),
            Answer,
        ),
        Mode::new(
            "cl_cut",
            "a close before the length is there",
            (
                format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{TOKEN}"),
                Close,
            ),
            Failure("reset"),
        ),
    ]
}

fn transfer() -> Vec<Mode> {
    let with = |coding: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n");
        [head.as_bytes(), &chunk(answer()), END.as_bytes()].concat()
    };
    vec![
        Mode::new(
            "te_gzip",
            "Transfer-Encoding: chunked, gzip",
            (with("chunked, gzip"), Close),
            BROKEN,
        ),
        Mode::new(
            "te_twice",
            "Transfer-Encoding twice",
            (with("chunked\r\nTransfer-Encoding: identity"), Close),
            BROKEN,
        ),
        Mode::new(
            "te_unknown",
            "Transfer-Encoding: xyz",
            (with("xyz"), Close),
            BROKEN,
        ),
        Mode::new(
            "te_and_length",
            "chunks, and a length that is wrong",
            (with("chunked\r\nContent-Length: 3"), Next),
            Answer,
        ),
    ]
}

fn chunks() -> Vec<Mode> {
    let chunked = |rest: &[u8]| [CHUNKED.as_bytes(), rest].concat();
    let all = chunk(answer());
    let extended = String::from_utf8(all.clone())
        .unwrap()
        .replacen("\r\n", ";a=b;c=\"d\"\r\n", 1);
    vec![
        Mode::new(
            "chunk_overflow",
            "a chunk of 2^68 bytes",
            (chunked(b"ffffffffffffffff1\r\n"), Hang),
            BROKEN,
        ),
        Mode::new(
            "chunk_negative",
            "a chunk of -1 bytes",
            (chunked(b"-1\r\n"), Hang),
            BROKEN,
        ),
        Mode::new(
            "chunk_no_end",
            "a chunk that goes on",
            (chunked(b"3\r\nabcdef\r\n"), Hang),
            BROKEN,
        ),
        Mode::new(
            "chunk_zeros",
            "a chunk's size of zeros without end",
            (chunked(b""), Flood(b"00000000")),
            BROKEN,
        ),
        Mode::new(
            "chunk_extension_endless",
            "a chunk's extension without end",
            (chunked(b"5;"), Flood(b"aaaaaaaa")),
            BROKEN,
        ),
        Mode::new(
            "chunk_extension",
            "chunks with extensions",
            (chunked(format!("{extended}{END}").as_bytes()), Next),
            Answer,
        ),
        Mode::new(
            "trailers",
            "trailers after the last chunk",
            (
                chunked(&[&all, &b"0\r\nx-t: 1\r\nx-u: 2\r\n\r\n"[..]].concat()),
                Next,
            ),
            Answer,
        ),
        Mode::new(
            "trailers_endless",
            "trailers without end, after the last word",
            (
                chunked(&[&all, &b"0\r\n"[..]].concat()),
                Flood(b"x-t: 1\r\n"),
            ),
            Answer,
        ),
        Mode::new(
            "chunk_last_missing",
            "no last chunk, and a close",
            (chunked(&all), Close),
            Answer,
        ),
        Mode::new(
            "chunk_cut",
            "a close within a chunk",
            (chunked(b"fff\r\ndata: {"), Close),
            Failure("reset"),
        ),
    ]
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn codings() -> Vec<Mode> {
    const GZIP: &str = "Content-Encoding: gzip\r\nContent-Type: text/event-stream\r\n";
    let whole = gzip(&answer());
    let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
    let lines = "\n".repeat(1 << 20);
    for _ in 0..200 {
        bomb.write_all(lines.as_bytes()).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let cut = gzip(&TOKEN.repeat(50));
    vec![
        Mode::new("gzip", "gzip", (page("200 OK", GZIP, &whole), Next), Answer),
        Mode::new(
            "gzip_no_gzip",
            "what is called gzip and is none",
            (page("200 OK", GZIP, answer()), Next),
            BROKEN,
        ),
        Mode::new(
            "gzip_cut",
            "gzip that is cut",
            (page("200 OK", GZIP, &cut[..cut.len() / 2]), Next),
            Failure("ended_early"),
        ),
        Mode::new(
            "bomb",
            "200 MB in 200 kB",
            (page("200 OK", "Content-Encoding: deflate\r\n", &bomb), Next),
            BROKEN,
        ),
        Mode::new(
            "br",
            "a coding that nobody asked for",
            (page("200 OK", "Content-Encoding: br\r\n", "\x1b\x0b"), Next),
            BROKEN,
        ),
        Mode::new(
            "whole_json",
            "an answer in one piece",
            (
                page(
                    "200 OK",
                    "Content-Type: application/json\r\n",
                    r#"{"choices":[{"text":"a b","message":{"content":"a b"},"finish_reason":"stop"}]}"#,
                ),
                Next,
            ),
            Answer,
        ),
        Mode::new(
            "no_type",
            "no Content-Type",
            (
                [
                    &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
                    &chunk([TOKEN, FINISH, DONE].concat()),
                    END.as_bytes(),
                ]
                .concat(),
                Next,
            ),
            Answer,
        ),
    ]
}
