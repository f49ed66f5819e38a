//! `plimsoll sim`, with or without an engine, and the built-in engine of `find --sim`.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::{EnginePlan, RunPlan};
use plimsoll_report::lang::Lang;
use plimsoll_sim::metronome::{TlsConfig, tls_config};
use plimsoll_sim::{
    EngineParams, Faults, Metronome, MetronomeConfig, Profile, SimConfig, SimError, SimServer,
};

use crate::cli::{MetronomeArgs, Pace, SimArgs};
use crate::exit::Exit;
use crate::fault::{EngineFault, Failure, Hint, WriteFault};
use crate::signal::Stop;

/// Length of the metronome's answers whose requests do not give it, in tokens.
const ANSWER_LEN: u32 = 32;

/// Serves until it is interrupted.
pub(crate) fn run(args: &SimArgs, lang: Lang, stop: &Stop) -> Result<Exit, Failure> {
    if args.explain {
        let profile = profile(&args.engine.profile)?;
        say(&match lang {
            Lang::En => profile.explain(),
            Lang::Zh => profile.explain_in_chinese(),
        })?;
        return Ok(Exit::Done);
    }
    if let Some(pace) = args.metronome.pace {
        return keep_time(args, pace, stop);
    }
    let config = SimConfig {
        bind: args.listen,
        engine: engine(&args.engine.plan())?,
        faults: faults(args.faults.as_deref())?,
        model: args.served_model_name.clone(),
        protocols: Protocol::ALL.to_vec(),
        api_key: args.api_key.clone(),
        seed: args.seed,
        workers: usize::from(args.workers),
        max_concurrent_streams: None,
    };
    let server = start(config)?;
    announce(&args.engine.profile, args, &server.url())?;
    stop.wait();
    Ok(Exit::Done)
}

/// Serves a fixed schedule instead of an engine.
fn keep_time(args: &SimArgs, pace: Pace, stop: &Stop) -> Result<Exit, Failure> {
    // Each stream is an open file.
    let config = MetronomeConfig {
        bind: args.listen,
        ttft: pace.ttft,
        itl: pace.itl,
        output_tokens: args.metronome.answer_len.unwrap_or(ANSWER_LEN),
        model: args.served_model_name.clone(),
        workers: usize::from(args.workers),
        tls: tls(&args.metronome)?,
    };
    let server = Metronome::start(config).map_err(refused)?;
    announce("metronome", args, &server.url())?;
    stop.wait();
    Ok(Exit::Done)
}

fn tls(args: &MetronomeArgs) -> Result<Option<Arc<TlsConfig>>, Failure> {
    let Some((cert, key)) = args.tls_cert.as_ref().zip(args.tls_key.as_ref()) else {
        return Ok(None);
    };
    tls_config(cert, key, args.tls_client_ca.as_deref())
        .map(Some)
        .map_err(refused)
}

fn announce(what: &str, args: &SimArgs, url: &str) -> Result<(), Failure> {
    say(&format!(
        "{what} serves `{}` at {url}",
        args.served_model_name
    ))
}

fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|error| WriteFault::Stdout(error).into())
}

/// Starts the built-in engine of a plan on a free loopback port; `None` where a server is loaded.
/// It lives as long as what this gives.
pub(crate) fn embedded(plan: &RunPlan) -> Result<Option<SimServer>, Failure> {
    let Some(planned) = &plan.engine else {
        return Ok(None);
    };
    let mut config = SimConfig::local(engine(planned)?);
    config.bind = SocketAddr::from(([127, 0, 0, 1], 0));
    config.seed = plan.seed;
    start(config).map(Some)
}

fn start(config: SimConfig) -> Result<SimServer, Failure> {
    SimServer::start(config).map_err(refused)
}

fn refused(error: SimError) -> Failure {
    EngineFault::from(error).into()
}

fn profile(name: &str) -> Result<Profile, Failure> {
    Profile::named(name).ok_or_else(|| {
        let fault = EngineFault::NoProfile(name.to_owned());
        Failure::from(fault).hint(Hint::Profiles(Profile::names().join(", ")))
    })
}

fn engine(planned: &EnginePlan) -> Result<EngineParams, Failure> {
    let params = profile(&planned.profile)?.engine.with(&planned.changed);
    params.validate().map_err(EngineFault::from)?;
    Ok(params)
}

fn faults(json: Option<&str>) -> Result<Faults, Failure> {
    let Some(json) = json else {
        return Ok(Faults::default());
    };
    let faults: Faults = serde_json::from_str(json).map_err(EngineFault::FaultsJson)?;
    faults.validate().map_err(EngineFault::Faults)?;
    Ok(faults)
}
