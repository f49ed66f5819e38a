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
/// What is shorter guards nothing, and would be found in any text: `test`, `none` and `EMPTY` are keys
/// of servers that want none.
const LEAST_BYTES: usize = 6;
/// In a name that is sent to the server again, as that of its model, no shorter secret is hidden
/// (`ollama` is a key too); and of a header whose name does not say that it has one, none in any text.
const LEAST_BYTES_OF_OTHERS: usize = 8;
/// Parts of names of headers that say that a credential stands in them.
const CREDENTIALS: [&str; 7] = [
    "auth", "key", "token", "secret", "pass", "cookie", "session",
];

/// A text that says more than this was cut so often by its writer, and not on its way here.
const MOST_CUTS: usize = 16;

/// Each secret that a server is reached with, in every form in which it may come back.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Hidden everywhere.
    credentials: Vec<String>,
    /// Values of other headers, which route requests as often as not: hidden in what is said, and not
    /// in names.
    others: Vec<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Secrets {
    /// The text of a peer with `***` in the place of each secret, be it cut off at the end.
    pub fn hide(&self, text: &str) -> String {
        let text = hide(&self.credentials, LEAST_BYTES, text);
        hide(&self.others, LEAST_BYTES_OF_OTHERS, &text)
    }

    /// The same of a name that is sent again: what is too short to be a secret stays.
    pub fn hide_in_name(&self, name: &str) -> String {
        hide(&self.credentials, LEAST_BYTES_OF_OTHERS, name)
    }
}

fn hide(secrets: &[String], least: usize, text: &str) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= least) {
        if text.contains(secret) {
            text = text.replace(secret, HIDDEN);
        }
        hide_beginning(&mut text, secret, least);
    }
    text
}

/// All forms of these values, the longest first: one may be a part of another.
fn all_forms(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut forms: Vec<String> = values.flat_map(forms).collect();
    forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    forms.dedup();
    forms
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

/// Hides the beginning of a secret where a text was cut: at its end, and before each `…`. What has a
/// space in it begins with the name of a scheme, which is none.
fn hide_beginning(text: &mut String, secret: &str, least: usize) {
    if secret.contains(' ') || secret.contains("%20") {
        return;
    }
    let cuts = text.rmatch_indices('…').map(|(at, _)| at);
    let cuts = [text.len()].into_iter().chain(cuts).take(MOST_CUTS);
    // From the end on, so that those before keep their places; a secret may have a `…` of its own.
    for cut in cuts.collect::<Vec<usize>>() {
        let Some(before) = text.get(..cut) else {
            continue;
        };
        let mut lengths = (least..secret.len()).rev();
        let begun = lengths.find(|length| {
            secret
                .get(..*length)
                .is_some_and(|begun| before.ends_with(begun))
        });
        if let Some(length) = begun {
            text.replace_range(cut - length..cut, HIDDEN);
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
        let keys = self.keys.iter().map(|(_, key)| key.expose().to_owned());
        let value = |(_, value): &(String, Secret)| value.expose().to_owned();
        let (own, others): (Vec<_>, Vec<_>) =
            self.headers.iter().cloned().partition(|(name, _)| {
                let name = name.to_ascii_lowercase();
                CREDENTIALS.iter().any(|part| name.contains(part))
            });
        let proxy = self.route.proxy.as_ref();
        let logins = self.login.iter();
        let logins = logins.chain(proxy.and_then(|proxy| proxy.login.as_ref()));
        let moved = self.moved.iter().map(|(_, to)| to.expose());
        let queries = moved.filter_map(|to| to.split_once('?').map(|(_, query)| query));
        let queries = queries.chain(self.query.as_ref().map(Secret::expose));
        Secrets {
            credentials: all_forms(
                keys.chain(own.iter().map(value))
                    .flat_map(credentials)
                    .chain(logins.flat_map(parts))
                    .chain(queries.flat_map(closed_values)),
            ),
            others: all_forms(others.iter().map(value).flat_map(credentials)),
        }
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
            ("x-model".to_owned(), Secret::new("qwen3-8b-instruct")),
            (
                "x-auth-login".to_owned(),
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
            ("qwen3-8b-instruct by sesame Bearer", "*** by *** Bearer"),
        ] {
            assert_eq!(secrets.hide(said), shown, "{said}");
        }
    }

    #[test]
    fn a_secret_that_is_cut_off_is_hidden_too() {
        let secrets = target().secrets();
        assert_eq!(secrets.hide("got a/b-token…"), "got ***…");
        assert_eq!(secrets.hide("got a/b-tok…\nhint: x"), "got ***…\nhint: x");
        assert_eq!(secrets.hide("got a/b-tok"), "got ***");
        assert_eq!(secrets.hide("got a/b"), "got a/b");
        let mut odd = Target::parse("h").unwrap();
        odd.headers = vec![("x-key".to_owned(), Secret::new("abcdef…ghij"))];
        let shown = odd.secrets().hide("got abcdef…gh");
        assert!(shown.starts_with("got ***"), "{shown}");
    }

    #[test]
    fn a_name_keeps_what_is_no_secret() {
        let dummy = Target::parse("h").unwrap().with_key("vllm", &Protocol::ALL);
        assert_eq!(dummy.secrets().hide_in_name("vllm-test"), "vllm-test");
        assert_eq!(dummy.secrets().hide("vllm"), "vllm");
        let ollama = Target::parse("h").unwrap();
        let ollama = ollama.with_key("ollama", &Protocol::ALL).secrets();
        assert_eq!(ollama.hide("ollama"), "***");
        assert_eq!(ollama.hide_in_name("ollama/m"), "ollama/m");
        let secrets = target().secrets();
        assert_eq!(secrets.hide_in_name("m-a/b-tokentoken"), "m-***");
        assert_eq!(
            secrets.hide_in_name("qwen3-8b-instruct"),
            "qwen3-8b-instruct"
        );
    }
}
