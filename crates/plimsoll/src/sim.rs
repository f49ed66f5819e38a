//! `plimsoll sim`, and the built-in engine of `find --sim`.

use std::io::Write;
use std::net::SocketAddr;

use plimsoll_sim::{EngineOverrides, EngineParams, Faults, Profile, SimConfig, SimServer};

use crate::cli::{EngineArgs, SimArgs};
use crate::exit::{Exit, Failure};
use crate::signal::Stop;

/// Runs the built-in engine as a server until it is interrupted.
pub(crate) fn run(args: &SimArgs, stop: &Stop) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    let written =
        |result: std::io::Result<()>| result.map_err(|error| Failure::fault(&error.into()));
    if args.explain {
        written(writeln!(out, "{}", profile(&args.engine)?.explain()))?;
        return Ok(Exit::Done);
    }
    let config = SimConfig {
        bind: args.listen,
        engine: engine(&args.engine)?,
        faults: faults(args.faults.as_deref())?,
        model: args.served_model_name.clone(),
        api_key: args.api_key.clone(),
        seed: args.seed,
        workers: usize::from(args.workers),
    };
    let server = start(config)?;
    written(writeln!(
        out,
        "{} serves `{}` at {}",
        args.engine.profile,
        args.served_model_name,
        server.url()
    ))?;
    written(out.flush())?;
    stop.wait();
    Ok(Exit::Done)
}

/// Starts the built-in engine on a free loopback port.
pub(crate) fn embedded(args: &EngineArgs, seed: u64) -> Result<SimServer, Failure> {
    let mut config = SimConfig::local(engine(args)?);
    config.bind = SocketAddr::from(([127, 0, 0, 1], 0));
    config.seed = seed;
    start(config)
}

fn start(config: SimConfig) -> Result<SimServer, Failure> {
    SimServer::start(config)
        .map_err(|error| Failure::usage(format!("{:#}", anyhow::Error::from(error))))
}

fn profile(args: &EngineArgs) -> Result<Profile, Failure> {
    Profile::named(&args.profile).ok_or_else(|| {
        Failure::usage(format!("there is no profile `{}`", args.profile))
            .hint(format!("profiles: {}", Profile::names().join(", ")))
    })
}

fn engine(args: &EngineArgs) -> Result<EngineParams, Failure> {
    let overrides = EngineOverrides {
        step_base_us: args.step_base_us,
        prefill_us_per_token: args.prefill_us_per_token,
        sequence_us: args.sequence_us,
        kv_us_per_token: args.kv_us_per_token,
        max_num_seqs: args.max_num_seqs,
        max_num_batched_tokens: args.max_num_batched_tokens,
        kv_blocks: args.kv_blocks,
        queue_limit: args.queue_limit,
        jitter_cv: args.jitter_cv,
        prefix_cache: args.prefix_cache,
        max_model_len: args.max_model_len,
        ..EngineOverrides::default()
    };
    let params = overrides.apply(&profile(args)?.engine);
    params
        .validate()
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(params)
}

fn faults(json: Option<&str>) -> Result<Faults, Failure> {
    let Some(json) = json else {
        return Ok(Faults::default());
    };
    let faults: Faults =
        serde_json::from_str(json).map_err(|error| Failure::usage(format!("--faults: {error}")))?;
    faults
        .validate()
        .map_err(|error| Failure::usage(format!("--faults: {error}")))?;
    Ok(faults)
}
