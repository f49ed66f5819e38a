//! The built-in metronome, on a core of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::command::release;

/// The server's core and the client's.
pub(crate) const SERVER_CORE: &str = "0";
pub(crate) const CLIENT_CORE: &str = "1";

/// A metronome that runs until it is dropped.
pub(crate) struct Metronome {
    child: Child,
    /// Its address, as `http://host:port`.
    pub(crate) url: String,
}

impl Metronome {
    /// Starts it with `pace`, such as `100ms,50ms`, and further options of `plimsoll sim`.
    pub(crate) fn start(pace: &str, options: &[&str]) -> Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", SERVER_CORE])
            .arg(release().join("plimsoll"))
            .args(["sim", "--listen", "127.0.0.1:0", "--metronome", pace])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .context("taskset does not start")?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut line)?;
        }
        let url = line
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
