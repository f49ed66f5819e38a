//! A host to connect to, with all its addresses, and which of them is next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::peer::Peer;

/// A host. Successive connections begin at successive addresses, since a load must spread over all
/// servers of a name.
#[derive(Debug)]
pub(super) struct Host {
    peers: Vec<Arc<Peer>>,
    turn: AtomicUsize,
    v6_first: AtomicBool,
}

impl Host {
    /// The family of the first peer is preferred, as the resolver has put it there.
    pub(super) fn new(peers: Vec<Peer>) -> Self {
        let v6_first = peers.first().is_some_and(|peer| peer.address().is_ipv6());
        Self {
            peers: peers.into_iter().map(Arc::new).collect(),
            turn: AtomicUsize::new(0),
            v6_first: AtomicBool::new(v6_first),
        }
    }

    /// All addresses in the order in which the next connection is to try them: families alternate
    /// (RFC 8305 §4), and each family begins one further than the last time.
    pub(super) fn next_order(&self) -> Vec<Arc<Peer>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let v6_first = self.v6_first.load(Ordering::Relaxed);
        let family = |v6: bool| {
            let mut peers: Vec<_> = self
                .peers
                .iter()
                .filter(|peer| peer.address().is_ipv6() == v6)
                .cloned()
                .collect();
            let start = turn.checked_rem(peers.len()).unwrap_or(0);
            peers.rotate_left(start);
            peers.into_iter()
        };
        let (mut first, mut second) = (family(v6_first), family(!v6_first));
        let mut order = Vec::with_capacity(self.peers.len());
        while order.len() < self.peers.len() {
            order.extend(first.next());
            order.extend(second.next());
        }
        order
    }

    /// The family that answered goes first from now on: under load nobody is to wait for the head
    /// start of a family that leads nowhere.
    pub(super) fn answered(&self, address: SocketAddr) {
        self.v6_first.store(address.is_ipv6(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(addresses: &[&str]) -> Host {
        let peer = |text: &&str| Peer::new(text.parse().unwrap(), &[]);
        Host::new(addresses.iter().map(peer).collect())
    }

    fn order(host: &Host) -> Vec<String> {
        let text = |peer: Arc<Peer>| peer.address().ip().to_string();
        host.next_order().into_iter().map(text).collect()
    }

    #[test]
    fn one_family_takes_turns() {
        let host = host(&["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);
        let starts: Vec<String> = (0..4).map(|_| order(&host).remove(0)).collect();
        assert_eq!(starts, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"]);
    }

    #[test]
    fn families_alternate_and_each_takes_turns() {
        let host = host(&["[::1]:1", "[::2]:1", "10.0.0.1:1"]);
        assert_eq!(order(&host), ["::1", "10.0.0.1", "::2"]);
        assert_eq!(order(&host), ["::2", "10.0.0.1", "::1"]);
    }

    #[test]
    fn the_family_that_answered_goes_first() {
        let host = host(&["[::1]:1", "10.0.0.1:1"]);
        host.answered("10.0.0.1:1".parse().unwrap());
        assert_eq!(order(&host), ["10.0.0.1", "::1"]);
    }
}
