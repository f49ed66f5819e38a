//! One address to connect to, and the local addresses it is reached from.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::{TcpSocket, TcpStream};

use super::fault::ConnectFault;

/// An address. Each has its own turn over the local ones, so that every pair of both is used.
#[derive(Debug)]
pub(super) struct Peer {
    address: SocketAddr,
    sources: Vec<IpAddr>,
    turn: AtomicUsize,
}

impl Peer {
    /// Keeps those of `sources` that can reach the address: those of its family.
    pub(super) fn new(address: SocketAddr, sources: &[IpAddr]) -> Self {
        Self {
            address,
            sources: sources
                .iter()
                .copied()
                .filter(|source| source.is_ipv6() == address.is_ipv6())
                .collect(),
            turn: AtomicUsize::new(0),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn has_source(&self) -> bool {
        !self.sources.is_empty()
    }

    pub(super) async fn connect(&self) -> Result<TcpStream, ConnectFault> {
        let fault = |error| ConnectFault::Tcp {
            address: self.address,
            error,
        };
        let socket = if self.address.is_ipv6() {
            TcpSocket::new_v6()
        } else {
            TcpSocket::new_v4()
        }
        .map_err(fault)?;
        if let Some(source_ip) = self.next_source() {
            bind(&socket, source_ip).map_err(|error| ConnectFault::Bind { source_ip, error })?;
        }
        socket.connect(self.address).await.map_err(fault)
    }

    fn next_source(&self) -> Option<IpAddr> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let at = turn.checked_rem(self.sources.len())?;
        self.sources.get(at).copied()
    }
}

/// Binds the local end to an address, without a port.
fn bind(socket: &TcpSocket, source: IpAddr) -> io::Result<()> {
    // Else the kernel takes a port at once that is free for every destination: no more than 28,000
    // connections from one address in all, and a search that takes seconds when few are left.
    setsockopt(socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(SocketAddr::new(source, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime;

    #[test]
    fn a_bound_end_has_no_port_until_it_connects() {
        let runtime = runtime::single_threaded().unwrap();
        let _guard = runtime.enter();
        let socket = TcpSocket::new_v4().unwrap();
        bind(&socket, "127.0.0.3".parse().unwrap()).unwrap();
        assert_eq!(socket.local_addr().unwrap().to_string(), "127.0.0.3:0");
        // Without IPv6 on this machine there is nothing to see.
        let socket = TcpSocket::new_v6().unwrap();
        if bind(&socket, "::1".parse().unwrap()).is_ok() {
            assert_eq!(socket.local_addr().unwrap().port(), 0);
        }
    }
}
