//! Which address a connection goes to, and where it comes from.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::super::dial::Dialer;
use super::super::host::Host;
use super::super::peer::Peer;
use super::{address, closed, connect, connector, listener};
use crate::error::LoadError;
use crate::runtime;
use crate::target::{HostPort, Target};

fn target(connect_to: &[SocketAddr]) -> Target {
    let mut target = Target::parse("http://name.invalid:1").unwrap();
    for address in connect_to {
        let to = HostPort::parse(&address.to_string()).unwrap();
        target.route.connect_to.push(to);
    }
    target
}

/// Connections that wait at a listener; they are there once the client's end is connected.
fn waiting(listener: &TcpListener) -> Vec<TcpStream> {
    listener.set_nonblocking(true).unwrap();
    let mut taken = Vec::new();
    loop {
        match listener.accept() {
            Ok((socket, _)) => taken.push(socket),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return taken,
            Err(error) => panic!("{error}"),
        }
    }
}

fn dialer(addresses: &[SocketAddr]) -> Dialer {
    let peer = |address: &SocketAddr| Peer::new(*address, &[]);
    Dialer::new(vec![Host::new(addresses.iter().map(peer).collect())])
}

fn dial(dialer: &Dialer) -> SocketAddr {
    let runtime = runtime::single_threaded().unwrap();
    runtime.block_on(dialer.dial()).unwrap().1
}

/// A listener that drops every SYN: its queue is full, and nobody takes from it.
fn full_listener() -> (TcpListener, Vec<TcpStream>) {
    let runtime = runtime::single_threaded().unwrap();
    let _guard = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v6().unwrap();
    socket.bind("[::1]:0".parse().unwrap()).unwrap();
    let silent = socket.listen(1).unwrap().into_std().unwrap();
    let mut queue = Vec::new();
    while let Ok(socket) = TcpStream::connect_timeout(&address(&silent), Duration::from_millis(100))
    {
        queue.push(socket);
    }
    (silent, queue)
}

/// Whether this machine has IPv6; says so where it has not.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn has_v6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    if !has {
        eprintln!("skipped: this machine has no IPv6 loopback");
    }
    has
}

#[test]
fn connections_take_turns_over_all_addresses_of_a_name() {
    let listeners = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map(listener);
    let dialer = dialer(&listeners.each_ref().map(address));
    for _ in 0..6 {
        let _ = dial(&dialer);
    }
    assert_eq!(
        listeners.each_ref().map(|one| waiting(one).len()),
        [2, 2, 2]
    );
}

#[test]
fn connections_take_turns_over_the_places_given() {
    let listeners = ["127.0.0.1", "127.0.0.2"].map(listener);
    let connector = connector(&target(&listeners.each_ref().map(address)));
    let clone = connector.clone();
    for connector in [&connector, &clone, &connector, &clone] {
        let _ = connect(connector).unwrap();
    }
    assert_eq!(listeners.each_ref().map(|one| waiting(one).len()), [2, 2]);
}

#[test]
fn an_address_that_refuses_is_passed_over() {
    let good = listener("127.0.0.1");
    let bad = closed("127.0.0.2");
    let by_name = dialer(&[bad.address, address(&good)]);
    assert_eq!([dial(&by_name), dial(&by_name)], [address(&good); 2]);
    let by_place = connector(&target(&[bad.address, address(&good)]));
    for _ in 0..2 {
        let _ = connect(&by_place).unwrap();
    }
    assert_eq!(waiting(&good).len(), 4);
}

#[test]
fn if_all_refuse_the_first_one_is_told() {
    let bad = [closed("127.0.0.1"), closed("127.0.0.2")];
    let fault = connect(&connector(&target(&bad.each_ref().map(|one| one.address))))
        .err()
        .unwrap();
    assert_eq!(
        fault.to_string(),
        format!("connect to {}: connection refused", bad[0].address)
    );
}

#[test]
fn ipv6_is_an_address_as_any() {
    if !has_v6() {
        return;
    }
    let server = listener("::1");
    let target = Target::parse(&format!("http://{}", address(&server))).unwrap();
    let connected = connect(&connector(&target)).unwrap();
    assert_eq!(connected.times.tls, None);
    assert_eq!(waiting(&server).len(), 1);
}

#[test]
fn a_family_that_refuses_loses_the_race_and_its_place() {
    if !has_v6() {
        return;
    }
    let good = listener("127.0.0.1");
    let bad = closed("::1");
    let dialer = dialer(&[bad.address, address(&good)]);
    for _ in 0..3 {
        assert_eq!(dial(&dialer), address(&good));
    }
}

#[test]
fn a_family_that_is_silent_loses_the_race() {
    if !has_v6() {
        return;
    }
    let (silent, _queue) = full_listener();
    let good = listener("127.0.0.1");
    let dialer = dialer(&[address(&silent), address(&good)]);
    assert_eq!(dial(&dialer), address(&good));
}

#[test]
fn connections_come_from_the_addresses_given_in_turn() {
    let server = listener("127.0.0.1");
    let mut target = target(&[address(&server)]);
    let sources = ["127.0.0.3", "127.0.0.4", "::1"].map(|ip| ip.parse::<IpAddr>().unwrap());
    target.route.source_ips = sources[..if has_v6() { 3 } else { 2 }].to_vec();
    let connector = connector(&target);
    let connections: Vec<_> = (0..4).map(|_| connect(&connector).unwrap()).collect();
    let from: Vec<IpAddr> = waiting(&server)
        .iter()
        .map(|socket| socket.peer_addr().unwrap().ip())
        .collect();
    assert_eq!(from, [sources[0], sources[1], sources[0], sources[1]]);
    drop(connections);
}

#[test]
fn two_servers_and_two_sources_make_four_pairs() {
    let listeners = ["127.0.0.1", "127.0.0.2"].map(listener);
    let mut target = target(&listeners.each_ref().map(address));
    target.route.source_ips = ["127.0.0.3", "127.0.0.4"]
        .map(|ip| ip.parse().unwrap())
        .to_vec();
    let connector = connector(&target);
    for _ in 0..4 {
        let _ = connect(&connector).unwrap();
    }
    for listener in &listeners {
        let mut from: Vec<IpAddr> = waiting(listener)
            .iter()
            .map(|socket| socket.peer_addr().unwrap().ip())
            .collect();
        from.sort();
        assert_eq!(from, target.route.source_ips);
    }
}

#[test]
fn local_addresses_that_cannot_serve_are_told_before_any_load() {
    let server = listener("127.0.0.1");
    let refuse = |source: &str| {
        let mut target = target(&[address(&server)]);
        target.route.source_ips = vec![source.parse().unwrap()];
        super::super::Connector::to(&target).err().unwrap()
    };
    // An address of the documentation prefix is nobody's.
    assert!(matches!(refuse("192.0.2.1"), LoadError::SourceIp { .. }));
    if has_v6() {
        let text = refuse("::1").to_string();
        assert!(text.contains("`127.0.0.1`, which has IPv4 only"), "{text}");
    }
}
