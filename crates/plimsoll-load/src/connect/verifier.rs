//! Whether the server's certificate is good.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::pem;
use crate::error::{LoadError, PemFault, TlsSetupError};
use crate::target::TlsOptions;

/// The verifier that the options ask for.
pub(super) fn verifier(
    options: &TlsOptions,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, LoadError> {
    if options.insecure {
        return Ok(Arc::new(Verifier {
            provider,
            trust: Trust::Anything,
        }));
    }
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be read are passed over, as every client does.
    let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let mut own = Vec::new();
    if let Some(file) = &options.ca_file {
        own = pem::certificates(file)?;
        for certificate in &own {
            roots
                .add(certificate.clone())
                .map_err(|error| pem::fault(file, PemFault::Library(error.to_string())))?;
        }
    }
    let webpki = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .build()
        .map_err(|_| TlsSetupError::NoRoots)?;
    Ok(Arc::new(Verifier {
        provider,
        trust: Trust::Roots { webpki, own },
    }))
}

/// Checks a certificate, and in any case that the server has its key.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    trust: Trust,
}

/// Which certificates are good.
#[derive(Debug)]
enum Trust {
    /// `--insecure`, asked for by the user.
    Anything,
    /// What the authorities have signed, and the very certificates of `--cacert`.
    Roots {
        webpki: Arc<WebPkiServerVerifier>,
        own: Vec<CertificateDer<'static>>,
    },
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Trust::Roots { webpki, own } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(error) if may_be_own(&error) => {
                if !own.contains(end_entity) {
                    return Err(CertificateError::UnknownIssuer.into());
                }
                verify_own_name(end_entity, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether a certificate that the user trusts by itself may be refused for this: that it is its own
/// authority, or that its issuer is not known. webpki looks at the validity period before either,
/// so a certificate that has expired has another error.
fn may_be_own(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            let cause = other.0.downcast_ref::<webpki::Error>();
            cause == Some(&webpki::Error::CaUsedAsEndEntity)
        }
        _ => false,
    }
}

/// Whether a certificate that is trusted by itself is for this name. Those that people make for
/// themselves often have no alternative names; then the common name counts, as with curl.
fn verify_own_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    let verified = verify_server_name(&ParsedCertificate::try_from(certificate)?, name);
    let Ok(entity) = webpki::EndEntityCert::try_from(certificate) else {
        return verified;
    };
    let has_names = entity.valid_dns_names().next().is_some();
    let is_common_name = common_name(entity.subject())
        .is_some_and(|common| common.eq_ignore_ascii_case(name.to_str().as_bytes()));
    if !has_names && is_common_name {
        return Ok(());
    }
    verified
}

/// The common name in the DER of a subject, if it is shorter than 128 bytes.
fn common_name(subject: &[u8]) -> Option<&[u8]> {
    // OBJECT IDENTIFIER 2.5.4.3; a string with its tag and length follows.
    const OID: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let at = subject
        .windows(OID.len())
        .position(|window| window == OID)?;
    let (_tag, rest) = subject[at + OID.len()..].split_first()?;
    let (length, rest) = rest.split_first()?;
    rest.get(..usize::from(*length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_name_is_found_and_nothing_beyond_the_end() {
        let subject = b"\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03gpu";
        assert_eq!(common_name(subject), Some(&b"gpu"[..]));
        assert_eq!(common_name(&subject[..subject.len() - 1]), None);
        assert_eq!(common_name(&subject[..9]), None);
        assert_eq!(common_name(b""), None);
    }
}
