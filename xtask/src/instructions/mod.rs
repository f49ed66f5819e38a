//! Instructions of an output event on its way through the wire parsers, counted by callgrind: a
//! figure without a clock, so that a regression shows on any machine.

mod events;

use std::process::Command;

use anyhow::{Context, Result, bail};
use plimsoll_core::protocol::Protocol;

use crate::command::{cargo, output, release};

/// Most instructions an event may take, in any protocol. Counted 1 230 for a completion when this was
/// written; a parse of the whole JSON document takes 7 800.
const MOST: u64 = 1_500;
/// Two runs of these many events: their difference has no start-up in it.
const EVENTS: (u64, u64) = (10_000, 30_000);

/// The command of this program that callgrind runs: reads so many events of a protocol.
pub(crate) const READ_EVENTS: &str = "read-events";

/// Reads so many output events as a server of the protocol writes them.
pub(crate) fn read_events(protocol: &str, count: &str) -> Result<()> {
    let protocol = Protocol::named(protocol).context("not a protocol")?;
    events::read(protocol, count.parse().context("not a number of events")?);
    Ok(())
}

/// Counts, prints, and fails above the bound.
pub(crate) fn check() -> Result<()> {
    cargo(&["build", "--release", "--quiet", "--workspace", "--bins"])?;
    for protocol in Protocol::ALL {
        bounded(protocol)?;
    }
    Ok(())
}

fn bounded(protocol: Protocol) -> Result<()> {
    let (few, many) = EVENTS;
    let each = (count(protocol, many)? - count(protocol, few)?) / (many - few);
    let name = protocol.name();
    println!("{name}: {each} instructions for an output event, at most {MOST}");
    if each > MOST {
        bail!("the path of an output event has become longer: {each} instructions, over {MOST}");
    }
    Ok(())
}

fn count(protocol: Protocol, events: u64) -> Result<u64> {
    let mut command = Command::new("valgrind");
    let _ = command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(release().join("xtask"))
        .args([READ_EVENTS, protocol.name(), &events.to_string()]);
    let (_, report) = output(&mut command).context("install valgrind")?;
    report
        .lines()
        .find(|line| line.contains("refs:"))
        .and_then(|line| line.rsplit(':').next())
        .map(|number| number.replace(',', ""))
        .and_then(|number| number.trim().parse().ok())
        .with_context(|| format!("valgrind counted nothing: {report}"))
}
