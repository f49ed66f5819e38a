//! Certificates and keys in PEM files. Errors name the file.

use std::fmt::Display;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::LoadError;

/// All certificates of a file.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, LoadError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| fault(file, &error))?;
    if certificates.is_empty() {
        return Err(fault(file, &"there is no PEM certificate in it"));
    }
    Ok(certificates)
}

/// The first private key of a file.
pub(super) fn key(file: &Path) -> Result<PrivateKeyDer<'static>, LoadError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        pem::Error::NoItemsFound => fault(
            file,
            &"there is no PEM private key in it (PKCS#8, SEC1 or PKCS#1); open an encrypted one \
              with `openssl pkey -in FILE -out PLAIN`",
        ),
        error => fault(file, &error),
    })
}

/// An error with its file.
pub(super) fn fault(file: &Path, error: &dyn Display) -> LoadError {
    LoadError::Tls(format!("`{}`: {error}", file.display()))
}
