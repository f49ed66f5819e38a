//! TCP: one connection to the next host, over to the next address where one fails.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::fault::ConnectFault;
use super::host::Host;
use super::peer::Peer;

/// Head start of an address before one of the other family is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);

type Dialed = Result<(TcpStream, SocketAddr), ConnectFault>;

/// Where connections go: one host, or several that take turns.
#[derive(Debug)]
pub(super) struct Dialer {
    hosts: Vec<Host>,
    turn: AtomicUsize,
}

impl Dialer {
    pub(super) fn new(hosts: Vec<Host>) -> Self {
        Self {
            hosts,
            turn: AtomicUsize::new(0),
        }
    }

    /// Connects to the next host, or to one after it if that fails as a whole.
    pub(super) async fn dial(&self) -> Dialed {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let start = turn.checked_rem(self.hosts.len()).unwrap_or(0);
        let (before, from) = self.hosts.split_at(start);
        let mut first_fault = None;
        for host in from.iter().chain(before) {
            match dial_host(host).await {
                Ok(dialed) => return Ok(dialed),
                Err(fault) => first_fault = first_fault.or(Some(fault)),
            }
        }
        Err(first_fault.unwrap_or_else(no_address))
    }
}

/// Hosts without an address are not made; this is here so that nothing has to panic.
fn no_address() -> ConnectFault {
    ConnectFault::Tcp {
        address: SocketAddr::from(([0, 0, 0, 0], 0)),
        error: std::io::ErrorKind::AddrNotAvailable.into(),
    }
}

async fn dial_host(host: &Host) -> Dialed {
    let order = host.next_order();
    let mixed = order
        .iter()
        .any(|peer| peer.address().is_ipv6() != order[0].address().is_ipv6());
    if !mixed {
        return in_turn(&order).await;
    }
    let dialed = race(order.into()).await?;
    host.answered(dialed.1);
    Ok(dialed)
}

/// One address after the other. They are not raced: a server that is slow to accept under load must
/// not be sent a second SYN for it.
async fn in_turn(order: &[Arc<Peer>]) -> Dialed {
    let mut first_fault = None;
    for peer in order {
        match peer.connect().await {
            Ok(socket) => return Ok((socket, peer.address())),
            Err(fault) => first_fault = first_fault.or(Some(fault)),
        }
    }
    Err(first_fault.unwrap_or_else(no_address))
}

/// Both families: each address gets a head start before the next; the first that connects wins.
async fn race(mut waiting: VecDeque<Arc<Peer>>) -> Dialed {
    let mut running: JoinSet<Dialed> = JoinSet::new();
    let mut first_fault = None;
    loop {
        if let Some(peer) = waiting.pop_front() {
            running.spawn(async move { Ok((peer.connect().await?, peer.address())) });
        }
        tokio::select! {
            ended = running.join_next() => match ended {
                Some(Ok(Ok(dialed))) => return Ok(dialed),
                Some(Ok(Err(fault))) => first_fault = first_fault.or(Some(fault)),
                // Nothing aborts an attempt while the race runs.
                Some(Err(_)) => {}
                None => return Err(first_fault.unwrap_or_else(no_address)),
            },
            () = tokio::time::sleep(HEAD_START), if !waiting.is_empty() => {}
        }
    }
}
