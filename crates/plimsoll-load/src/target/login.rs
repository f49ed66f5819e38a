//! A user and a password, as they stand before the host of an address.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Secret;

/// Longest user name or password that SOCKS5 can carry, bytes (RFC 1929 §2).
const MAX_LOGIN: usize = 255;

/// A user and a password; no text shows either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Secret,
    pub(crate) password: Secret,
}

impl Login {
    /// Reads `user:password`, each of which may be percent-encoded; `None` where that is broken, or one
    /// is longer than 255 bytes.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let decode = |text| {
            percent_decoded(text)
                .filter(|text| text.len() <= MAX_LOGIN)
                .map(Secret::new)
        };
        Some(Self {
            user: decode(user)?,
            password: decode(password)?,
        })
    }

    /// Both in Base64, as the `Basic` scheme has them (RFC 7617 §2).
    pub(super) fn in_base64(&self) -> String {
        let pair = format!("{}:{}", self.user.expose(), self.password.expose());
        BASE64.encode(pair)
    }

    /// The value of `Authorization`, or of `Proxy-Authorization`.
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", self.in_base64())
    }
}

/// Text without its percent-encoding (RFC 3986 §2.1); `None` where that is broken.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
