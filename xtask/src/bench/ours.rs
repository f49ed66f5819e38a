//! Our own figures, by the built program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use serde_json::Value;

use super::{FAST, Load, ROUNDS};
use crate::command::{output, release};
use crate::json::number;
use crate::metronome::{CLIENT_CORE, Metronome};

/// Streams of the memory figure, if this process may have as many files open, and of what is taken
/// off.
const MANY: u32 = 20_000;
const FEW: u32 = 1_000;
/// Files that a client has open beside its streams.
const OTHER_FILES: u32 = 32;
/// Requests of the run with everything recorded.
const RECORDED_REQUESTS: u32 = 8_192;

/// The built program.
pub(super) struct Ours {
    program: PathBuf,
}

/// Streams of the memory figure on this machine.
pub(super) fn many() -> Result<u32> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let files = u32::try_from(hard).unwrap_or(u32::MAX);
    Ok(MANY.min(files.saturating_sub(OTHER_FILES)))
}

impl Ours {
    pub(super) fn new() -> Self {
        Self {
            program: release().join("plimsoll"),
        }
    }

    /// `plimsoll selftest` with this load alone.
    pub(super) fn selftest(&self, load: Load) -> Result<Value> {
        let (streams, itl) = (load.streams.to_string(), format!("{}ms", load.itl_ms));
        let tokens = load.tokens.to_string();
        self.found(&[
            "--streams",
            &streams,
            "--itl",
            &itl,
            "--output-len",
            &tokens,
            "--no-rates",
        ])
    }

    /// `plimsoll selftest` with its rates.
    pub(super) fn rates(&self) -> Result<Value> {
        self.found(&["--streams", "100"])
    }

    fn found(&self, options: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.program);
        let _ = command.args(["selftest", "--json"]).args(options);
        let (text, errors) = output(&mut command)?;
        serde_json::from_str(&text).with_context(|| format!("selftest failed: {errors}"))
    }

    /// Resident memory of each stream beyond the first ones, KB, at the peak.
    pub(super) fn resident_kb_per_stream(&self) -> Result<f64> {
        let peak = |streams| {
            let load = Load {
                streams,
                itl_ms: 4_000,
                tokens: 3,
            };
            let found = self.selftest(load)?;
            if found.pointer("/stages/0/peak_in_flight") != Some(&Value::from(streams)) {
                bail!("{streams} streams were not open at once");
            }
            number(&found, "/stages/0/peak_resident_kb")
        };
        let many = many()?;
        Ok((peak(many)? - peak(FEW)?) / f64::from(many - FEW))
    }

    /// From the start of the program to the end of a run of one request, s.
    #[expect(clippy::disallowed_methods, reason = "a bench has a clock")]
    pub(super) fn start_s(&self) -> Result<f64> {
        let server = Metronome::start("0,0", &[])?;
        let start = Instant::now();
        self.serve(&server.url, 1, 1, 1, &[])?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// CPU time of the whole program for an output event, µs.
    pub(super) fn cpu_us(&self, load: Load) -> Result<f64> {
        let server = Metronome::start(&load.pace(), &[])?;
        let requests = load.streams * ROUNDS;
        let before = children_cpu_s()?;
        self.serve(&server.url, requests, load.streams, load.tokens, &[])?;
        let spent = children_cpu_s()? - before;
        Ok(spent * 1e6 / f64::from(requests * load.tokens))
    }

    /// CPU time with TLS and every event saved, to the same without.
    pub(super) fn recording_ratio(&self) -> Result<f64> {
        let folder = tempfile::tempdir()?;
        let (cert, key) = certificate(folder.path())?;
        let cpu = |options: &[&str], extra: &[&str]| {
            let server = Metronome::start(&FAST.pace(), options)?;
            let before = children_cpu_s()?;
            self.serve(
                &server.url,
                RECORDED_REQUESTS,
                FAST.streams / 4,
                FAST.tokens,
                extra,
            )?;
            Ok::<_, anyhow::Error>(children_cpu_s()? - before)
        };
        let bare = cpu(&[], &[])?;
        let results = folder.path().display().to_string();
        let full = cpu(
            &["--tls-cert", &cert, "--tls-key", &key],
            &[
                "--cacert",
                &cert,
                "--save-result",
                "--save-detailed",
                "--result-dir",
                &results,
            ],
        )?;
        Ok(full / bare)
    }

    fn serve(
        &self,
        url: &str,
        requests: u32,
        streams: u32,
        tokens: u32,
        extra: &[&str],
    ) -> Result<()> {
        let status = Command::new("taskset")
            .args(["-c", CLIENT_CORE])
            .arg(&self.program)
            .args(["bench", "serve", "--backend", "openai", "--model", "sim"])
            .args([
                "--base-url",
                url,
                "--dataset-name",
                "random",
                "--random-input-len",
                "16",
            ])
            .args(["--random-output-len", &tokens.to_string(), "--ignore-eos"])
            .args(["--num-prompts", &requests.to_string()])
            .args(["--max-concurrency", &streams.to_string()])
            .args(extra)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            bail!("`plimsoll bench serve` ended with {status}");
        }
        Ok(())
    }
}

/// A certificate for the loopback that is its own authority: its file and its key's.
fn certificate(folder: &Path) -> Result<(String, String)> {
    let made =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let file = |name: &str, text: String| -> Result<String> {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    Ok((
        file("cert.pem", made.cert.pem())?,
        file("key.pem", made.signing_key.serialize_pem())?,
    ))
}

/// CPU time of all children that have ended, s. The servers have not ended when it is asked.
fn children_cpu_s() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
