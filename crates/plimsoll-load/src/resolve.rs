//! From a target to a connector: names resolved and TLS set up, once and before any request.

use std::net::ToSocketAddrs;

use crate::clock::Clock;
use crate::connection::Connector;
use crate::error::LoadError;
use crate::target::Target;
use crate::tls;

impl Connector {
    /// Resolves the target's host and prepares TLS.
    pub(crate) fn to(target: &Target) -> Result<Self, LoadError> {
        let addresses: Vec<_> = (target.host.as_str(), target.port)
            .to_socket_addrs()
            .map_err(|source| LoadError::Resolve {
                host: target.host.clone(),
                source,
            })?
            .collect();
        let tls = if target.tls {
            Some(tls::settings(target)?)
        } else {
            None
        };
        Ok(Self {
            addresses,
            tls,
            clock: Clock::start(),
        })
    }
}
