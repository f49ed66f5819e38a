//! The headers by which a request shows its key.

/// How a protocol's requests show a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer KEY` (RFC 6750 §2.1).
    Bearer,
    /// `x-api-key: KEY`, and the API's version with or without a key.
    ApiKey {
        /// Header that names the version.
        version_header: &'static str,
        /// The version that is spoken here.
        version: &'static str,
    },
}

impl Auth {
    /// Header lines for a key, or for none. The values are as secret as the key.
    pub fn headers(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        match self {
            Self::Bearer => key
                .map(|key| ("Authorization", format!("Bearer {key}")))
                .into_iter()
                .collect(),
            Self::ApiKey {
                version_header,
                version,
            } => key
                .map(|key| ("x-api-key", key.to_owned()))
                .into_iter()
                .chain([(version_header, version.to_owned())])
                .collect(),
        }
    }

    /// The header that holds the key.
    pub fn key_header(self) -> &'static str {
        match self {
            Self::Bearer => "Authorization",
            Self::ApiKey { .. } => "x-api-key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_in_its_header_and_nowhere_else() {
        let versioned = Auth::ApiKey {
            version_header: "v",
            version: "1",
        };
        let key = Some("k");
        assert_eq!(
            Auth::Bearer.headers(key),
            [("Authorization", "Bearer k".to_owned())]
        );
        assert_eq!(Auth::Bearer.headers(None), []);
        assert_eq!(
            versioned.headers(key),
            [("x-api-key", "k".to_owned()), ("v", "1".to_owned())]
        );
        assert_eq!(versioned.headers(None), [("v", "1".to_owned())]);
    }
}
