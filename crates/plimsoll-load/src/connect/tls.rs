//! TLS settings. This module alone picks the provider.

use std::io;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, Error};

use super::tls_fault::fault;
use super::{pem, verifier};
use crate::error::{LoadError, PemFault, TlsSetupError};
use crate::target::{HttpChoice, Target, TlsOptions};

/// What ALPN calls the versions.
const HTTP_1_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";

/// All that a handshake needs.
#[derive(Clone, Debug)]
pub(super) struct TlsSetup {
    config: Arc<ClientConfig>,
    /// The name to ask for and to check: that of the URL, wherever the socket leads.
    name: ServerName<'static>,
}

impl TlsSetup {
    /// Reads the certificates.
    pub(super) fn new(target: &Target) -> Result<Self, LoadError> {
        let options = &target.tls_options;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsSetupError::Library(error.to_string()))?;
        let verifier = verifier::verifier(options, provider)?;
        // "Dangerous" is what rustls calls any verifier that is not its own.
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = with_client(builder, options)?;
        config.alpn_protocols = alpn(target.http);
        Ok(Self {
            config: Arc::new(config),
            name: ServerName::try_from(target.host.clone())
                .map_err(|_| TlsSetupError::HostName(target.host.clone()))?,
        })
    }

    /// The client's end of a new handshake.
    pub(super) fn client(&self) -> io::Result<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| fault(&error))
    }
}

/// What TLS offers, best first.
fn alpn(choice: HttpChoice) -> Vec<Vec<u8>> {
    match choice {
        HttpChoice::Http1 => vec![HTTP_1_1.to_vec()],
        HttpChoice::Http2 => vec![HTTP_2.to_vec()],
        HttpChoice::Auto => vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()],
    }
}

fn with_client(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    options: &TlsOptions,
) -> Result<ClientConfig, LoadError> {
    let Some(client) = &options.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = pem::certificates(&client.cert_file)?;
    let key = pem::key(&client.key_file)?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => pem::fault(
                &client.key_file,
                PemFault::OtherKey(client.cert_file.clone()),
            ),
            error => pem::fault(&client.cert_file, PemFault::Library(error.to_string())),
        })
}
