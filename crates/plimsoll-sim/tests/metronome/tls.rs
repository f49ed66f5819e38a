//! The same over TLS, with and without client certificates.

use crate::client::{Client, completion, socket};
use plimsoll_sim::metronome::tls_config;
use plimsoll_sim::{Metronome, MetronomeConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// An authority with a certificate for the server and one for a client, as files.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        for name in ["localhost", "client"] {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
            let certificate = certificate.signed_by(&key, &authority).unwrap();
            fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            fs::write(
                folder.path().join(format!("{name}.key")),
                key.serialize_pem(),
            )
            .unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn serve(&self, ttft_ms: u64, itl_ms: u64, client_ca: Option<&Path>) -> Metronome {
        let tls = tls_config(
            &self.path("localhost.pem"),
            &self.path("localhost.key"),
            client_ca,
        );
        let (ttft, itl) = (
            Duration::from_millis(ttft_ms),
            Duration::from_millis(itl_ms),
        );
        Metronome::start(MetronomeConfig {
            tls: Some(tls.unwrap()),
            ..MetronomeConfig::local(ttft, itl)
        })
        .unwrap()
    }

    fn chain(&self, name: &str) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_file(self.path(name)).unwrap()]
    }

    fn connect(&self, server: &Metronome, with_certificate: bool) -> Stream {
        let mut roots = RootCertStore::empty();
        roots.add(self.chain("ca.pem").remove(0)).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = if with_certificate {
            let key = PrivateKeyDer::from_pem_file(self.path("client.key")).unwrap();
            builder
                .with_client_auth_cert(self.chain("client.pem"), key)
                .unwrap()
        } else {
            builder.with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = "localhost".try_into().unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(tls, socket(server.addr()))
    }
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

#[test]
fn streams_come_over_tls_as_they_do_without() {
    let certificates = Certificates::new();
    for (ttft_ms, itl_ms) in [(0, 0), (3, 1)] {
        let server = certificates.serve(ttft_ms, itl_ms, None);
        assert!(server.url().starts_with("https://"));
        let mut client = Client::over(certificates.connect(&server, false));
        for tokens in [64, 3] {
            let reply = client.post("/v1/completions", &completion(tokens));
            assert_eq!(reply.events().len() as u32, tokens + 1);
        }
        assert_eq!(client.stream().conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(client.truth()["output_tokens"], 67);
        let ttft = server.truth().ttft_ms.unwrap();
        assert!(ttft.p50 >= ttft_ms as f64);
    }
}

#[test]
fn large_requests_and_answers_pass() {
    let certificates = Certificates::new();
    let server = certificates.serve(0, 0, None);
    let mut client = Client::over(certificates.connect(&server, false));
    let ids = vec!["7"; 100_000].join(",");
    let body = format!(r#"{{"prompt":[{ids}],"max_tokens":20000,"stream":true}}"#);
    let reply = client.post("/v1/completions", &body);
    assert_eq!(reply.data().len(), 20_001);
    assert_eq!(client.truth()["prompt_tokens"], 100_000);
}

#[test]
fn clients_must_show_a_certificate_if_one_is_asked_for() {
    let certificates = Certificates::new();
    let server = certificates.serve(0, 0, Some(&certificates.path("ca.pem")));
    let mut known = Client::over(certificates.connect(&server, true));
    assert_eq!(known.get("/health").status, 200);
    // In TLS 1.3 the client hears of the refusal when it reads.
    let mut unknown = certificates.connect(&server, false);
    let refused = unknown
        .write_all(b"GET /health HTTP/1.1\r\n\r\n")
        .and_then(|()| unknown.read(&mut [0; 64]));
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn files_that_hold_no_certificate_are_named() {
    let certificates = Certificates::new();
    let (cert, key) = (
        certificates.path("localhost.pem"),
        certificates.path("localhost.key"),
    );
    for (cert, key, ca, named) in [
        (&key, &key, None, "localhost.key"),
        (&cert, &cert, None, "localhost.pem"),
        (&cert, &key, Some(&*key), "localhost.key"),
        (&certificates.path("none"), &key, None, "none"),
    ] {
        let error = tls_config(cert, key, ca).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
    let foreign = tls_config(&cert, &certificates.path("client.key"), None);
    assert_eq!(foreign.unwrap_err().to_string(), "failed to set up TLS");
}
