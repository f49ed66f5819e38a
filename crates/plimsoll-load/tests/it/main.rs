//! The load engine over real sockets, against the built-in server: every fault that the server can
//! commit, and what the tool says of it.

#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

mod arrivals;
mod batch;
mod conservation;
mod flood;
mod gateways;
mod http2;
mod levels;
mod odd_servers;
mod open_loop;
mod preflight;
mod protocols;
mod raw;
mod refusals;
mod scripted;
mod telemetry;

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::negotiation::Form;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::BodyPlan;
use plimsoll_core::workload::Workload;
use plimsoll_load::dialect::{Dialect, WorkloadSource};
use plimsoll_load::source::RequestSource;
use plimsoll_load::target::Target;
use plimsoll_sim::{EngineParams, Faults, Profile, SimConfig, SimServer};

/// A fast engine, so that tests spend no time.
pub(crate) fn engine() -> EngineParams {
    let toy = Profile::named("toy").unwrap().engine;
    EngineParams {
        step_base_us: 500.0,
        prefill_us_per_token: 1.0,
        sequence_us: 5.0,
        ..toy
    }
}

pub(crate) fn server(faults: Faults) -> SimServer {
    SimServer::start(SimConfig {
        faults,
        ..SimConfig::local(engine())
    })
    .unwrap()
}

pub(crate) fn target(server: &SimServer) -> Target {
    Target::parse(&server.url()).unwrap()
}

pub(crate) fn workload() -> Workload {
    Workload::uniform(32, 8, 0.1, 1)
}

pub(crate) fn source(protocol: Protocol) -> Arc<dyn RequestSource> {
    source_of(protocol, workload())
}

pub(crate) fn source_of(protocol: Protocol, workload: Workload) -> Arc<dyn RequestSource> {
    let dialect = Dialect {
        model: "sim".to_owned(),
        form: Form::richest(protocol, &[]),
        calibration: None,
        body: BodyPlan::default(),
    };
    Arc::new(WorkloadSource { dialect, workload })
}

/// Long enough for anything that a healthy loopback does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
