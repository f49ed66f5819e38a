//! Proxies, each a small one of the test's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::certificates::{own_authority, self_signed, serve, server_config};
use super::{address, closed, connect, connector, listener};
use crate::fetch::{self, FetchError};
use crate::target::{Proxy, Target};

const PATIENCE: Duration = Duration::from_secs(60);
/// "user:sesame" as `Basic` says it.
const BASIC: &str = "Proxy-Authorization: Basic dXNlcjpzZXNhbWU=\r\n";

/// A thing that listens, and tells what it heard.
struct Heard {
    address: SocketAddr,
    heard: Receiver<String>,
}

/// Serves one connection on a thread.
fn once(serve: impl FnOnce(TcpStream) -> String + Send + 'static) -> Heard {
    let listener = listener("127.0.0.1");
    let (tell, heard) = channel();
    let address = address(&listener);
    std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        // A test that has failed listens no more.
        drop(tell.send(serve(socket)));
    });
    Heard { address, heard }
}

fn read_head(socket: &mut TcpStream) -> String {
    let mut head = String::new();
    let mut byte = [0];
    while !head.ends_with("\r\n\r\n") && socket.read(&mut byte).unwrap() == 1 {
        head.push(char::from(byte[0]));
    }
    head
}

/// Answers one request.
fn origin() -> Heard {
    once(|mut socket| {
        let head = read_head(&mut socket);
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .unwrap();
        head
    })
}

/// Passes bytes on, both ways, until an end closes.
fn splice(mut near: TcpStream, far: &str, first: &[u8]) {
    let mut far = TcpStream::connect(far).unwrap();
    far.write_all(first).unwrap();
    let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    std::thread::spawn(move || {
        drop(std::io::copy(&mut from, &mut to));
        drop(to.shutdown(std::net::Shutdown::Write));
    });
    drop(std::io::copy(&mut far, &mut near));
}

/// An HTTP proxy; `wanted` must stand in the head of the request.
fn http_proxy(wanted: &'static str) -> Heard {
    once(move |mut socket| {
        let head = read_head(&mut socket);
        if !head.contains(wanted) {
            let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            socket.write_all(refusal.as_bytes()).unwrap();
            return head;
        }
        let words: Vec<&str> = head.split(' ').collect();
        let near = socket.try_clone().unwrap();
        if words[0] == "CONNECT" {
            socket
                .write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
                .unwrap();
            splice(near, words[1], b"");
        } else {
            let rest = words[1].strip_prefix("http://").unwrap();
            let (far, path) = rest.split_once('/').unwrap();
            let own = format!("{} /{path}", words[0]);
            let passed = head.replacen(&format!("{} {}", words[0], words[1]), &own, 1);
            splice(near, far, passed.as_bytes());
        }
        head
    })
}

fn receive<const N: usize>(socket: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    socket.read_exact(&mut bytes).unwrap();
    bytes
}

fn receive_text(socket: &mut TcpStream) -> String {
    let [length] = receive(socket);
    let mut text = vec![0; usize::from(length)];
    socket.read_exact(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// A SOCKS5 proxy; it tells where it was to go, takes `password` if there is one, and answers with
/// `reply`. It sends names to the loopback.
fn socks_proxy(password: Option<&'static str>, reply: u8) -> Heard {
    once(move |mut socket| {
        let [_, methods] = receive(&mut socket);
        let mut offered = vec![0; usize::from(methods)];
        socket.read_exact(&mut offered).unwrap();
        let method = if password.is_some() { 2 } else { 0 };
        if !offered.contains(&method) {
            socket.write_all(&[5, 0xff]).unwrap();
            return "no method".to_owned();
        }
        socket.write_all(&[5, method]).unwrap();
        if let Some(password) = password {
            let [_] = receive(&mut socket);
            let _user = receive_text(&mut socket);
            let good = receive_text(&mut socket) == password;
            socket.write_all(&[1, u8::from(!good)]).unwrap();
            if !good {
                return "bad password".to_owned();
            }
        }
        let [_, _, _, kind] = receive(&mut socket);
        let host = match kind {
            1 => std::net::Ipv4Addr::from(receive::<4>(&mut socket)).to_string(),
            _ => receive_text(&mut socket),
        };
        let port = u16::from_be_bytes(receive(&mut socket));
        socket
            .write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
            .unwrap();
        if reply == 0 {
            splice(socket, &format!("127.0.0.1:{port}"), b"");
        }
        format!("{host}:{port}")
    })
}

fn through(url: &str, scheme: &str, login: &str, proxy: SocketAddr) -> Target {
    let mut target = Target::parse(url).unwrap();
    let proxy = Proxy::parse(&format!("{scheme}://{login}{proxy}")).unwrap();
    target.route.proxy = Some(proxy);
    target
}

/// What a fetch says in the end; a failure with its cause.
fn get(target: &Target) -> Result<String, String> {
    let answer = fetch::get(target, "/", PATIENCE);
    answer
        .map(|answer| answer.text())
        .map_err(|error| match &error {
            FetchError::Connect { source, .. } => source.to_string(),
            error => error.to_string(),
        })
}

#[test]
fn an_http_request_goes_through_an_http_proxy_in_absolute_form() {
    let (origin, proxy) = (origin(), http_proxy(BASIC));
    let url = format!("http://{}", origin.address);
    let target = through(&url, "http", "user:sesame@", proxy.address);
    assert_eq!(get(&target).unwrap(), "ok");
    let head = proxy.heard.recv().unwrap();
    assert!(
        head.starts_with(&format!("GET {url}/ HTTP/1.1\r\n")),
        "{head}"
    );
    let host = format!("Host: {}\r\n", origin.address);
    assert!(origin.heard.recv().unwrap().contains(&host));
}

#[test]
fn tls_goes_through_an_http_proxy_in_a_tunnel() {
    let pair = self_signed(&own_authority("127.0.0.1"));
    let (server, proxy) = (serve(server_config(&pair, None)), http_proxy(BASIC));
    let url = format!("https://{}", server.address);
    let mut target = through(&url, "http", "user:sesame@", proxy.address);
    target.tls_options.insecure = true;
    let answer = fetch::get(&target, "/", PATIENCE).unwrap();
    assert_eq!(answer.text(), "ok");
    assert!(answer.connect.proxy.is_some() && answer.connect.tls.is_some());
    let head = proxy.heard.recv().unwrap();
    let authority = server.address;
    let expected = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    assert!(head.starts_with(&expected), "{head}");
    let seen = server.thread.join().unwrap();
    assert!(!seen.request.contains("Proxy-"), "{}", seen.request);
}

#[test]
fn a_proxy_that_wants_a_login_is_told_as_the_one_who_refuses() {
    for url in ["http://127.0.0.1:9", "https://127.0.0.1:9"] {
        let proxy = http_proxy(BASIC);
        let error = get(&through(url, "http", "user:wrong@", proxy.address)).unwrap_err();
        let expected = format!(
            "the proxy {} refused: 407 Proxy Authentication Required",
            proxy.address
        );
        assert_eq!(error, expected, "{url}");
    }
}

#[test]
fn a_proxy_that_is_none_is_told_as_such() {
    let nobody = closed("127.0.0.1");
    let absent = nobody.address;
    let fault = |target: &Target| connect(&connector(target)).err().unwrap().to_string();
    let target = through("http://h.invalid:1", "http", "", absent);
    let expected =
        format!("the proxy {absent} cannot be reached: connect to {absent}: connection refused");
    assert_eq!(fault(&target), expected);
    for (answer, expected) in [
        (&b""[..], "without an answer"),
        (b"SSH-2.0-x\r\n", "does not answer in HTTP"),
        (
            b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
            "refused: 502 Bad Gateway",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n???", "nobody asked for"),
    ] {
        let proxy = once(move |mut socket| {
            let head = read_head(&mut socket);
            socket.write_all(answer).unwrap();
            head
        });
        let text = fault(&through("https://h.invalid:1", "http", "", proxy.address));
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn socks5_gets_the_address_and_socks5h_the_name() {
    for (scheme, host) in [("socks5", "127.0.0.1"), ("socks5h", "localhost")] {
        let (origin, proxy) = (origin(), socks_proxy(None, 0));
        let port = origin.address.port();
        let url = format!("http://localhost:{port}");
        assert_eq!(
            get(&through(&url, scheme, "", proxy.address)).unwrap(),
            "ok"
        );
        assert_eq!(proxy.heard.recv().unwrap(), format!("{host}:{port}"));
    }
}

#[test]
fn socks_takes_a_password_where_one_is_wanted() {
    let attempt = |login: &str| {
        let (origin, proxy) = (origin(), socks_proxy(Some("sesame"), 0));
        let url = format!("http://{}", origin.address);
        get(&through(&url, "socks5", login, proxy.address))
    };
    assert_eq!(attempt("user:sesame@").unwrap(), "ok");
    let error = attempt("user:wrong-one@").unwrap_err();
    assert!(
        error.ends_with("refused the user or the password"),
        "{error}"
    );
    assert!(!error.contains("wrong-one"), "{error}");
    assert!(attempt("").unwrap_err().contains("refused: it"));
}

#[test]
fn a_socks_proxy_says_why_it_does_not_go_on() {
    let proxy = socks_proxy(None, 5);
    let target = through("http://name.invalid:1", "socks5h", "", proxy.address);
    let error = get(&target).unwrap_err();
    assert!(error.ends_with("refused: the server refused it"), "{error}");
    let proxy = once(|mut socket| {
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        read_head(&mut socket)
    });
    let target = through("http://name.invalid:1", "socks5h", "", proxy.address);
    let error = get(&target).unwrap_err();
    assert!(error.ends_with("does not speak SOCKS5"), "{error}");
}

#[test]
fn no_password_shows_in_a_connector_or_its_target() {
    for (url, scheme) in [
        ("http://127.0.0.1:1", "http"),
        ("https://127.0.0.1:1", "http"),
        ("http://127.0.0.1:1", "socks5"),
    ] {
        let nobody = closed("127.0.0.1");
        let target = through(url, scheme, "user:sesame@", nobody.address);
        let tunnel = super::super::resolve::tunnel(&target).unwrap();
        let shown = format!("{target:?} {tunnel:?}");
        assert!(!shown.contains("sesame"), "{shown}");
        let fault = connect(&connector(&target)).err().unwrap();
        assert!(!format!("{fault:?} {fault}").contains("sesame"));
    }
}
