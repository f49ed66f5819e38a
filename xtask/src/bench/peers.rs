//! The peers, as `scripts/peers.py` lays them out: sglang's Rust client, and wrk.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Load, ROUNDS};
use crate::command::output;
use crate::json::number;
use crate::metronome::{CLIENT_CORE, Metronome};

/// Seconds of a run of wrk.
const WRK_S: &str = "8";
/// Short requests: streams, tokens, requests.
const SHORT: (u32, u32, u32) = (64, 64, 20_000);

/// The peers' folder.
pub(super) struct Peers {
    folder: PathBuf,
}

/// A run of sglang's client: its own report, the truth, and its CPU time in s.
struct SglangRun {
    report: Value,
    truth: Value,
    cpu_s: f64,
}

impl Peers {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
        }
    }

    /// Reported − true TTFT, ms: of the mean, and of the 99 % quantile.
    pub(super) fn ttft_error_ms(&self, load: Load) -> Result<(f64, f64)> {
        let run = self.sglang(
            &load.pace(),
            load.streams,
            load.tokens,
            load.streams * ROUNDS,
        )?;
        let error = |reported, truth| -> Result<f64> {
            Ok(number(&run.report, reported)? - number(&run.truth, truth)?)
        };
        Ok((
            error("/mean_ttft_ms", "/ttft_ms/mean")?,
            error("/p99_ttft_ms", "/ttft_ms/p99")?,
        ))
    }

    /// CPU time of sglang's client for an output event, µs.
    pub(super) fn sglang_cpu_us(&self, load: Load) -> Result<f64> {
        let requests = load.streams * ROUNDS;
        let run = self.sglang(&load.pace(), load.streams, load.tokens, requests)?;
        Ok(run.cpu_s * 1e6 / f64::from(requests * load.tokens))
    }

    /// Short requests per second of sglang's client.
    pub(super) fn request_per_s(&self) -> Result<f64> {
        let (streams, tokens, requests) = SHORT;
        let run = self.sglang("0,0", streams, tokens, requests)?;
        number(&run.report, "/request_throughput")
    }

    /// CPU time of wrk for an output event, µs. It reads bytes and no events: the bytes of one
    /// answer are measured beside it.
    pub(super) fn wrk_cpu_us(&self, load: Load) -> Result<f64> {
        let server = Metronome::start(&load.pace(), &[])?;
        let url = format!("{}/v1/completions", server.url);
        let tokens = load.tokens.to_string();
        let mut command = Command::new("sh");
        let _ = command
            .env("CPU", CLIENT_CORE)
            .arg(self.folder.join("run_wrk.sh"))
            .args([&url, "sim", WRK_S, &load.streams.to_string(), "16", &tokens]);
        let (text, errors) = output(&mut command)?;
        let line = text.lines().find_map(|line| line.strip_prefix("JSON "));
        let found: Value = serde_json::from_str(line.with_context(|| format!("wrk: {errors}"))?)?;
        let truth = get(&server.url, "/sim/truth")?;
        // Answers cut at the end are in the bytes too: the share of them that came is what counts.
        let of_one = number(&found, "/bytes")? / number(&found, "/requests")?;
        let whole = answer_bytes(&server.url, load.tokens)?;
        let completed = number(&truth, "/n_completed")?;
        if of_one < whole * 0.9 || completed < 1.0 {
            bail!("wrk read {of_one} bytes an answer of {whole}");
        }
        let events = number(&found, "/bytes")? / whole * f64::from(load.tokens);
        Ok(number(&found, "/cpu_s")? * 1e6 / events)
    }

    fn sglang(&self, pace: &str, streams: u32, tokens: u32, requests: u32) -> Result<SglangRun> {
        let server = Metronome::start(pace, &[])?;
        let folder = tempfile::tempdir()?;
        let result = folder.path().join("result.jsonl");
        let mut command = Command::new("sh");
        let _ = command
            .env("CPU", CLIENT_CORE)
            .arg(self.folder.join("run_sglang.sh"))
            .args([
                &server.url,
                "sim",
                &requests.to_string(),
                &streams.to_string(),
                "16",
            ])
            .arg(tokens.to_string())
            .arg(&result);
        let (_, errors) = output(&mut command)?;
        let read = |suffix: &str| -> Result<Value> {
            let text = std::fs::read_to_string(format!("{}{suffix}", result.display()))
                .with_context(|| format!("sglang's client wrote nothing: {errors}"))?;
            Ok(serde_json::from_str(
                text.lines().next().unwrap_or_default(),
            )?)
        };
        let report = read("")?;
        if report.pointer("/completed") != Some(&Value::from(requests)) {
            bail!("sglang's client did not complete its requests: {errors}");
        }
        Ok(SglangRun {
            report,
            truth: get(&server.url, "/sim/truth")?,
            cpu_s: number(&read(".cpu")?, "/cpu_s")?,
        })
    }
}

fn get(url: &str, path: &str) -> Result<Value> {
    let (text, errors) = output(Command::new("curl").args(["-s", &format!("{url}{path}")]))?;
    serde_json::from_str(&text).with_context(|| format!("{path}: {errors}"))
}

/// The bytes of one answer on the wire, head and framing included.
fn answer_bytes(url: &str, tokens: u32) -> Result<f64> {
    let body = format!(
        r#"{{"model":"sim","prompt":[1],"max_tokens":{tokens},"stream":true,"ignore_eos":true}}"#
    );
    let address = format!("{url}/v1/completions");
    let mut command = Command::new("curl");
    let _ = command.args(["-s", "-i", "--raw", "-d", &body, &address]);
    let (text, _) = output(&mut command)?;
    Ok(text.len() as f64)
}
