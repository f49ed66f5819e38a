//! How connections are made: names, addresses, TLS. Everything that can be found out before is found
//! out once, by `Connector::to`, so that no request waits for a name or a file.
//!
//! | part | does |
//! |---|---|
//! | `resolve` | target → hosts with their addresses |
//! | `host` | which address is next: round robin, both families |
//! | `dial` | TCP: fall over to the next address, happy eyeballs |
//! | `near` | whether all of them are one's own |
//! | `peer` | one address, and the local addresses it is reached from |
//! | `tunnel`, `socks` | through a proxy |
//! | `tls` | settings of the handshake |
//! | `verifier` | whether the server's certificate is good |
//! | `pem` | certificates and keys in files |
//! | `fault`, `proxy_fault`, `tls_fault` | what went wrong, at which stage, with which address |
//!
//! It knows no HTTP: what is said over a connection is the concern of `link`.

mod dial;
mod fault;
mod host;
mod near;
mod peer;
mod pem;
mod proxy_fault;
mod resolve;
mod socks;
#[cfg(test)]
mod tests;
mod tls;
mod tls_fault;
mod tunnel;
mod verifier;

use std::net::SocketAddr;
use std::sync::Arc;

pub use fault::{ConnectFault, Http2Fault, ProxyFault, TlsFault, TlsMeaning};
pub use near::is_near;
use plimsoll_core::record::ConnectTimes;
use tokio::net::TcpStream;

use crate::clock::Clock;
use crate::connection::Connection;
use crate::error::LoadError;
use crate::target::Target;
#[cfg(test)]
use crate::transport::{
    Transport,
    memory::{Dial, Dialed},
};
use dial::Dialer;
pub(crate) use tls::HTTP_2;
use tls::TlsSetup;
pub(crate) use tls_fault::fault as tls_fault;
use tunnel::Tunnel;

/// How to make connections to one target. Clones share their turns, so that all workers together
/// spread evenly over the addresses.
#[derive(Clone)]
pub(crate) struct Connector {
    dialer: Arc<Dialer>,
    proxied: Option<Arc<Proxied>>,
    tls: Option<TlsSetup>,
    clock: Clock,
    /// Stands in for all of that.
    #[cfg(test)]
    memory: Option<Arc<Dial>>,
}

/// The way through a proxy.
struct Proxied {
    tunnel: Tunnel,
    /// Host and port of the proxy, for errors.
    proxy: String,
    /// Host and port of the target, for errors.
    target: String,
}

/// A new connection.
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    pub(crate) times: ConnectTimes,
}

impl Connector {
    /// Resolves the target's host and prepares TLS.
    ///
    /// # Errors
    /// A name has no address, or the certificates cannot be used.
    pub(crate) fn to(target: &Target) -> Result<Self, LoadError> {
        let tls = if target.tls {
            Some(TlsSetup::new(target)?)
        } else {
            None
        };
        Ok(Self {
            dialer: Arc::new(resolve::dialer(target)?),
            proxied: Proxied::on_the_way_to(target)?.map(Arc::new),
            tls,
            clock: Clock::start(),
            #[cfg(test)]
            memory: None,
        })
    }

    /// Connections in memory, plain and of HTTP/1.1.
    #[cfg(test)]
    pub(crate) fn in_memory(dial: Arc<Dial>, clock: Clock) -> Self {
        Self {
            dialer: Arc::new(Dialer::new(Vec::new())),
            proxied: None,
            tls: None,
            clock,
            memory: Some(dial),
        }
    }

    /// The clock by which stages are timed.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes a connection that is ready for bytes.
    ///
    /// # Errors
    /// A stage failed; the fault says which.
    pub(crate) async fn connect(&self) -> Result<Connected, ConnectFault> {
        #[cfg(test)]
        if let Some(dial) = &self.memory {
            return self.connect_in_memory(dial()).await;
        }
        let mut times = ConnectTimes::default();
        let start = self.clock.now();
        let (mut socket, address) = self.dial().await?;
        let mut reached = self.clock.now();
        times.tcp = reached.since(start);
        if let Some(proxied) = &self.proxied {
            proxied.pass(&mut socket).await?;
            if !matches!(proxied.tunnel, Tunnel::Forward) {
                let passed = self.clock.now();
                times.proxy = Some(passed.since(reached));
                reached = passed;
            }
        }
        let mut connection =
            Connection::over(socket).map_err(|error| ConnectFault::Tcp { address, error })?;
        if let Some(tls) = &self.tls {
            self.secure(&mut connection, tls, address).await?;
            times.tls = Some(self.clock.now().since(reached));
        }
        Ok(Connected { connection, times })
    }

    #[cfg(test)]
    async fn connect_in_memory(&self, dialed: Dialed) -> Result<Connected, ConnectFault> {
        if !dialed.after.is_zero() {
            tokio::time::sleep(dialed.after).await;
        }
        let Some(end) = dialed.end else {
            return std::future::pending().await;
        };
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let client = end.map_err(|error| ConnectFault::Tcp { address, error })?;
        let times = ConnectTimes {
            tcp: dialed.after,
            ..ConnectTimes::default()
        };
        let connection = Connection::on(Transport::Memory(client));
        Ok(Connected { connection, times })
    }

    async fn dial(&self) -> Result<(TcpStream, SocketAddr), ConnectFault> {
        let dialed = self.dialer.dial().await;
        match (&self.proxied, dialed) {
            (Some(proxied), Err(fault @ ConnectFault::Tcp { .. })) => {
                Err(proxied.fault(ProxyFault::Unreachable(Box::new(fault))))
            }
            (_, dialed) => dialed,
        }
    }

    async fn secure(
        &self,
        connection: &mut Connection,
        tls: &TlsSetup,
        address: SocketAddr,
    ) -> Result<(), ConnectFault> {
        let shaken = match tls.client() {
            Ok(client) => connection.secure(client).await,
            Err(error) => Err(error),
        };
        shaken.map_err(|error| ConnectFault::Tls {
            peer: match &self.proxied {
                Some(proxied) => proxied.target.clone(),
                None => address.to_string(),
            },
            error,
        })
    }
}

impl Proxied {
    fn on_the_way_to(target: &Target) -> Result<Option<Self>, LoadError> {
        let tunnel = resolve::tunnel(target)?;
        Ok(tunnel
            .zip(target.route.proxy.as_ref())
            .map(|(tunnel, proxy)| Self {
                tunnel,
                proxy: proxy.authority(),
                target: target.authority(),
            }))
    }

    async fn pass(&self, socket: &mut TcpStream) -> Result<(), ConnectFault> {
        let passed = self.tunnel.open(socket).await;
        passed.map_err(|fault| self.fault(fault))
    }

    fn fault(&self, fault: ProxyFault) -> ConnectFault {
        ConnectFault::Proxy {
            proxy: self.proxy.clone(),
            fault,
        }
    }
}
