//! TLS settings. This module alone picks the provider.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::error::LoadError;
use crate::target::Target;

/// All that a handshake needs.
#[derive(Clone, Debug)]
pub(super) struct TlsSetup {
    config: Arc<ClientConfig>,
    /// The name to ask for and to check: that of the URL, wherever the socket leads.
    name: ServerName<'static>,
}

impl TlsSetup {
    /// Reads the certificates.
    pub(super) fn new(target: &Target, alpn: Vec<Vec<u8>>) -> Result<Self, LoadError> {
        let fault = |text: String| LoadError::Tls(text);
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(error.to_string()))?;
        let mut config = if target.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth()
        } else {
            builder
                .with_root_certificates(roots(target)?)
                .with_no_client_auth()
        };
        config.alpn_protocols = alpn;
        let name =
            ServerName::try_from(target.host.clone()).map_err(|error| fault(error.to_string()))?;
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }

    /// The client's end of a new handshake.
    pub(super) fn client(&self) -> io::Result<ClientConnection> {
        let client = ClientConnection::new(Arc::clone(&self.config), self.name.clone());
        client.map_err(io::Error::other)
    }
}
fn roots(target: &Target) -> Result<RootCertStore, LoadError> {
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be read are passed over, as every client does.
    let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &target.ca_file {
        let fault = |error: String| LoadError::Tls(format!("`{}`: {error}", file.display()));
        for certificate in
            CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?
        {
            let certificate = certificate.map_err(|error| fault(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| fault(error.to_string()))?;
        }
    }
    Ok(roots)
}

/// Takes any certificate: `--insecure`, asked for by the user.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
