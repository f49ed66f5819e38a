//! What faults of TLS mean, and what to do where that is known.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// A fault of TLS. It travels as an [`io::Error`] of the kind `InvalidData`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}{}", .meaning.map(|one| format!("; {one}")).unwrap_or_default())]
pub struct TlsFault {
    /// What it means, where that is known.
    pub meaning: Option<TlsMeaning>,
    /// The words of the library.
    pub said: String,
}

/// What a fault of TLS means; the text is the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsMeaning {
    /// Nobody who is trusted has signed the server's certificate.
    #[error("trust it or its issuer with --cacert FILE, or any certificate with --insecure")]
    UnknownIssuer,
    /// The server's certificate is for another name.
    #[error("use a name that it is for (--connect-to leads it to another address), or --insecure")]
    OtherName,
    /// The server's certificate has expired, or something else is wrong with it.
    #[error("--insecure takes any certificate")]
    BadCertificate,
    /// The server wants to know who asks.
    #[error("the server wants a certificate of the client: --cert FILE --key FILE")]
    WantsCertificate,
    /// The server does not trust who asks.
    #[error("the server does not take the certificate of --cert")]
    ClientRefused,
    /// No version of HTTP in common.
    #[error("the server speaks another version of HTTP: --http 1.1, 2 or auto")]
    OtherHttp,
    /// The first bytes are no TLS record.
    #[error("does the port speak TLS? if not, write http://")]
    NoTls,
}

impl TlsFault {
    /// The fault within an error of a connection, if it is one of TLS.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// An error of TLS, with what to do where that is known.
pub(crate) fn fault(error: &Error) -> io::Error {
    let fault = TlsFault {
        meaning: meaning(error),
        said: error.to_string(),
    };
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

fn meaning(error: &Error) -> Option<TlsMeaning> {
    Some(match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => TlsMeaning::UnknownIssuer,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => TlsMeaning::OtherName,
        Error::InvalidCertificate(_) => TlsMeaning::BadCertificate,
        Error::AlertReceived(AlertDescription::CertificateRequired) => TlsMeaning::WantsCertificate,
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::DecryptError,
        ) => TlsMeaning::ClientRefused,
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => TlsMeaning::OtherHttp,
        Error::InvalidMessage(_) => TlsMeaning::NoTls,
        _ => return None,
    })
}
