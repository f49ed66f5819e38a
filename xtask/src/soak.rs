//! `cargo xtask soak`: whether hours of load cost the client memory or its clock.
//!
//! `plimsoll check` holds streams against the built-in metronome, whose times are known, and is looked
//! at from outside meanwhile.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{cargo, release, root};
use crate::json::number;
use crate::metronome::{CLIENT_CORE, Metronome};

/// The metronome's pace: each answer takes 10 s.
const TTFT_MS: u32 = 100;
const ITL_MS: f64 = 100.0;
const OUTPUT_TOKENS: u32 = 100;
/// How often the client is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// What the client may keep of a request, however long its answer was, bytes.
const MOST_REQUEST_BYTES: f64 = 400.0;
/// By how much the mean TTFT of the last third may differ from that of the first.
const MOST_TTFT_DRIFT_MS: f64 = 1.0;
/// By how much the mean TPOT of either may differ from the metronome's.
const MOST_TPOT_ERROR_RATIO: f64 = 0.001;
/// By how much the file may grow faster in one half of the time than in the other.
const MOST_UNEVEN_RATIO: f64 = 0.02;

/// The client at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    resident_kb: u64,
    /// Length of `requests.jsonl`.
    file_bytes: u64,
}

/// One figure, and the most that it may be.
struct Figure {
    name: &'static str,
    value: f64,
    most: f64,
}

/// Holds the load, prints the table, and fails where a bound is not met.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let (minutes, streams) = parse(options)?;
    cargo(&["build", "--quiet", "--release", "--workspace", "--bins"])?;
    let out = root().join("target/soak");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    let server = Metronome::start(&format!("{TTFT_MS}ms,{ITL_MS}ms"), &[])?;
    let mut client = start(&server, minutes, streams, &out)?;
    let looks = watch(&mut client, &out);
    if looks.is_err() {
        drop(client.kill());
    }
    let looks = looks?;
    let saved = fs::read(out.join("run.json")).context("the check saved nothing")?;
    let saved: Value = serde_json::from_slice(&saved)?;
    report(&figures(&looks, &saved)?, minutes, streams)
}

fn parse(options: &[&str]) -> Result<(u32, u32)> {
    let (mut minutes, mut streams) = (120, 2_000);
    for pair in options.chunks(2) {
        match pair {
            ["--minutes", number] => minutes = number.parse().context("--minutes")?,
            ["--streams", number] => streams = number.parse().context("--streams")?,
            _ => bail!("usage: cargo xtask soak [--minutes N] [--streams N]"),
        }
    }
    Ok((minutes, streams))
}

fn start(server: &Metronome, minutes: u32, streams: u32, out: &Path) -> Result<Child> {
    Command::new("taskset")
        .args(["-c", CLIENT_CORE])
        .arg(release().join("plimsoll"))
        .args(["check", &server.url, "--slo", "ttft p95 <= 1s"])
        .args(["--concurrency", &streams.to_string()])
        .args(["--for", &format!("{minutes}m")])
        .args(["--input-len", "32"])
        .args(["--output-len", &OUTPUT_TOKENS.to_string()])
        .arg("--out")
        .arg(out)
        .stdin(Stdio::null())
        .spawn()
        .context("taskset does not start")
}

/// Looks at the client until it ends.
fn watch(client: &mut Child, out: &Path) -> Result<Vec<Look>> {
    let requests = out.join("requests.jsonl");
    let mut looks = Vec::new();
    loop {
        if let Some(status) = client.try_wait()? {
            if !status.success() {
                bail!("the check ended with {status}");
            }
            return Ok(looks);
        }
        if let (Some(resident_kb), Ok(file)) = (resident_kb(client.id()), fs::metadata(&requests)) {
            looks.push(Look {
                resident_kb,
                file_bytes: file.len(),
            });
        }
        sleep(LOOK);
    }
}

#[expect(clippy::disallowed_methods, reason = "a chore looks now and then")]
fn sleep(span: Duration) {
    std::thread::sleep(span);
}

/// What a process has in memory, KB; `None` once it has ended.
fn resident_kb(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The figures of the run.
fn figures(looks: &[Look], saved: &Value) -> Result<Vec<Figure>> {
    let outcomes = saved.pointer("/levels/0/requests/outcomes");
    let outcomes = outcomes.and_then(Value::as_object);
    let outcomes = outcomes.context("no level was held")?;
    let ended: f64 = outcomes.values().filter_map(Value::as_f64).sum();
    let completed = number(saved, "/levels/0/requests/outcomes/completed")?;
    let mut all = vec![figure(
        "requests that did not complete",
        ended - completed,
        0.0,
    )];
    all.extend(growth(looks, ended)?);
    all.extend(clock(saved)?);
    Ok(all)
}

/// From the first tenth of the time on, when all streams are there, and up to the last look before its
/// end, when the level is judged.
fn growth(looks: &[Look], ended: f64) -> Result<[Figure; 5]> {
    let tenth = looks.len() / 10;
    let [first, middle, last] = match looks {
        [.., last, _] if tenth > 0 => [looks[tenth], looks[tenth.midpoint(looks.len())], *last],
        _ => bail!("the check was too short to be looked at"),
    };
    let written = |from: Look, to: Look| to.file_bytes as f64 - from.file_bytes as f64;
    let file_bytes = last.file_bytes as f64 / ended;
    let requests = written(first, last) / file_bytes;
    let grown_bytes = (last.resident_kb as f64 - first.resident_kb as f64) * 1_024.0;
    let unevenness = (written(first, middle) / written(middle, last) - 1.0).abs();
    let megabytes = |look: Look| look.resident_kb as f64 / 1_024.0;
    Ok([
        figure(
            "memory at a tenth of the time, MB",
            megabytes(first),
            f64::INFINITY,
        ),
        figure("memory at its end, MB", megabytes(last), f64::INFINITY),
        figure(
            "memory that a request adds, bytes",
            grown_bytes / requests,
            MOST_REQUEST_BYTES,
        ),
        figure("a request in its file, bytes", file_bytes, f64::INFINITY),
        figure(
            "growth of the file, half against half",
            unevenness,
            MOST_UNEVEN_RATIO,
        ),
    ])
}

/// What the client measured, against the metronome and against itself hours before.
fn clock(saved: &Value) -> Result<[Figure; 2]> {
    let third = |which: u32, what: &str| {
        let path = format!("/check/flow/thirds/{which}/{what}_mean_ms");
        number(saved, &path)
    };
    let ttft_drift_ms = third(1, "ttft")? - third(0, "ttft")?;
    let tpot_error = |which| Ok::<_, anyhow::Error>((third(which, "tpot")? / ITL_MS - 1.0).abs());
    Ok([
        figure(
            "mean TTFT of the last third against the first, ms",
            ttft_drift_ms.abs(),
            MOST_TTFT_DRIFT_MS,
        ),
        figure(
            "error of the mean TPOT, share",
            tpot_error(0)?.max(tpot_error(1)?),
            MOST_TPOT_ERROR_RATIO,
        ),
    ])
}

fn figure(name: &'static str, value: f64, most: f64) -> Figure {
    Figure { name, value, most }
}

fn report(figures: &[Figure], minutes: u32, streams: u32) -> Result<()> {
    println!("{minutes} minutes at {streams} streams\n");
    println!("| figure | value | bound | met |\n|---|---|---|---|");
    for Figure { name, value, most } in figures {
        let met = if value <= most { "yes" } else { "no" };
        let (bound, met) = if most.is_finite() {
            (format!("≤ {most}"), met)
        } else {
            (String::new(), "")
        };
        println!("| {name} | {value:.5} | {bound} | {met} |");
    }
    // What is no number meets no bound.
    let is_met = |one: &Figure| one.value <= one.most;
    match figures.iter().find(|one| !is_met(one)) {
        Some(broken) => bail!("{} does not meet its bound", broken.name),
        None => Ok(()),
    }
}
