//! An address as people may see it.

/// Whether a password reaches beyond where the host should end: it has a `/`, `?` or `#` that is not
/// written as such.
fn has_open_login(text: &str) -> bool {
    let host_at = text.find("://").map_or(0, |at| at + 3);
    let rest = &text[host_at..];
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    let is_port = |port: &str| {
        port.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b']')
    };
    !authority.contains('@') && behind.contains('@') && port.is_some_and(|port| !is_port(port))
}

/// An address that cannot be read, without what may be secret in it: where no host is known a login
/// may reach to the last `@`.
pub(super) fn shown_malformed(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("***@{}", shown_address(rest)),
        None => shown_address(text),
    }
}

/// Parameters of a query whose values are no secret.
const OPEN: [&str; 1] = ["api-version"];

/// An address without what may be secret in it: a login, and the values of its query.
pub fn shown_address(text: &str) -> String {
    if has_open_login(text) {
        return shown_malformed(text);
    }
    // What follows a `#` is sent to nobody.
    let text = text.split('#').next().unwrap_or_default();
    let (address, query) = match text.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (text, None),
    };
    let mut shown = without_login(address);
    if let Some(query) = query {
        let shown_query: Vec<String> = query.split('&').map(shown_parameter).collect();
        shown.push('?');
        shown.push_str(&shown_query.join("&"));
    }
    shown
}

fn without_login(address: &str) -> String {
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(host_at);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}***@{host}{path}"),
        None => address.to_owned(),
    }
}

/// Whether the value of a parameter is no secret.
pub(super) fn is_open(name: &str) -> bool {
    OPEN.contains(&name)
}

fn shown_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if !is_open(name) => format!("{name}=***"),
        Some(_) => parameter.to_owned(),
        None if parameter.is_empty() => String::new(),
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_queries_do_not_show() {
        let table = [
            ("h:1", "h:1"),
            ("https://h/v1", "https://h/v1"),
            ("http://user:sesame@h:1/v1", "http://***@h:1/v1"),
            (
                "h/v1?token=sesame&api-version=2024-06-01",
                "h/v1?token=***&api-version=2024-06-01",
            ),
            ("https://h/?key=sesame#x", "https://h/?key=***"),
            ("http://h/a@b", "http://h/a@b"),
            ("http://h/v1?sesame", "http://h/v1?***"),
            ("http://h/v1#sesame", "http://h/v1"),
            ("http://u:ses#ame@h/v1", "***@h/v1"),
            ("http://u:ses/ame@h", "***@h"),
            ("http://h:1/a?b=c@d", "http://h:1/a?b=***"),
        ];
        for (text, shown) in table {
            assert_eq!(shown_address(text), shown);
        }
        let malformed = shown_malformed("http://u:open/ses?ame@h:x/?key=sesame");
        assert_eq!(malformed, "***@h:x/?key=***");
    }
}
