//! Lists of hosts that are reached without a proxy.

use std::net::IpAddr;

use plimsoll_load::target::HostPort;

/// Whether a list names a host and port. Its entries stand between commas or spaces: `*`, a host
/// with all below it (with or without a dot or `*.` before), an address, a network such as
/// `10.0.0.0/8`, any of them but the network with a port.
pub(super) fn names(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    list.split([',', ' ', '\t', '\n'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry_names(entry, &host, port))
}

fn entry_names(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let address = host.parse::<IpAddr>().ok();
    if let Some((network, bits)) = entry.split_once('/') {
        return address.is_some_and(|address| is_within(address, network, bits));
    }
    let Ok(place) = HostPort::parse(entry) else {
        return false;
    };
    if place.port.is_some_and(|only| only != port) {
        return false;
    }
    match address {
        Some(address) => place.host.parse() == Ok(address),
        None => is_below(host, &place.host),
    }
}

/// Whether a host is a domain or stands below it.
fn is_below(host: &str, domain: &str) -> bool {
    let domain = domain.strip_prefix('*').unwrap_or(domain);
    let domain = domain.trim_matches('.').to_ascii_lowercase();
    host.strip_suffix(domain.as_str())
        .is_some_and(|rest| !domain.is_empty() && (rest.is_empty() || rest.ends_with('.')))
}

fn is_within(address: IpAddr, network: &str, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else {
        return false;
    };
    match (address, network.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network))) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(bits))
                .unwrap_or(0);
            bits <= 32 && (address.to_bits() ^ network.to_bits()) & mask == 0
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network))) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(bits))
                .unwrap_or(0);
            bits <= 128 && (address.to_bits() ^ network.to_bits()) & mask == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_what_they_should() {
        let table = [
            ("*", "gpu", true),
            ("gpu", "gpu", true),
            ("GPU.", "gpu", true),
            ("gpu", "gpu2", false),
            ("gpu", "mygpu", false),
            ("cpu, gpu", "gpu", true),
            ("cpu gpu", "gpu", true),
            ("example.com", "a.example.com", true),
            (".example.com", "a.b.example.com", true),
            (".example.com", "example.com", true),
            ("*.example.com", "a.example.com", true),
            ("example.com", "badexample.com", false),
            ("example.com", "example.com.", true),
            ("10.0.0.5", "10.0.0.5", true),
            ("10.0.0.5", "10.0.0.50", false),
            (".0.5", "10.0.0.5", false),
            ("10.0.0.0/8", "10.9.9.9", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("10.0.0.0/x", "10.0.0.0", false),
            ("10.0.0.0/8", "gpu", false),
            ("fd00::/8", "fd12::1", true),
            ("::1", "::1", true),
            ("[::1]:8000", "::1", true),
            ("[::1]:8001", "::1", false),
            ("gpu:8000", "gpu", true),
            ("gpu:8001", "gpu", false),
            ("10.0.0.5:8000", "10.0.0.5", true),
            ("", "gpu", false),
            (",,", "gpu", false),
            (".", "gpu", false),
        ];
        for (list, host, expected) in table {
            assert_eq!(names(list, host, 8000), expected, "{list} {host}");
        }
    }
}
