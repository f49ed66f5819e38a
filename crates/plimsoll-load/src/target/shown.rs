//! An address as people may see it.

/// Parameters of a query whose values are no secret.
const OPEN: [&str; 1] = ["api-version"];

/// An address without what may be secret in it: a login, and the values of its query.
pub fn shown_address(text: &str) -> String {
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

fn shown_parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if !OPEN.contains(&name) => format!("{name}=***"),
        _ => parameter.to_owned(),
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
        ];
        for (text, shown) in table {
            assert_eq!(shown_address(text), shown);
        }
    }
}
