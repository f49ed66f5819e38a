//! The secrets of a run, taken out of what a peer says: a server may answer with the key that it was
//! shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::login::percent_decoded;
use super::shown::is_open;
use super::{Login, Secret, Target};

/// What stands in the place of a secret.
const HIDDEN: &str = "***";
/// What is shorter guards nothing, and would be found in any text.
const LEAST_BYTES: usize = 4;
/// In a name that is sent to the server again, as that of its model, no shorter secret is hidden:
/// `vllm` and `ollama` are keys of servers that want none.
const LEAST_BYTES_IN_NAMES: usize = 8;

/// A text that says more than this was cut so often by its writer, and not on its way here.
const MOST_CUTS: usize = 16;

/// Each secret that a server is reached with, in every form in which it may come back.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Secrets {
    fn of(values: impl Iterator<Item = String>) -> Self {
        let mut forms: Vec<String> = values
            .flat_map(forms)
            .filter(|form| form.len() >= LEAST_BYTES)
            .collect();
        // The longest first: one may be a part of another.
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self(forms)
    }

    /// The text of a peer with `***` in the place of each secret, be it cut off at the end.
    pub fn hide(&self, text: &str) -> String {
        self.hide_from(LEAST_BYTES, text)
    }

    /// The same of a name that is sent again: what is too short to be a secret stays.
    pub fn hide_in_name(&self, name: &str) -> String {
        self.hide_from(LEAST_BYTES_IN_NAMES, name)
    }

    fn hide_from(&self, least: usize, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().filter(|secret| secret.len() >= least) {
            if text.contains(secret) {
                text = text.replace(secret, HIDDEN);
            }
            hide_beginning(&mut text, secret, least);
        }
        text
    }
}

/// The forms in which a server may show a value: as it is, encoded, or in small letters.
fn forms(value: String) -> [String; 5] {
    let in_json = serde_json::Value::from(value.as_str()).to_string();
    let in_json = in_json[1..in_json.len() - 1].to_owned();
    let in_base64 = BASE64.encode(&value);
    // Its end depends on what follows it.
    let in_base64 = in_base64.trim_end_matches('=').to_owned();
    let small = value.to_lowercase();
    [in_url(&value), in_json, in_base64, small, value]
}

/// Hides the beginning of a secret where a text was cut: at its end, and before each `…`.
fn hide_beginning(text: &mut String, secret: &str, least: usize) {
    let cuts = text.rmatch_indices('…').map(|(at, _)| at);
    let cuts: Vec<usize> = [text.len()]
        .into_iter()
        .chain(cuts)
        .take(MOST_CUTS)
        .collect();
    for cut in cuts {
        let lengths = (least..secret.len()).rev();
        let begun = lengths
            .filter_map(|length| secret.get(..length))
            .find(|begun| text[..cut].ends_with(begun));
        if let Some(begun) = begun {
            text.replace_range(cut - begun.len()..cut, HIDDEN);
        }
    }
}

/// As it stands in an address (RFC 3986 §2.1).
fn in_url(value: &str) -> String {
    let written = value.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    written.collect()
}

impl Target {
    /// All secrets that this server is reached with, those of the way to it among them.
    pub fn secrets(&self) -> Secrets {
        let keys = self.keys.iter().map(|(_, key)| key);
        let headers = self.headers.iter().map(|(_, value)| value);
        let values = keys.chain(headers).map(|value| value.expose().to_owned());
        let proxy = self.route.proxy.as_ref();
        let logins = self.login.iter();
        let logins = logins.chain(proxy.and_then(|proxy| proxy.login.as_ref()));
        let moved = self.moved.iter().map(|(_, to)| to.expose());
        let queries = moved.filter_map(|to| to.split_once('?').map(|(_, query)| query));
        let queries = queries.chain(self.query.as_ref().map(Secret::expose));
        Secrets::of(
            values
                .flat_map(credentials)
                .chain(logins.flat_map(parts))
                .chain(queries.flat_map(closed_values)),
        )
    }
}

/// The value of a header, what follows the name of a scheme in it, and the login that this is if the
/// scheme is `Basic`.
fn credentials(value: String) -> Vec<String> {
    let behind_scheme = value.split_once(' ').map(|(_, rest)| rest.to_owned());
    let login = behind_scheme.as_ref();
    let login = login.and_then(|coded| String::from_utf8(BASE64.decode(coded).ok()?).ok());
    let password = login
        .as_ref()
        .and_then(|login| login.split_once(':'))
        .map(|(_, password)| password.to_owned());
    let parts = [behind_scheme, login, password].into_iter().flatten();
    parts.chain([value]).collect()
}

fn parts(login: &Login) -> [String; 2] {
    [login.password.expose().to_owned(), login.in_base64()]
}

/// The values of a query, but for those that are none of a secret.
fn closed_values(query: &str) -> Vec<String> {
    // What has no name is all value.
    let pairs = query.split('&');
    pairs
        .map(|pair| pair.split_once('=').unwrap_or(("", pair)))
        .filter(|(name, _)| !is_open(name))
        .flat_map(|(_, value)| [Some(value.to_owned()), percent_decoded(value)])
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_core::protocol::Protocol;

    use super::*;
    use crate::target::Proxy;

    fn target() -> Target {
        let mut target =
            Target::parse("http://u:p%40ssword@h/v1?token=a%2Fb-tokentoken&api-version=2024-06-01")
                .unwrap()
                .with_key("sk-\"quoted\"", &Protocol::ALL);
        target.headers = vec![
            ("authorization".to_owned(), Secret::new("Bearer sesame")),
            ("x-team".to_owned(), Secret::new("red")),
            (
                "x-login".to_owned(),
                Secret::new("Basic cm9vdDp0b29yLXRvb3I="),
            ),
        ];
        target.route.proxy = Some(Proxy::parse("http://me:hunter2@p:1").unwrap());
        target
    }

    #[test]
    fn each_secret_is_hidden_in_every_form() {
        let secrets = target().secrets();
        for (said, shown) in [
            (
                "got Authorization: Bearer sesame!",
                "got Authorization: ***!",
            ),
            ("token sesame", "token ***"),
            ("key sk-\"quoted\"", "key ***"),
            (r#"{"key":"sk-\"quoted\""}"#, r#"{"key":"***"}"#),
            ("p@ssword", "***"),
            ("http://u:p%40ssword@h", "http://u:***@h"),
            ("?token=a%2Fb-tokentoken&", "?token=***&"),
            ("a/b-tokentoken", "***"),
            // "u:p@ssword" and "me:hunter2"
            ("Basic dTpwQHNzd29yZA==", "Basic ***"),
            ("Basic bWU6aHVudGVyMg==", "Basic ***"),
            ("hunter2", "***"),
            ("Bearer SESAME? no, bearer sesame", "Bearer SESAME? no, ***"),
            // "sesame"
            ("c2VzYW1l", "***"),
            // The login of the header below
            ("you are root:toor-toor", "you are ***"),
            ("cm9vdDp0b29yLXRvb3I=", "***"),
            ("red 2024-06-01", "red 2024-06-01"),
        ] {
            assert_eq!(secrets.hide(said), shown, "{said}");
        }
    }

    #[test]
    fn a_secret_that_is_cut_off_is_hidden_too() {
        let secrets = target().secrets();
        assert_eq!(secrets.hide("got a/b-token…"), "got ***…");
        assert_eq!(secrets.hide("got a/b-t…\nhint: x"), "got ***…\nhint: x");
        assert_eq!(secrets.hide("got a/b-t"), "got ***");
        assert_eq!(secrets.hide("got a/b"), "got a/b");
    }

    #[test]
    fn a_name_keeps_what_is_no_secret() {
        let dummy = Target::parse("h").unwrap().with_key("vllm", &Protocol::ALL);
        assert_eq!(dummy.secrets().hide_in_name("vllm-test"), "vllm-test");
        assert_eq!(dummy.secrets().hide("vllm"), "***");
        let secrets = target().secrets();
        assert_eq!(secrets.hide_in_name("m-a/b-tokentoken"), "m-***");
    }
}
