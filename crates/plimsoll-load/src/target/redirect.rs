//! Where a server sends a request on to.

use http::Uri;
use thiserror::Error;

use super::{Secret, Target};

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RedirectFault {
    /// Elsewhere: the key would go along.
    #[error("it leads to another server, which is not to see the key")]
    OtherOrigin,
    /// A status that may turn a POST into a GET (RFC 9110 §15.4).
    #[error("only 307 and 308 keep a request as it is")]
    Status,
    /// There is no place to go to, or it leads in a circle.
    #[error("it leads nowhere")]
    Nowhere,
}

impl Target {
    /// The same server, which sends requests for `path` to the place that a redirect names.
    ///
    /// # Errors
    /// The redirect is not to be followed.
    pub(crate) fn follow(
        &self,
        path: &str,
        status: u16,
        location: Option<&str>,
    ) -> Result<Self, RedirectFault> {
        let to = self.own_path(location.ok_or(RedirectFault::Nowhere)?)?;
        if !matches!(status, 307 | 308) {
            return Err(RedirectFault::Status);
        }
        if to == self.path(path) {
            return Err(RedirectFault::Nowhere);
        }
        let mut moved = self.clone();
        let from = self.place(path);
        moved.moved.retain(|(known, _)| *known != from);
        moved.moved.push((from, Secret::new(to)));
        Ok(moved)
    }

    /// The path and query of a place on this very server.
    fn own_path(&self, location: &str) -> Result<String, RedirectFault> {
        let uri: Uri = location.parse().map_err(|_| RedirectFault::Nowhere)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let Some(authority) = uri.authority() else {
            let is_path = location.starts_with('/') && !location.starts_with("//");
            return if is_path {
                Ok(path.to_owned())
            } else {
                Err(RedirectFault::Nowhere)
            };
        };
        let scheme = if self.tls { "https" } else { "http" };
        let port = uri.port_u16().unwrap_or(if self.tls { 443 } else { 80 });
        let host = authority.host().trim_matches(['[', ']']);
        let is_same = uri.scheme_str() == Some(scheme)
            && host.eq_ignore_ascii_case(&self.host)
            && port == self.port
            && !authority.as_str().contains('@');
        is_same
            .then(|| path.to_owned())
            .ok_or(RedirectFault::OtherOrigin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_followed_on_the_same_server_alone() {
        let target = Target::parse("http://h:8000").unwrap();
        let path = "/v1/chat/completions";
        let table = [
            ("/real/v1/chat/completions", Ok("/real/v1/chat/completions")),
            ("http://h:8000/x?a=b", Ok("/x?a=b")),
            ("http://H:8000/x", Ok("/x")),
            ("https://h:8000/x", Err(RedirectFault::OtherOrigin)),
            ("http://h/x", Err(RedirectFault::OtherOrigin)),
            ("http://evil:8000/x", Err(RedirectFault::OtherOrigin)),
            ("http://u@h:8000/x", Err(RedirectFault::OtherOrigin)),
            ("//evil/x", Err(RedirectFault::Nowhere)),
            ("", Err(RedirectFault::Nowhere)),
            ("/v1/chat/completions", Err(RedirectFault::Nowhere)),
        ];
        for (location, expected) in table {
            let moved = target.follow(path, 307, Some(location));
            let moved = moved.map(|moved| moved.path(path));
            assert_eq!(moved, expected.map(str::to_owned), "{location}");
        }
        let by = |status| target.follow(path, status, Some("/x")).err();
        assert_eq!(by(308), None);
        assert_eq!(by(302), Some(RedirectFault::Status));
        assert_eq!(by(301), Some(RedirectFault::Status));
        let nowhere = target.follow(path, 307, None).err();
        assert_eq!(nowhere, Some(RedirectFault::Nowhere));
    }

    #[test]
    fn a_place_that_moves_twice_is_where_it_went_last() {
        let target = Target::parse("h:1").unwrap();
        let once = target.follow("/v1/models", 308, Some("/a")).unwrap();
        let twice = once.follow("/v1/models", 308, Some("/b")).unwrap();
        assert_eq!(twice.path("/v1/models"), "/b");
        assert_eq!(twice.path("/metrics"), "/metrics");
    }
}
