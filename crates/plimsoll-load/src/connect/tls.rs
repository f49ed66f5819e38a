//! TLS settings, and what faults of the handshake mean. This module alone picks the provider.

use std::io;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, ConfigBuilder, Error,
};

use super::{pem, verifier};
use crate::error::LoadError;
use crate::target::{Target, TlsOptions};

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
        let options = &target.tls_options;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let verifier = verifier::verifier(options, provider)?;
        // "Dangerous" is what rustls calls any verifier that is not its own.
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = with_client(builder, options)?;
        config.alpn_protocols = alpn;
        Ok(Self {
            config: Arc::new(config),
            name: ServerName::try_from(target.host.clone()).map_err(unusable)?,
        })
    }

    /// The client's end of a new handshake.
    pub(super) fn client(&self) -> io::Result<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| fault(&error))
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
                &format!(
                    "this is not the key of the certificate in `{}`",
                    client.cert_file.display()
                ),
            ),
            error => pem::fault(&client.cert_file, &error),
        })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn unusable(error: impl ToString) -> LoadError {
    LoadError::Tls(error.to_string())
}

/// An error of TLS, with what to do where that is known.
pub(crate) fn fault(error: &Error) -> io::Error {
    let text = match hint(error) {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    };
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn hint(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "trust it or its issuer with --cacert FILE, or any certificate with --insecure"
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "use a name that it is for (--connect-to leads it to another address), or --insecure",
        Error::InvalidCertificate(_) => "--insecure takes any certificate",
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a certificate of the client: --cert FILE --key FILE"
        }
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::DecryptError,
        ) => "the server does not take the certificate of --cert",
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "the server speaks another version of HTTP: --http 1.1, 2 or auto"
        }
        // The first bytes are no TLS record.
        Error::InvalidMessage(_) => "does the port speak TLS? if not, write http://",
        _ => return None,
    })
}
