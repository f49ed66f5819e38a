//! The machine that drives the load.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use plimsoll_core::run::Environment;
use plimsoll_load::stamps::kernel_stamps;

/// CPUs that this process may use.
pub(super) fn cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// Describes the machine, after raising the limit of open files as far as it goes.
pub(super) fn describe(workers: u32) -> Environment {
    Environment {
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        cpus: cpus(),
        open_files_limit: raise_open_files(),
        receive_stamps: if kernel_stamps() { "kernel" } else { "user" }.to_owned(),
        workers,
    }
}

/// Raises the soft limit to the hard one; `None` where the limit cannot be read.
fn raise_open_files() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}
