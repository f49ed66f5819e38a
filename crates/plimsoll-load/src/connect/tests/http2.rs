//! Which version of HTTP is spoken over TLS.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use plimsoll_core::run::HttpVersion;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::certificates::{Files, authority, get, server_config, signed};
use super::{address, listener};
use crate::http2::tests::peer::Peer;
use crate::target::{HostPort, HttpChoice, Target};

const BOTH: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A server with a certificate of its own authority, for one connection, in what ALPN agrees on.
struct Server {
    address: SocketAddr,
    thread: JoinHandle<()>,
    files: Files,
}

fn serve(alpn: &[&[u8]]) -> Server {
    let authority = authority();
    let mut config = server_config(&signed("gpu1.test", &authority), None);
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let files = Files::new();
    let _ = files.certificate("ca.pem", authority.der());
    let listener = listener("127.0.0.1");
    Server {
        address: address(&listener),
        thread: std::thread::spawn(move || answer(&listener, config)),
        files,
    }
}

fn answer(listener: &TcpListener, config: ServerConfig) {
    let (mut socket, _) = listener.accept().unwrap();
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    while tls.is_handshaking() {
        if tls.complete_io(&mut socket).is_err() {
            return;
        }
    }
    let is_http2 = tls.alpn_protocol() == Some(b"h2");
    let mut peer = Peer(StreamOwned::new(tls, socket));
    if is_http2 {
        peer.greet();
        let stream = peer.request();
        peer.answer(stream);
    } else if peer.0.read(&mut [0]).is_ok_and(|count| count > 0) {
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
    peer.wait_for_end();
}

/// Asks in this version, and says in which one the answer came.
fn ask(alpn: &[&[u8]], choice: HttpChoice) -> Result<HttpVersion, String> {
    let server = serve(alpn);
    let mut target = Target::parse("https://gpu1.test").unwrap();
    let to = HostPort::parse(&server.address.to_string()).unwrap();
    target.route.connect_to.push(to);
    target.tls_options.ca_file = Some(server.files.path("ca.pem"));
    target.http = choice;
    let answer = get(&target);
    server.thread.join().unwrap();
    answer.map(|answer| {
        assert_eq!(answer.status, 200);
        assert!(answer.connect.tls.is_some());
        answer.http
    })
}

#[test]
fn the_server_chooses_where_it_is_asked_to() {
    let table = [
        (&BOTH[..], HttpChoice::Http1, HttpVersion::Http1),
        (&BOTH, HttpChoice::Http2, HttpVersion::Http2),
        (&BOTH, HttpChoice::Auto, HttpVersion::Http2),
        (&BOTH[1..], HttpChoice::Auto, HttpVersion::Http1),
        (&[], HttpChoice::Auto, HttpVersion::Http1),
        (&BOTH[..1], HttpChoice::Auto, HttpVersion::Http2),
    ];
    for (alpn, choice, spoken) in table {
        assert_eq!(ask(alpn, choice), Ok(spoken), "{alpn:?} {choice:?}");
    }
}

#[test]
fn a_server_that_does_not_agree_is_told_as_such() {
    let error = ask(&BOTH[1..], HttpChoice::Http2).unwrap_err();
    assert!(error.contains("another version of HTTP: --http"), "{error}");
    let error = ask(&BOTH[..1], HttpChoice::Http1).unwrap_err();
    assert!(error.contains("another version of HTTP: --http"), "{error}");
    let error = ask(&[], HttpChoice::Http2).unwrap_err();
    assert!(error.contains("does not agree to it in TLS"), "{error}");
}
