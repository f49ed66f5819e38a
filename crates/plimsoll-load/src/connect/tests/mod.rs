//! Connections over the loopback.

mod addresses;
mod certificates;
mod http2;
mod proxies;

use std::net::{IpAddr, SocketAddr, TcpListener};

use super::{ConnectFault, Connected, Connector};
use crate::target::Target;
use crate::worker;

/// A port that listens on one address.
fn listener(ip: &str) -> TcpListener {
    TcpListener::bind((ip.parse::<IpAddr>().unwrap(), 0)).unwrap()
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().unwrap()
}

/// An address where nobody listens.
fn closed(ip: &str) -> SocketAddr {
    address(&listener(ip))
}

fn connector(target: &Target) -> Connector {
    Connector::to(target).unwrap()
}

fn connect(connector: &Connector) -> Result<Connected, ConnectFault> {
    worker::runtime().unwrap().block_on(connector.connect())
}
