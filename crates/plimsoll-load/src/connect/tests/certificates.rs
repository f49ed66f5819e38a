//! TLS with certificates made for the test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use tempfile::TempDir;

use super::{address, connect, listener};
use crate::connect::Connector;
use crate::fetch::{self, Response};
use crate::target::{ClientCertificate, HostPort, HttpChoice, Target};

const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate and its key.
pub(super) struct Pair {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

pub(super) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(super) fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "an authority of this test");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

pub(super) fn signed(name: &str, by: &Authority) -> Pair {
    let key = KeyPair::generate().unwrap();
    let certificate = params(name).signed_by(&key, by).unwrap();
    Pair {
        certificate: certificate.der().clone(),
        key,
    }
}

pub(super) fn self_signed(params: &CertificateParams) -> Pair {
    let key = KeyPair::generate().unwrap();
    Pair {
        certificate: params.self_signed(&key).unwrap().der().clone(),
        key,
    }
}

/// A certificate that is its own authority, as `openssl req -x509` makes it.
pub(super) fn own_authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    params
}

pub(super) fn server_config(pair: &Pair, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let key = PrivateKeyDer::try_from(pair.key.serialize_der()).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    builder
        .with_single_cert(vec![pair.certificate.clone()], key)
        .unwrap()
}

/// What a server saw of a client.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sni: Option<String>,
    alpn: Option<Vec<u8>>,
    pub(super) request: String,
}

/// A server for one connection.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) thread: JoinHandle<Seen>,
}

pub(super) fn serve(config: ServerConfig) -> Server {
    let listener = listener("127.0.0.1");
    Server {
        address: address(&listener),
        thread: std::thread::spawn(move || answer(&listener, config)),
    }
}

fn answer(listener: &TcpListener, config: ServerConfig) -> Seen {
    let (mut socket, _) = listener.accept().unwrap();
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    let mut seen = Seen::default();
    let mut stream = Stream::new(&mut tls, &mut socket);
    let mut byte = [0];
    while !seen.request.ends_with("\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => seen.request.push(char::from(byte[0])),
            _ => break,
        }
    }
    seen.sni = tls.server_name().map(str::to_owned);
    seen.alpn = tls.alpn_protocol().map(<[u8]>::to_vec);
    if seen.request.is_empty() {
        // The alert is out; a socket that is closed with unread bytes would take it back.
        drop(socket.read_to_end(&mut Vec::new()));
        return seen;
    }
    let mut stream = Stream::new(&mut tls, &mut socket);
    drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    seen
}

/// A target for a name that leads to the server.
fn target(name: &str, server: &Server) -> Target {
    target_at(name, server.address)
}

fn target_at(name: &str, address: SocketAddr) -> Target {
    let mut target = Target::parse(&format!("https://{name}")).unwrap();
    let to = HostPort::parse(&address.to_string()).unwrap();
    target.route.connect_to.push(to);
    target
}

/// A folder of PEM files.
pub(super) struct Files(TempDir);

impl Files {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn certificate(&self, name: &str, der: &[u8]) -> PathBuf {
        let block = pem("CERTIFICATE", der);
        self.write(name, &block)
    }
}

/// A PEM block; base64 of a whole line is not needed for a test's reader.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Asks a server with this certificate, with that file as `--cacert`.
fn ask(name: &str, pair: &Pair, trusted: Option<&CertificateDer<'_>>) -> Result<Seen, String> {
    let files = Files::new();
    let server = serve(server_config(pair, None));
    let mut target = target(name, &server);
    target.tls_options.ca_file = trusted.map(|der| files.certificate("ca.pem", der));
    let answer = get(&target);
    let seen = server.thread.join().unwrap();
    answer.map(|answer| {
        assert_eq!(answer.text(), "ok");
        assert!(answer.connect.tls.is_some());
        seen
    })
}

/// One request, with the causes of a failure in its text.
pub(super) fn get(target: &Target) -> Result<Response, String> {
    fetch::get(target, "/", PATIENCE).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    })
}

#[test]
fn a_server_of_ones_own_authority_is_trusted_by_its_file() {
    let authority = authority();
    let pair = signed("gpu1.test", &authority);
    let seen = ask("gpu1.test", &pair, Some(authority.der())).unwrap();
    assert_eq!(seen.sni.as_deref(), Some("gpu1.test"));
    assert!(seen.request.contains("Host: gpu1.test:443\r\n"));
}

#[test]
fn a_server_of_an_unknown_authority_is_refused_with_the_way_out() {
    for pair in [
        signed("gpu1.test", &authority()),
        self_signed(&own_authority("gpu1.test")),
        self_signed(&params("gpu1.test")),
    ] {
        let error = ask("gpu1.test", &pair, None).unwrap_err();
        assert!(error.contains("UnknownIssuer"), "{error}");
        assert!(error.contains("--cacert FILE"), "{error}");
        assert!(error.contains("--insecure"), "{error}");
    }
}

#[test]
fn a_certificate_that_is_its_own_authority_is_trusted_by_its_file() {
    let pair = self_signed(&own_authority("gpu1.test"));
    ask("gpu1.test", &pair, Some(&pair.certificate)).unwrap();
    let leaf = self_signed(&params("gpu1.test"));
    ask("gpu1.test", &leaf, Some(&leaf.certificate)).unwrap();
}

#[test]
fn a_certificate_whose_issuer_is_unknown_is_trusted_by_its_file() {
    let pair = signed("gpu1.test", &authority());
    ask("gpu1.test", &pair, Some(&pair.certificate)).unwrap();
}

#[test]
fn one_of_ones_own_certificates_may_have_a_common_name_only() {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::CommonName, "gpu1.test");
    let pair = self_signed(&params);
    ask("gpu1.test", &pair, Some(&pair.certificate)).unwrap();
    let error = ask("gpu2.test", &pair, Some(&pair.certificate)).unwrap_err();
    assert!(error.contains("not valid for name"), "{error}");
}

#[test]
fn a_wrong_name_is_refused_whoever_signed() {
    let authority = authority();
    let pair = signed("gpu1.test", &authority);
    let own = self_signed(&own_authority("gpu1.test"));
    for (pair, trusted) in [(&pair, authority.der()), (&own, &own.certificate)] {
        let error = ask("gpu2.test", pair, Some(trusted)).unwrap_err();
        assert!(error.contains("not valid for name"), "{error}");
    }
}

#[test]
fn an_expired_certificate_is_refused_whoever_signed() {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let certificate = expired(params("gpu1.test")).signed_by(&key, &authority);
    let pair = Pair {
        certificate: certificate.unwrap().der().clone(),
        key,
    };
    let own = self_signed(&expired(own_authority("gpu1.test")));
    for (pair, trusted) in [(&pair, authority.der()), (&own, &own.certificate)] {
        let error = ask("gpu1.test", pair, Some(trusted)).unwrap_err();
        assert!(error.contains("expired"), "{error}");
    }
}

#[test]
fn another_certificate_of_the_same_name_is_not_ones_own() {
    let params = own_authority("gpu1.test");
    let (served, trusted) = (self_signed(&params), self_signed(&params));
    ask("gpu1.test", &served, Some(&trusted.certificate)).unwrap_err();
}

#[test]
fn insecure_takes_any_certificate() {
    let pair = self_signed(&expired(own_authority("gpu1.test")));
    let server = serve(server_config(&pair, None));
    let mut target = target("gpu2.test", &server);
    target.tls_options.insecure = true;
    assert_eq!(get(&target).unwrap().text(), "ok");
    server.thread.join().unwrap();
}

/// A server that wants certificates of an authority's, and a client with or without one.
fn ask_as(client: Option<&Pair>, clients: &Authority, files: &Files) -> Result<Response, String> {
    let pair = self_signed(&params("gpu1.test"));
    let server = serve(server_config(&pair, Some(clients)));
    let mut target = target("gpu1.test", &server);
    target.tls_options.ca_file = Some(files.certificate("ca.pem", &pair.certificate));
    target.tls_options.client = client.map(|client| ClientCertificate {
        cert_file: files.certificate("client.pem", &client.certificate),
        key_file: files.write("key.pem", &client.key.serialize_pem()),
    });
    let answer = get(&target);
    server.thread.join().unwrap();
    answer
}

#[test]
fn a_client_certificate_is_shown_where_one_is_wanted() {
    let (clients, files) = (authority(), Files::new());
    let client = signed("client", &clients);
    let answer = ask_as(Some(&client), &clients, &files).unwrap();
    assert_eq!(answer.text(), "ok");
}

#[test]
fn without_the_client_certificate_the_error_says_what_is_missing() {
    let (clients, files) = (authority(), Files::new());
    let error = ask_as(None, &clients, &files).unwrap_err();
    assert!(error.contains("--cert FILE --key FILE"), "{error}");
    let stranger = signed("client", &authority());
    let error = ask_as(Some(&stranger), &clients, &files).unwrap_err();
    assert!(error.contains("does not take"), "{error}");
}

#[test]
fn files_that_are_no_use_are_named() {
    let files = Files::new();
    let (one, other) = (self_signed(&params("a")), self_signed(&params("b")));
    let cert_file = files.certificate("client.pem", &one.certificate);
    let table = [
        (
            files.write("k.pem", &other.key.serialize_pem()),
            "not the key",
        ),
        (files.write("e.pem", ""), "no PEM private key"),
        (files.0.path().join("absent.pem"), "absent.pem"),
    ];
    for (key_file, expected) in table {
        let mut target = Target::parse("https://127.0.0.1").unwrap();
        target.tls_options.client = Some(ClientCertificate {
            cert_file: cert_file.clone(),
            key_file,
        });
        let error = Connector::to(&target).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let mut target = Target::parse("https://127.0.0.1").unwrap();
    target.tls_options.ca_file = Some(files.write("empty.pem", ""));
    let error = Connector::to(&target).err().unwrap().to_string();
    assert!(error.contains("empty.pem"), "{error}");
}

#[test]
fn the_protocols_asked_for_are_offered() {
    let pair = self_signed(&params("gpu1.test"));
    let seen = ask("gpu1.test", &pair, Some(&pair.certificate)).unwrap();
    assert_eq!(seen.alpn, None);
    for (choice, agreed) in [
        (HttpChoice::Auto, &b"h2"[..]),
        (HttpChoice::Http2, b"h2"),
        (HttpChoice::Http1, b"http/1.1"),
    ] {
        let mut config = server_config(&pair, None);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let server = serve(config);
        let mut target = target("gpu1.test", &server);
        target.tls_options.insecure = true;
        target.http = choice;
        let connector = Connector::to(&target).unwrap();
        let connected = connect(&connector).unwrap();
        assert_eq!(connected.connection.protocol(), Some(agreed));
        assert!(connected.times.tls.is_some());
        drop(connected);
        assert_eq!(server.thread.join().unwrap().alpn.as_deref(), Some(agreed));
    }
}

#[test]
fn a_port_without_tls_is_told_as_such() {
    let listener = listener("127.0.0.1");
    let address = address(&listener);
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        drop(socket.read_to_end(&mut Vec::new()));
    });
    let target = Target::parse(&format!("https://{address}")).unwrap();
    let error = get(&target).unwrap_err();
    assert!(error.contains("does the port speak TLS?"), "{error}");
    server.join().unwrap();
}

#[test]
fn a_farewell_of_tls_ends_an_answer_though_the_socket_stays_open() {
    let pair = self_signed(&params("gpu1.test"));
    let config = server_config(&pair, None);
    let listener = listener("127.0.0.1");
    let address = address(&listener);
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        let mut first = [0; 1];
        Stream::new(&mut tls, &mut socket)
            .read_exact(&mut first)
            .unwrap();
        tls.writer()
            .write_all(b"HTTP/1.0 200 OK\r\n\r\nok")
            .unwrap();
        tls.send_close_notify();
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed).unwrap();
        }
        socket.write_all(&sealed).unwrap();
        // Until the client closes.
        drop(socket.read_to_end(&mut Vec::new()));
    });
    let mut target = target_at("gpu1.test", address);
    target.tls_options.insecure = true;
    assert_eq!(get(&target).unwrap().text(), "ok");
    thread.join().unwrap();
}
