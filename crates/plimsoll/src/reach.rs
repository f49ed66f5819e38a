//! From the arguments to a server that answers: its address, its key, and what preflight finds out.

use std::time::Duration;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::workload::Workload;
use plimsoll_load::preflight::{PreflightOptions, Ready, preflight};
use plimsoll_load::target::Target;
use plimsoll_sim::SimServer;

use crate::background::unless_stopped;
use crate::cli::{ConnectArgs, EngineArgs, RequestArgs, ServerArgs};
use crate::fault::{Failure, Fault};
use crate::signal::Stop;
use crate::sim;

/// A server that is asked for. The built-in engine lives as long as this does.
pub(crate) struct Asked {
    pub(crate) target: Target,
    pub(crate) options: PreflightOptions,
    _engine: Option<SimServer>,
}

impl Asked {
    /// # Errors
    /// The address, the proxy, the certificates or the engine make no sense.
    pub(crate) fn new(
        server: &ServerArgs,
        (workload, requests): (Workload, &RequestArgs),
        connect: &ConnectArgs,
        engine: &EngineArgs,
    ) -> Result<Self, Failure> {
        let built_in = server.sim.then(|| sim::embedded(engine, requests.seed));
        let built_in = built_in.transpose()?;
        let target = match &built_in {
            Some(engine) => {
                let mut target = parse(&engine.url())?;
                target.http = connect.http.choice();
                target
            }
            None => remote(server, connect)?,
        };
        Ok(Self {
            target,
            options: options(server, workload, requests.timeout),
            _engine: built_in,
        })
    }

    /// Preflight, which waits for the server's answers as long as `--timeout` says.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or the user stopped it.
    pub(crate) fn ready(&self, stop: &Stop) -> Result<Ready, Failure> {
        let (target, options) = (self.target.clone(), self.options.clone());
        match unless_stopped(move || preflight(&target, &options), || stop.is_set())? {
            Some(ready) => Ok(ready?),
            None => Err(Fault::Interrupted.into()),
        }
    }
}

/// The address as given, or the engine's name.
pub(crate) fn shown(server: &ServerArgs, engine: &EngineArgs) -> String {
    match &server.url {
        Some(url) => url.clone(),
        None => format!("sim:{}", engine.profile),
    }
}

fn options(server: &ServerArgs, workload: Workload, timeout: Duration) -> PreflightOptions {
    PreflightOptions {
        model: server.model.clone(),
        protocol: server.endpoint,
        workload,
        timeout,
    }
}

fn parse(url: &str) -> Result<Target, Failure> {
    Ok(Target::parse(url)?)
}

/// The server to load, with its key.
fn remote(server: &ServerArgs, connect: &ConnectArgs) -> Result<Target, Failure> {
    let mut target = parse(server.url.as_deref().unwrap_or_default())?;
    connect.apply(&mut target, &|name| std::env::var(name).ok())?;
    let variable = server.api_key_env.as_deref();
    Ok(with_key(target, server.endpoint, variable, &|name| {
        std::env::var(name).ok()
    }))
}

/// The server with its key: that of `variable`, for whatever API is spoken, or the one of the
/// variable that is usual for the API asked for. A key of another API is shown to no server.
pub(crate) fn with_key(
    target: Target,
    protocol: Option<Protocol>,
    variable: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Target {
    let asked = protocol.map_or(Protocol::USUAL.to_vec(), |one| vec![one]);
    let (usual, protocols) = match variable {
        Some(name) => (name, Protocol::ALL.to_vec()),
        None => (asked[0].key_variable(), asked),
    };
    match env(usual) {
        Some(key) if !key.trim().is_empty() => target.with_key(key.trim(), &protocols),
        _ => target,
    }
}
