//! The metronome in a process of its own: it shares neither a core nor descriptors with the client.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow};
use plimsoll_core::stats::quantile;
use plimsoll_load::fetch;
use plimsoll_load::target::Target;
use serde::Deserialize;

use super::cores::Cores;

/// How long the server may take for its account.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(super) struct Server {
    child: Child,
    pub(super) target: Target,
}

/// The server's account: its statistics, and the TTFT of each request by its number, ms.
pub(super) struct Account {
    pub(super) truth: Truth,
    pub(super) ttft_ms: HashMap<u64, f64>,
}

/// What a perfect client would have reported.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Truth {
    pub(super) itl_ms: Option<Latency>,
    pub(super) e2e_ms: Option<Latency>,
}

/// One latency of the truth.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Latency {
    pub(super) mean: f64,
    pub(super) p99: f64,
}

#[derive(Deserialize)]
struct TruthLine {
    id: Option<String>,
    received_ns: u64,
    first_ns: Option<u64>,
}

impl Server {
    /// Starts a server that answers after `ttft` with a token every `itl`, on the server's core.
    pub(super) fn start(cores: &Cores, ttft: Duration, itl: Duration) -> anyhow::Result<Self> {
        let pace = format!("{},{}", written(ttft), written(itl));
        let program = std::env::current_exe().context("the program's own path is not known")?;
        let mut command = Command::new(program);
        let _ = command
            .args(["sim", "--listen", "127.0.0.1:0", "--metronome", &pace])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        // A child runs where the thread ran that started it.
        let spawned = std::thread::scope(|scope| {
            let starter = scope.spawn(|| -> anyhow::Result<Child> {
                cores.take_servers()?;
                Ok(command.spawn()?)
            });
            starter.join()
        });
        let mut child =
            spawned.map_err(|_| anyhow!("the thread that starts the server stopped"))??;
        let url = child.stdout.take().map(BufReader::new).and_then(announced);
        let mut server = Self {
            child,
            target: Target::parse("127.0.0.1")?,
        };
        let url = url.context("the built-in server did not start")?;
        server.target = Target::parse(&url)?;
        Ok(server)
    }

    /// Forgets what has been counted.
    pub(super) fn reset(&self) -> anyhow::Result<()> {
        fetch::post(&self.target, "/sim/reset", Vec::new(), PATIENCE)?;
        Ok(())
    }

    /// Asks for the account.
    pub(super) fn account(&self) -> anyhow::Result<Account> {
        let truth = fetch::get(&self.target, "/sim/truth", PATIENCE)?;
        let lines = fetch::get(&self.target, "/sim/truth/requests", PATIENCE)?;
        let mut ttft_ms = HashMap::new();
        for line in lines.text().lines() {
            let line: TruthLine = serde_json::from_str(line)?;
            let id = line.id.and_then(|id| id.parse().ok());
            if let (Some(id), Some(first_ns)) = (id, line.first_ns) {
                let ttft = first_ns.saturating_sub(line.received_ns);
                let _ = ttft_ms.insert(id, ttft as f64 / 1e6);
            }
        }
        Ok(Account {
            truth: serde_json::from_str(&truth.text())?,
            ttft_ms,
        })
    }
}

impl Account {
    /// Mean and 99 % quantile of the true TTFT, ms.
    pub(super) fn ttft(&self) -> Option<Latency> {
        let mut values: Vec<f64> = self.ttft_ms.values().copied().collect();
        values.sort_by(f64::total_cmp);
        Some(Latency {
            mean: plimsoll_core::stats::mean(&values)?,
            p99: quantile(&values, 0.99)?,
        })
    }
}

/// A span as the command line takes it.
fn written(span: Duration) -> String {
    if span.is_zero() {
        "0".to_owned()
    } else {
        format!("{}ms", span.as_secs_f64() * 1e3)
    }
}

/// The address in the server's first line.
fn announced(mut out: impl BufRead) -> Option<String> {
    let mut line = String::new();
    let _ = out.read_line(&mut line).ok()?;
    line.split_whitespace().last().map(str::to_owned)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
