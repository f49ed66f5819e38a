//! TLS from files.

use crate::server::SimError;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::Arc;

/// Returns TLS for a server: its certificate chain and key, and the authorities of the client
/// certificates that it asks for; without these it asks for none. It speaks HTTP/1.1.
///
/// # Errors
/// If a file cannot be read, holds nothing of the kind, or the key is not the certificate's.
pub fn tls_config(
    cert_pem: &Path,
    key_pem: &Path,
    client_ca_pem: Option<&Path>,
) -> Result<Arc<ServerConfig>, SimError> {
    let chain = certificates(cert_pem)?;
    let key = PrivateKeyDer::from_pem_file(key_pem).map_err(|source| SimError::Pem {
        path: key_pem.to_owned(),
        source,
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(SimError::Tls)?;
    let builder = match client_ca_pem {
        Some(path) => builder.with_client_cert_verifier(verifier(path)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(SimError::Tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(client_ca_pem: &Path) -> Result<Arc<dyn ClientCertVerifier>, SimError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(client_ca_pem)? {
        roots.add(certificate).map_err(SimError::Tls)?;
    }
    let provider = Arc::new(ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(SimError::ClientCa)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SimError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let chain: Vec<_> = read.map_err(|source| SimError::Pem {
        path: path.to_owned(),
        source,
    })?;
    if chain.is_empty() {
        return Err(SimError::Pem {
            path: path.to_owned(),
            source: rustls::pki_types::pem::Error::NoItemsFound,
        });
    }
    Ok(chain)
}
