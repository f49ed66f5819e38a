//! Connections over the loopback.

mod addresses;
mod certificates;
mod http2;
mod proxies;

use std::net::{IpAddr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;

use super::{ConnectFault, Connected, Connector};
use crate::runtime;
use crate::target::Target;

/// A port that listens on one address.
fn listener(ip: &str) -> TcpListener {
    TcpListener::bind((ip.parse::<IpAddr>().unwrap(), 0)).unwrap()
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().unwrap()
}

/// A port that is taken, so that no other test gets it, and where nobody listens.
struct Closed {
    _socket: TcpSocket,
    address: SocketAddr,
}

fn closed(ip: &str) -> Closed {
    let ip: IpAddr = ip.parse().unwrap();
    let socket = if ip.is_ipv6() {
        TcpSocket::new_v6()
    } else {
        TcpSocket::new_v4()
    }
    .unwrap();
    socket.bind((ip, 0).into()).unwrap();
    Closed {
        address: socket.local_addr().unwrap(),
        _socket: socket,
    }
}

fn connector(target: &Target) -> Connector {
    Connector::to(target).unwrap()
}

fn connect(connector: &Connector) -> Result<Connected, ConnectFault> {
    runtime::single_threaded()
        .unwrap()
        .block_on(connector.connect())
}
