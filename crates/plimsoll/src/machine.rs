//! The machine that drives the load.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use plimsoll_core::run::Environment;
use plimsoll_load::stamps::kernel_stamps;

/// Streams that one worker drives before another core is used.
const STREAMS_PER_WORKER: u32 = 1_024;
/// Requests per second that one worker sends before another core is used.
const REQUESTS_PER_S_PER_WORKER: f64 = 5_000.0;

/// CPUs that this process may use.
pub(crate) fn cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// Workers for so many streams, or requests per second where the schedule does not wait.
pub(crate) fn workers(streams: u32, request_per_s: f64) -> u32 {
    // An infinite rate says nothing: the streams do.
    let by_rate = if request_per_s.is_finite() {
        (request_per_s / REQUESTS_PER_S_PER_WORKER).ceil() as u32
    } else {
        1
    };
    streams
        .div_ceil(STREAMS_PER_WORKER)
        .max(by_rate)
        .clamp(1, cpus())
}

/// Describes the machine, after raising the limit of open files as far as it goes.
pub(crate) fn describe(workers: u32) -> Environment {
    Environment {
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        cpus: cpus(),
        open_files_limit: raise_open_files(),
        receive_stamps: if kernel_stamps() { "kernel" } else { "user" }.to_owned(),
        workers,
    }
}

/// Raises the soft limit of open files to the hard one; `None` where the limit cannot be read.
pub(crate) fn raise_open_files() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}

/// Most memory that this process has had resident, KB; `None` where the system does not say.
pub(crate) fn peak_resident_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
