//! `cargo xtask bench`: the load engine against its bounds, and against its peers in the same run.
//!
//! Client and server have one core each. Every figure is the median of the rounds; ratios are
//! medians of ratios within a round. Peers come from `scripts/peers.py DIR`; without them their rows
//! are left out, and the table says so.

mod ours;
mod peers;
mod table;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::cargo;
use crate::json::number;
use ours::Ours;
use peers::Peers;
use table::{Bound, Row};

/// Rounds of the bench, unless told otherwise.
const BENCH_ROUNDS: usize = 5;
/// How often each stream sends where cost is measured.
const ROUNDS: u32 = 5;

/// Streams, gap between tokens in ms, tokens: the loads of the table.
const WIDE: Load = Load {
    streams: 8_192,
    itl_ms: 100,
    tokens: 32,
};
const FAST: Load = Load {
    streams: 2_048,
    itl_ms: 50,
    tokens: 32,
};

/// So many streams at such a pace.
#[derive(Clone, Copy, Debug)]
struct Load {
    streams: u32,
    itl_ms: u32,
    tokens: u32,
}

impl Load {
    /// The metronome's pace.
    fn pace(self) -> String {
        format!("100ms,{}ms", self.itl_ms)
    }
}

struct Options {
    peers: Option<PathBuf>,
    rounds: usize,
    /// One part of the table instead of all.
    part: Option<String>,
}

/// The parts of the table.
const PARTS: [&str; 4] = ["accuracy", "cost", "rates", "rest"];

fn options(words: &[&str]) -> Result<Options> {
    let mut options = Options {
        peers: None,
        rounds: BENCH_ROUNDS,
        part: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words
            .next()
            .with_context(|| format!("{word} needs a value"))?;
        match *word {
            "--peers" => options.peers = Some(Path::new(value).to_path_buf()),
            "--rounds" => options.rounds = value.parse().context("--rounds needs a number")?,
            "--part" if PARTS.contains(value) => options.part = Some((*value).to_owned()),
            "--part" => bail!("--part is one of {}", PARTS.join(", ")),
            _ => bail!("`{word}` is none of --peers, --rounds, --part"),
        }
    }
    Ok(options)
}

/// Runs everything and prints the table.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = options(words)?;
    cargo(&["build", "--release", "--quiet", "--workspace", "--bins"])?;
    let ours = Ours::new();
    let peers = options.peers.as_deref().map(Peers::new);
    let (peers, count) = (peers.as_ref(), options.rounds);
    print!("{}", table::HEAD);
    let mut all_met = true;
    let mut show = |rows: Vec<Row>| {
        for row in rows {
            print!("{}", row.line());
            all_met &= row.is_met() != Some(false);
        }
    };
    let asked = |part: &str| options.part.as_deref().is_none_or(|one| one == part);
    if asked("accuracy") {
        show(accuracy(&ours, peers, count, WIDE, (0.1, 0.5))?);
        show(accuracy(&ours, peers, count, FAST, (0.05, 0.2))?);
    }
    if asked("cost") {
        show(cost(&ours, peers, count)?);
    }
    if asked("rates") {
        show(rates(&ours, peers, count)?);
    }
    if asked("rest") {
        show(rest(&ours, count)?);
    }
    if !all_met {
        bail!("not every bound is met");
    }
    Ok(())
}

/// Collects one figure a round.
fn rounds<T>(count: usize, mut one: impl FnMut() -> Result<T>) -> Result<Vec<T>> {
    (0..count).map(|_| one()).collect()
}

/// The error of the reported TTFT, and the share of first tokens with a shared stamp.
fn accuracy(
    ours: &Ours,
    peers: Option<&Peers>,
    count: usize,
    load: Load,
    (mean, p99): (f64, f64),
) -> Result<Vec<Row>> {
    let runs = rounds(count, || {
        let found = ours.selftest(load)?;
        let peer = peers.map(|peers| peers.ttft_error_ms(load)).transpose()?;
        Ok((found, peer))
    })?;
    let what = format!("{} streams, ITL {} ms", load.streams, load.itl_ms);
    let figure = |path: &str| {
        let values = runs.iter().map(|(found, _)| number(found, path));
        values.collect::<Result<Vec<f64>>>()
    };
    let peer = |pick: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        runs.iter()
            .filter_map(|(_, peer)| peer.as_ref().map(pick))
            .collect()
    };
    Ok(vec![
        Row::new(
            format!("TTFT error, mean: {what}"),
            "ms",
            figure("/stages/0/ttft_error_ms/mean")?,
            Bound::Most(mean),
        )
        .beside("sglang-bench", peer(|peer| peer.0)),
        Row::new(
            format!("TTFT error, p99: {what}"),
            "ms",
            figure("/stages/0/ttft_error_ms/p99")?,
            Bound::Most(p99),
        )
        .beside("sglang-bench", peer(|peer| peer.1)),
        Row::new(
            format!("first tokens with a shared stamp: {what}"),
            "share",
            figure("/stages/0/client/shared_first_ratio")?,
            Bound::Most(0.005),
        ),
    ])
}

/// CPU time for an output event.
fn cost(ours: &Ours, peers: Option<&Peers>, count: usize) -> Result<Vec<Row>> {
    let runs = rounds(count, || {
        let mine = ours.cpu_us(FAST)?;
        let theirs = peers
            .map(|peers| {
                Ok::<_, anyhow::Error>((peers.sglang_cpu_us(FAST)?, peers.wrk_cpu_us(FAST)?))
            })
            .transpose()?;
        Ok((mine, theirs))
    })?;
    let what = format!("CPU for an output event at {} streams", FAST.streams);
    let mine = runs.iter().map(|run| run.0).collect();
    let mut rows = vec![Row::new(what.clone(), "µs", mine, Bound::None)];
    for (name, bound, pick) in [
        (
            "sglang-bench",
            0.55,
            (|both| both.0) as fn(&(f64, f64)) -> f64,
        ),
        ("wrk", 1.0, |both| both.1),
    ] {
        let theirs: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.1.as_ref().map(pick))
            .collect();
        let ratios: Vec<f64> = runs
            .iter()
            .filter_map(|(mine, theirs)| theirs.as_ref().map(|both| mine / pick(both)))
            .collect();
        if !ratios.is_empty() {
            rows.push(
                Row::new(
                    format!("{what}, to {name}"),
                    "×",
                    ratios,
                    Bound::Most(bound),
                )
                .beside(format!("{name}, µs"), theirs),
            );
        }
    }
    Ok(rows)
}

/// Short requests per second, and the send lag of an open loop.
fn rates(ours: &Ours, peers: Option<&Peers>, count: usize) -> Result<Vec<Row>> {
    let runs = rounds(count, || {
        let found = ours.rates()?;
        let theirs = peers.map(Peers::request_per_s).transpose()?;
        Ok((found, theirs))
    })?;
    let figure = |path: &str| {
        let values = runs.iter().map(|(found, _)| number(found, path));
        values.collect::<Result<Vec<f64>>>()
    };
    let mine = figure("/throughput/request_per_s")?;
    let theirs: Vec<f64> = runs.iter().filter_map(|run| run.1).collect();
    let ratios: Vec<f64> = mine
        .iter()
        .zip(&theirs)
        .map(|(mine, theirs)| mine / theirs)
        .collect();
    let what = "requests/s, 64 streams, 64 tokens, no delay";
    let mut rows = vec![Row::new(what, "1/s", mine, Bound::None)];
    if !ratios.is_empty() {
        rows.push(
            Row::new(
                format!("{what}, to sglang-bench"),
                "×",
                ratios,
                Bound::Least(6.0),
            )
            .beside("sglang-bench, 1/s", theirs),
        );
    }
    rows.push(
        Row::new(
            "open loop, 5 000 requests/s: send lag p99",
            "ms",
            figure("/open_loop/send_lag_ms/p99")?,
            Bound::Most(0.3),
        )
        .beside("stolen CPU", figure("/open_loop/stolen_cpu_ratio")?),
    );
    Ok(rows)
}

/// Memory, start, and the price of TLS with everything recorded.
fn rest(ours: &Ours, count: usize) -> Result<Vec<Row>> {
    let memory = rounds(count.min(2), || ours.resident_kb_per_stream())?;
    let start = rounds(count, || ours.start_s())?;
    let recording = rounds(count, || ours.recording_ratio())?;
    Ok(vec![
        Row::new(
            format!(
                "resident memory of a stream, beyond the first 1 000 of {}",
                ours::many()?
            ),
            "KB",
            memory,
            Bound::Most(4.0),
        ),
        Row::new(
            "start to the end of the first request",
            "s",
            start,
            Bound::Most(0.1),
        ),
        Row::new(
            "CPU with TLS and everything recorded, to the bare path",
            "×",
            recording,
            Bound::Most(1.5),
        ),
    ])
}
