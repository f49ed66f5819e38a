//! `plimsoll selftest`: what this machine can drive, and how wrong its figures are, against a server
//! whose truth is known for each request.

mod cores;
mod load;
mod server;

use std::time::Duration;

use anyhow::Context;
use plimsoll_core::selftest::{Compared, Machine, OpenLoop, SelfTest, Stage, Throughput};
use plimsoll_core::stats::Summary;
use plimsoll_load::batch::Batch;
use plimsoll_load::clock::Clock;
use plimsoll_load::stamps::kernel_stamps;
use plimsoll_report::lang::Lang;
use plimsoll_report::load::load_text;
use plimsoll_report::selftest::render;

use crate::cli::SelftestArgs;
use crate::exit::Exit;
use crate::fault::Failure;
use crate::machine;
use crate::measure::Console;
use crate::signal::Stop;
use cores::Cores;
use load::{Load, carry};
use server::{Account, Latency, Server};

/// The server's time to the first token.
const TTFT: Duration = Duration::from_millis(100);
/// The shortest gap between tokens, and the most output events per second that it is stretched for:
/// what the built-in server keeps up with on one core.
const LEAST_ITL: Duration = Duration::from_millis(20);
const MOST_EVENTS_PER_S: f64 = 60_000.0;
/// How long a stage lasts at least, and how often each stream sends, unless that takes twice as long.
const STAGE: Duration = Duration::from_secs(3);
const ROUNDS: u32 = 2;
/// Over how long the streams begin.
const SPREAD: Duration = Duration::from_secs(1);
/// Short requests: streams, tokens, requests.
const SHORT: (u32, u32, usize) = (64, 64, 60_000);
/// The open loop: requests per second, and for how long.
const OPEN_RATE_PER_S: f64 = 5_000.0;
const OPEN_S: f64 = 3.0;

/// Runs the test.
pub(crate) fn run(args: &SelftestArgs, lang: Lang, stop: &Stop) -> Result<Exit, Failure> {
    match test(args, lang, stop) {
        Ok(Some(found)) => Ok(show(&found, args.json, lang)?),
        Ok(None) => Ok(Exit::Interrupted),
        Err(error) => Err(error.into()),
    }
}

fn show(found: &SelfTest, json: bool, lang: Lang) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, found)?;
        std::io::Write::write_all(&mut out, b"\n")?;
    } else {
        render(found, lang, &mut out)?;
    }
    Ok(if found.is_right() {
        Exit::Done
    } else {
        Exit::NotMet
    })
}

/// Everything, or `None` if it was interrupted.
fn test(args: &SelftestArgs, lang: Lang, stop: &Stop) -> anyhow::Result<Option<SelfTest>> {
    let clock = Clock::start();
    let console = Console::new(args.json, lang);
    let cores = Cores::split().context("the cores of this process are not known")?;
    cores.take_clients()?;
    let mut found = SelfTest {
        machine: whereabouts(&cores),
        stages: Vec::new(),
        throughput: None,
        open_loop: None,
        took_s: 0.0,
    };
    for streams in &args.streams {
        console.say(&announcement(lang, *streams));
        let itl = args.itl.unwrap_or_else(|| pace(*streams));
        found
            .stages
            .push(stage(&cores, *streams, itl, args.output_len, stop)?);
        if stop.is_set() {
            return Ok(None);
        }
    }
    if !args.no_rates {
        let server = Server::start(&cores, Duration::ZERO, Duration::ZERO)?;
        found.throughput = Some(throughput(&server, stop)?);
        found.open_loop = Some(open_loop(&server, stop)?);
    }
    found.took_s = clock.now().as_secs_f64();
    Ok((!stop.is_set()).then_some(found))
}

fn announcement(lang: Lang, streams: u32) -> String {
    format!(
        "{} …",
        load_text(plimsoll_core::load::Load::Streams(streams), lang)
    )
}

fn whereabouts(cores: &Cores) -> Machine {
    Machine {
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        client_cores: cores.client.clone(),
        server_core: cores.server,
        receive_stamps: if kernel_stamps() { "kernel" } else { "user" }.to_owned(),
    }
}

/// The gap between tokens at which so many streams are not too much for the server.
fn pace(streams: u32) -> Duration {
    Duration::from_secs_f64(f64::from(streams) / MOST_EVENTS_PER_S).max(LEAST_ITL)
}

/// Streams that begin one after another, so that their tokens are spread too, and go on from there.
fn stage(
    cores: &Cores,
    streams: u32,
    itl: Duration,
    output_tokens: u32,
    stop: &Stop,
) -> anyhow::Result<Stage> {
    let server = Server::start(cores, TTFT, itl)?;
    let request_time = TTFT + itl * (output_tokens - 1);
    let rounds = if request_time > STAGE * ROUNDS {
        1
    } else {
        (STAGE.div_duration_f64(request_time).ceil() as u32).max(ROUNDS)
    };
    let requests = streams as usize * rounds as usize;
    let spread = SPREAD.max(itl).min(request_time);
    let dues = (0..requests)
        .map(|number| spread.mul_f64((number as f64 / f64::from(streams)).min(1.0)))
        .collect();
    let load = Load {
        dues,
        streams: Some(streams),
        rate_per_s: f64::INFINITY,
        output_tokens,
    };
    server.reset()?;
    let (batch, cpu) = carry(&server, load, stop)?;
    let spent = Spent {
        cpu,
        peak_resident_kb: machine::peak_resident_kb(),
    };
    let account = server.account()?;
    measured(streams, itl, &batch, spent, &account).context("no request was answered")
}

/// What a stage has cost the client.
#[derive(Clone, Copy)]
struct Spent {
    cpu: Duration,
    peak_resident_kb: Option<u64>,
}

fn measured(
    streams: u32,
    itl: Duration,
    batch: &Batch,
    spent: Spent,
    account: &Account,
) -> Option<Stage> {
    let completed = || {
        let records = batch.records.iter().map(|one| &one.record);
        records.filter(|record| record.outcome.is_completed())
    };
    let errors = completed().filter_map(|record| {
        let truth = account.ttft_ms.get(&record.id)?;
        Some((record.ttft_ms()? - truth).abs())
    });
    let events: usize = completed().map(|record| record.events().len()).sum();
    let span = batch.ended_at.since(batch.started_at);
    let figure = |values: Vec<f64>, truth: Latency| compared(Summary::of(values), truth);
    Some(Stage {
        streams,
        itl_ms: itl.as_secs_f64() * 1e3,
        requests: batch.records.len(),
        completed: completed().count(),
        peak_in_flight: batch.peak_in_flight,
        event_per_s: events as f64 / span.as_secs_f64(),
        peak_resident_kb: spent.peak_resident_kb,
        cpu_us_per_event: spent.cpu.as_secs_f64() * 1e6 / events as f64,
        ttft_error_ms: Summary::of(errors.collect()),
        ttft: figure(
            completed().filter_map(|one| one.ttft_ms()).collect(),
            account.ttft()?,
        )?,
        itl: figure(
            completed()
                .flat_map(|record| record.gaps().map(|(_, gap)| gap))
                .collect(),
            account.truth.itl_ms?,
        )?,
        e2e: figure(
            completed().filter_map(|one| one.e2e_ms()).collect(),
            account.truth.e2e_ms?,
        )?,
        client: batch.client.clone(),
    })
}

fn compared(reported: Summary, truth: Latency) -> Option<Compared> {
    Some(Compared {
        truth_mean_ms: truth.mean,
        mean_ms: reported.mean?,
        truth_p99_ms: truth.p99,
        p99_ms: reported.p99?,
    })
}

fn throughput(server: &Server, stop: &Stop) -> anyhow::Result<Throughput> {
    let (streams, output_tokens, requests) = SHORT;
    let load = Load {
        dues: vec![Duration::ZERO; requests],
        streams: Some(streams),
        rate_per_s: f64::INFINITY,
        output_tokens,
    };
    let (batch, _) = carry(server, load, stop)?;
    let span = batch.ended_at.since(batch.started_at);
    Ok(Throughput {
        streams,
        output_tokens,
        request_per_s: requests as f64 / span.as_secs_f64(),
    })
}

fn open_loop(server: &Server, stop: &Stop) -> anyhow::Result<OpenLoop> {
    let count = (OPEN_RATE_PER_S * OPEN_S) as usize;
    let dues = (0..count)
        .map(|number| Duration::from_secs_f64(number as f64 / OPEN_RATE_PER_S))
        .collect();
    let load = Load {
        dues,
        streams: None,
        rate_per_s: OPEN_RATE_PER_S,
        output_tokens: 1,
    };
    let (batch, _) = carry(server, load, stop)?;
    Ok(OpenLoop {
        rate_per_s: OPEN_RATE_PER_S,
        send_lag_ms: batch.client.send_lag_ms,
        stolen_cpu_ratio: batch.client.stolen_cpu_ratio,
    })
}
