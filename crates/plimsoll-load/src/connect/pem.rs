//! Certificates and keys in PEM files. Errors name the file.

use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{LoadError, PemFault, TlsSetupError};

/// All certificates of a file.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| fault(file, read(error)))?;
    if certificates.is_empty() {
        return Err(fault(file, PemFault::NoCertificate));
    }
    Ok(certificates)
}

/// The first private key of a file.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, LoadError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        pem::Error::NoItemsFound => fault(file, PemFault::NoKey),
        error => fault(file, read(error)),
    })
}

fn read(error: pem::Error) -> PemFault {
    match error {
        pem::Error::Io(error) => PemFault::Io(error),
        error => PemFault::Library(error.to_string()),
    }
}

/// A fault with its file.
pub(super) fn fault(file: &Path, fault: PemFault) -> LoadError {
    let file = file.to_owned();
    LoadError::Tls(TlsSetupError::File { file, fault })
}
