//! `plimsoll sim` as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{plimsoll, run, stderr};

#[test]
fn the_metronome_says_where_it_is_serves_and_ends_cleanly() {
    let mut server = plimsoll()
        .args(["sim", "--metronome", "1ms,0", "--output-len", "5"])
        .args(["--listen", "127.0.0.1:0", "--served-model-name", "m"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let address = line
        .trim_end()
        .strip_prefix("metronome serves `m` at http://")
        .unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    socket
        .write_all(
            b"POST /v1/completions HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        )
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"completion_tokens\":5"), "{answer}");
    kill(Pid::from_raw(server.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn a_certificate_that_cannot_be_read_is_named() {
    let tls = ["--tls-cert", "no.pem", "--tls-key", "no.key"];
    let output = run(plimsoll()
        .args(["sim", "--metronome", "0,0", "--listen", "127.0.0.1:0"])
        .args(tls));
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("failed to read `no.pem`"));
}
