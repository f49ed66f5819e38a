//! Host and port as they are written.

/// Host and port of an authority; `None` for a port that is none. IPv6 stands in brackets.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    if let Some(inner) = authority.strip_prefix('[') {
        let (host, rest) = inner.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok().filter(|port| *port > 0)?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => {
            Some((host, Some(port.parse().ok().filter(|port| *port > 0)?)))
        }
        // A bare IPv6 address has colons and no port.
        _ => Some((authority, None)),
    }
}
