//! What the machine must have for so many streams, checked before the run: better a refusal with
//! the way out than a thousand failed requests.

use std::net::ToSocketAddrs;

use plimsoll_load::target::{HttpChoice, Target};

use crate::fault::MachineFault;
use crate::machine;

/// Files that are open beside the streams: the report's, the event queues, the metrics page.
const OTHER_FILES: u64 = 64;
/// Memory of a stream: 4 KB here, and what the kernel keeps for a socket with little in it.
const STREAM_BYTES: u64 = 16 << 10;

/// What there is; `None` where the system does not say, which refuses nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    open_files: Option<u64>,
    /// Local ports for one pair of source and destination address.
    ports: Option<u64>,
    /// Such pairs.
    pairs: u64,
    free_bytes: Option<u64>,
}

/// Checks that this machine can hold so many streams to a target.
///
/// # Errors
/// It cannot.
pub(crate) fn check(streams: u32, target: &Target) -> Result<(), MachineFault> {
    // Answers share connections there.
    if target.http == HttpChoice::Http2 {
        return Ok(());
    }
    Limits::of(target).carry(u64::from(streams))
}

/// The most streams to a target that this machine can hold; `None` where nothing limits them.
pub(crate) fn most(target: &Target) -> Option<u32> {
    let limits = Limits::of(target);
    let by_files = limits
        .open_files
        .map(|files| files.saturating_sub(OTHER_FILES));
    let by_ports = limits.ports.map(|ports| ports * limits.pairs);
    let by_memory = limits.free_bytes.map(|free| free / STREAM_BYTES);
    let all = [by_files, by_ports, by_memory].into_iter().flatten();
    all.min()
        .filter(|_| target.http != HttpChoice::Http2)
        .map(|most| u32::try_from(most.max(1)).unwrap_or(u32::MAX))
}

impl Limits {
    fn of(target: &Target) -> Self {
        Self {
            open_files: machine::raise_open_files(),
            ports: port_range().map(|(first, last)| u64::from(last - first) + 1),
            pairs: pairs(target),
            free_bytes: free_bytes(),
        }
    }

    fn carry(self, streams: u64) -> Result<(), MachineFault> {
        let files = streams + OTHER_FILES;
        if let Some(limit) = self.open_files.filter(|limit| *limit < files) {
            return Err(MachineFault::OpenFiles {
                streams,
                files,
                limit,
            });
        }
        if let Some(ports) = self.ports.filter(|ports| ports * self.pairs < streams) {
            let ports = ports * self.pairs;
            return Err(MachineFault::Ports { streams, ports });
        }
        let bytes = streams * STREAM_BYTES;
        if let Some(free) = self.free_bytes.filter(|free| *free < bytes) {
            return Err(MachineFault::Memory {
                streams,
                need_mb: bytes >> 20,
                free_mb: free >> 20,
            });
        }
        Ok(())
    }
}

/// Pairs of a local and a remote address.
fn pairs(target: &Target) -> u64 {
    let route = &target.route;
    let remote = if route.proxy.is_some() {
        1
    } else if route.connect_to.is_empty() {
        (target.host.as_str(), target.port)
            .to_socket_addrs()
            .map_or(1, Iterator::count)
    } else {
        route.connect_to.len()
    };
    (remote.max(1) * route.source_ips.len().max(1)) as u64
}

fn port_range() -> Option<(u16, u16)> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace();
    let first = words.next()?.parse().ok()?;
    let last = words.next()?.parse().ok()?;
    (last >= first).then_some((first, last))
}

fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kb: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb << 10)
}

#[cfg(test)]
mod tests {
    use plimsoll_report::lang::Lang;

    use super::*;
    use crate::fault::Failure;

    #[test]
    fn each_limit_is_named_with_its_way_out() {
        let plenty = Limits {
            open_files: Some(1 << 20),
            ports: Some(28_232),
            pairs: 1,
            free_bytes: Some(1 << 34),
        };
        assert_eq!(plenty.carry(20_000), Ok(()));
        let table = [
            (
                Limits {
                    open_files: Some(20_000),
                    ..plenty
                },
                "ulimit -n 20064",
            ),
            (
                Limits {
                    ports: Some(15_000),
                    ..plenty
                },
                "--source-ip",
            ),
            (
                Limits {
                    free_bytes: Some(100 << 20),
                    ..plenty
                },
                "312 MB of memory, and 100 MB",
            ),
        ];
        for (limits, way_out) in table {
            let text = Failure::from(limits.carry(20_000).unwrap_err()).words(Lang::En);
            assert!(text.contains(way_out), "{text}");
        }
    }

    #[test]
    fn more_addresses_have_more_ports() {
        let limits = Limits {
            ports: Some(15_000),
            pairs: 2,
            ..Limits::default()
        };
        assert_eq!(limits.carry(20_000), Ok(()));
        assert_eq!(Limits::default().carry(1 << 31), Ok(()), "nothing is known");
    }
}
