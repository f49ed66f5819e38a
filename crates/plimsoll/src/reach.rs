//! From the arguments to a server that answers: its address, its key, and what preflight finds out.

use std::time::Duration;

use plimsoll_core::workload::Workload;
use plimsoll_load::preflight::{EndpointChoice, PreflightOptions, Ready, preflight};
use plimsoll_load::target::Target;
use plimsoll_sim::SimServer;

use crate::background::unless_stopped;
use crate::cli::{ConnectArgs, EndpointArg, EngineArgs, RequestArgs, ServerArgs};
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
        endpoint: match server.endpoint {
            EndpointArg::Auto => EndpointChoice::Auto,
            EndpointArg::Completions => EndpointChoice::Completions,
            EndpointArg::Chat => EndpointChoice::Chat,
        },
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
    Ok(match std::env::var(&server.api_key_env) {
        Ok(key) if !key.is_empty() => target.with_api_key(key.trim()),
        _ => target,
    })
}
