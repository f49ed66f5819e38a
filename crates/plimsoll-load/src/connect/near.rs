//! Whether a server is one of one's own: on this machine, or in a network that no one else is in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::resolve;
use crate::error::LoadError;
use crate::target::Target;

/// Whether all that is connected to is near. What a proxy connects to is not known, unless the target
/// is an address.
///
/// # Errors
/// The host has no address.
pub fn is_near(target: &Target) -> Result<bool, LoadError> {
    if target.route.proxy.is_some() {
        return Ok(target.host.parse().is_ok_and(is_private));
    }
    let addresses = resolve::reached(target)?;
    Ok(addresses.iter().all(|one| is_private(one.ip())))
}

/// Addresses that are routed nowhere beyond a site: loopback, private (RFC 1918, RFC 4193), of the
/// link, and those that providers and overlay networks share among their own (RFC 6598).
fn is_private(ip: IpAddr) -> bool {
    // To connect to no address is to connect to this machine.
    let ip = ip.to_canonical();
    if ip.is_unspecified() {
        return true;
    }
    match ip {
        IpAddr::V4(ip) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || is_shared(ip)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || is_of_link(ip),
    }
}

fn is_shared(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && (64..128).contains(&second)
}

fn is_of_link(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{HostPort, Proxy};

    #[test]
    fn own_networks_are_near_and_the_internet_is_not() {
        for (ip, near) in [
            ("127.0.0.1", true),
            ("0.0.0.0", true),
            ("::", true),
            ("127.9.9.9", true),
            ("10.1.2.3", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.0.9", true),
            ("169.254.1.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("203.0.113.7", false),
            ("8.8.8.8", false),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(ip.parse().unwrap()), near, "{ip}");
        }
    }

    #[test]
    fn what_counts_is_where_connections_go() {
        let near = |url: &str| is_near(&Target::parse(url).unwrap()).unwrap();
        assert!(near("127.0.0.1:9"));
        assert!(!near("203.0.113.7:9"));
        let mut elsewhere = Target::parse("203.0.113.7:9").unwrap();
        elsewhere.route.connect_to = vec![HostPort::parse("127.0.0.1:9").unwrap()];
        assert!(is_near(&elsewhere).unwrap());
        let mut behind = Target::parse("example.com:9").unwrap();
        behind.route.proxy = Some(Proxy::parse("127.0.0.1:3128").unwrap());
        assert!(!is_near(&behind).unwrap());
    }
}
