//! Names → addresses, once and before any request.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};

use super::dial::Dialer;
use super::host::Host;
use super::peer::Peer;
use super::socks::{Destination, Socks};
use super::tunnel::{ConnectRequest, Tunnel};
use crate::error::LoadError;
use crate::target::{HostPort, ProxyKind, Route, Target};

/// Where connections for a target go.
pub(super) fn dialer(target: &Target) -> Result<Dialer, LoadError> {
    let route = &target.route;
    check_sources(&route.source_ips)?;
    if let Some(proxy) = &route.proxy {
        return Ok(Dialer::new(vec![resolve(&proxy.host, proxy.port, route)?]));
    }
    let hosts = if route.connect_to.is_empty() {
        vec![resolve(&target.host, target.port, route)?]
    } else {
        let to = |to: &HostPort| resolve(&to.host, to.port.unwrap_or(target.port), route);
        route.connect_to.iter().map(to).collect::<Result<_, _>>()?
    };
    Ok(Dialer::new(hosts))
}

/// All addresses of the hosts that are connected to where no proxy stands before them.
pub(super) fn reached(target: &Target) -> Result<Vec<SocketAddr>, LoadError> {
    let route = &target.route;
    if route.connect_to.is_empty() {
        return addresses(&target.host, target.port);
    }
    let of = |to: &HostPort| addresses(&to.host, to.port.unwrap_or(target.port));
    let all: Vec<_> = route.connect_to.iter().map(of).collect::<Result<_, _>>()?;
    Ok(all.concat())
}

/// What is said to the target's proxy, if there is one.
pub(super) fn tunnel(target: &Target) -> Result<Option<Tunnel>, LoadError> {
    let Some(proxy) = &target.route.proxy else {
        return Ok(None);
    };
    Ok(Some(match proxy.kind {
        ProxyKind::Http if target.forward_proxy().is_none() => {
            Tunnel::Connect(ConnectRequest::new(target, proxy))
        }
        ProxyKind::Http => Tunnel::Forward,
        ProxyKind::Socks5 | ProxyKind::Socks5h => {
            Tunnel::Socks(Socks::new(proxy, destination(target, proxy.kind)?))
        }
    }))
}

fn destination(target: &Target, kind: ProxyKind) -> Result<Destination, LoadError> {
    let is_name = target.host.parse::<IpAddr>().is_err();
    if is_name && kind == ProxyKind::Socks5h {
        return Ok(Destination::Name(target.host.clone(), target.port));
    }
    let mut addresses = addresses(&target.host, target.port)?;
    // What this machine prefers says nothing about the proxy's network; IPv4 is what all have.
    if addresses.iter().any(SocketAddr::is_ipv4) {
        addresses.retain(SocketAddr::is_ipv4);
    }
    Ok(Destination::Addresses(addresses))
}

/// A host with those of its addresses that the local ones can reach.
fn resolve(host: &str, port: u16, route: &Route) -> Result<Host, LoadError> {
    let addresses = addresses(host, port)?;
    let mut peers: Vec<Peer> = addresses
        .into_iter()
        .map(|address| Peer::new(address, &route.source_ips))
        .collect();
    if !route.source_ips.is_empty() {
        peers.retain(Peer::has_source);
        if peers.is_empty() {
            return Err(LoadError::OtherFamily {
                host: host.to_owned(),
                missing: if route.source_ips[0].is_ipv6() {
                    "IPv4"
                } else {
                    "IPv6"
                },
            });
        }
    }
    Ok(Host::new(peers))
}

/// All addresses of a host, in the resolver's order, each once.
fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, LoadError> {
    let fault = |source| LoadError::Resolve {
        host: host.to_owned(),
        source,
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in (host, port).to_socket_addrs().map_err(fault)? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(fault(io::ErrorKind::NotFound.into()));
    }
    Ok(addresses)
}

/// Sees to it that all are addresses of this machine, before the load finds out.
fn check_sources(sources: &[IpAddr]) -> Result<(), LoadError> {
    for &ip in sources {
        // UDP: it takes no TCP port, and sends nothing.
        let _socket =
            UdpSocket::bind((ip, 0)).map_err(|source| LoadError::SourceIp { ip, source })?;
    }
    Ok(())
}
