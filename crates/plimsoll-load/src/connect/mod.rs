//! How connections are made: names, addresses, TLS. Everything that can be found out before is found
//! out once, by [`Connector::to`], so that no request waits for a name or a file.
//!
//! | part | does |
//! |---|---|
//! | `resolve` | target → places with their addresses |
//! | `place` | which address is next: round robin, both families |
//! | `dial` | TCP: fall over to the next address, happy eyeballs |
//! | `peer` | one address, and the local addresses it is reached from |
//! | `tls` | settings of the handshake, and what its faults mean |
//! | `verifier` | whether the server's certificate is good |
//! | `pem` | certificates and keys in files |
//! | `fault` | what went wrong, at which stage, with which address |
//!
//! It knows no HTTP: what is said over a connection is not its concern.

mod dial;
mod fault;
mod peer;
mod pem;
mod place;
mod resolve;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
mod verifier;

use std::sync::Arc;
use std::time::Duration;

pub use fault::ConnectFault;

use crate::clock::Clock;
use crate::connection::Connection;
use crate::error::LoadError;
use crate::target::Target;
use dial::Dialer;
use tls::TlsSetup;

/// What is offered by ALPN unless somebody says otherwise.
const HTTP_1_1: &[u8] = b"http/1.1";

/// How to make connections to one target. Clones share their turns, so that all workers together
/// spread evenly over the addresses.
#[derive(Clone)]
pub(crate) struct Connector {
    dialer: Arc<Dialer>,
    tls: Option<TlsSetup>,
    clock: Clock,
}

/// How long the parts of a connection took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTimes {
    /// TCP, with the addresses that failed before.
    pub tcp: Duration,
    /// The TLS handshake; `None` for a plain connection.
    pub tls: Option<Duration>,
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
        Self::with_alpn(target, vec![HTTP_1_1.to_vec()])
    }

    /// As [`Connector::to`], with the protocols that TLS offers, best first. What the server chose
    /// is told by [`Connection::protocol`].
    pub(crate) fn with_alpn(target: &Target, alpn: Vec<Vec<u8>>) -> Result<Self, LoadError> {
        let tls = if target.tls {
            Some(TlsSetup::new(target, alpn)?)
        } else {
            None
        };
        Ok(Self {
            dialer: Arc::new(resolve::dialer(target)?),
            tls,
            clock: Clock::start(),
        })
    }

    /// Makes a connection that is ready for a request.
    pub(crate) async fn connect(&self) -> Result<Connected, ConnectFault> {
        let mut times = ConnectTimes::default();
        let start = self.clock.now();
        let (socket, address) = self.dialer.dial().await?;
        let dialed = self.clock.now();
        times.tcp = dialed.since(start);
        let mut connection =
            Connection::over(socket).map_err(|error| ConnectFault::Tcp { address, error })?;
        if let Some(tls) = &self.tls {
            let shaken = match tls.client() {
                Ok(client) => connection.secure(client).await,
                Err(error) => Err(error),
            };
            shaken.map_err(|error| ConnectFault::Tls {
                address,
                fault: error.to_string(),
            })?;
            times.tls = Some(self.clock.now().since(dialed));
        }
        Ok(Connected { connection, times })
    }
}
