//! A server that is to be measured: what preflight finds out of it, and the runner that loads it.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::run::RunPlan;
use plimsoll_load::clock::Clock;
use plimsoll_load::coordinator::SocketRunner;
use plimsoll_load::crew::CrewOptions;
use plimsoll_load::dialect::WorkloadSource;
use plimsoll_load::preflight::{News, PreflightOptions, Ready, preflight};
use plimsoll_load::source::RequestSource;
use plimsoll_load::target::Target;
use plimsoll_load::telemetry::Telemetry;
use plimsoll_sim::SimServer;

use super::{Console, Way, news, seed};
use crate::background::unless_stopped;
use crate::fault::{Failure, Fault};
use crate::output::Shown;
use crate::signal::Stop;

/// A server that is asked for.
pub(crate) struct Server {
    pub(crate) target: Target,
    options: PreflightOptions,
    keep_alive: bool,
}

impl Server {
    /// The server of a plan, or the built-in engine in its place.
    ///
    /// # Errors
    /// The address, the proxy or the certificates make no sense.
    pub(crate) fn of(
        plan: &RunPlan,
        way: &Way,
        engine: Option<&SimServer>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            target: way.target(plan, engine)?,
            options: PreflightOptions {
                model: plan.model.clone(),
                protocol: plan.endpoint,
                workload: plan.requests(),
                body: plan.body.clone(),
                probe_seed: seed::of_probes(plan),
                timeout: Duration::from_secs_f64(plan.timeout_s),
                wait: way.wait,
            },
            keep_alive: plan.keeps_alive,
        })
    }

    /// The proxy on the way, without user and password.
    pub(crate) fn proxy(&self) -> Option<String> {
        self.target.route.proxy.as_ref().map(ToString::to_string)
    }

    /// Preflight, which waits for the server's answers as long as `--timeout` says.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or the user stopped it.
    pub(crate) fn ready(&self, shown: Shown, stop: &Stop) -> Result<Ready, Failure> {
        let (target, options) = (self.target.clone(), self.options.clone());
        let ask = move || {
            let console = Console::new(shown.quiet, shown.lang);
            let mut tell = |news: &News| console.say(&news::line(news, shown.lang));
            preflight(&target, &options, &mut tell)
        };
        let ready = unless_stopped(ask, || stop.is_set())?.ok_or(Fault::Interrupted)??;
        let console = Console::new(shown.quiet, shown.lang);
        if !ready.left_out.is_empty() {
            console.say(&news::left_out(&ready.left_out, shown.lang));
        }
        Ok(ready)
    }

    /// The runner: so many workers, and requests numbered from `first_request` on.
    ///
    /// # Errors
    /// The host has no address, TLS cannot be set up, or a thread cannot be started.
    pub(crate) fn runner(
        &self,
        ready: &Ready,
        clock: Clock,
        (workers, first_request): (u32, u64),
    ) -> Result<SocketRunner, Failure> {
        let source: Arc<dyn RequestSource> = Arc::new(WorkloadSource {
            dialect: ready.dialect.clone(),
            workload: self.options.workload,
        });
        let telemetry = Telemetry::of(&ready.info, &ready.target, clock)?;
        let options = CrewOptions {
            workers,
            timeout: self.options.timeout,
            keep_alive: self.keep_alive,
            first_request,
        };
        Ok(SocketRunner::start(
            &ready.target,
            &source,
            telemetry,
            clock,
            options,
        )?)
    }
}
